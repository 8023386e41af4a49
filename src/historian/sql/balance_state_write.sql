insert into balance_state (line, form) values (?1, ?2)
on conflict (line) do update set form = excluded.form
