-- Told twice it is one alert.
insert into alert (number, id, rule, subject, line, since_us, opened_us, detail, hooks, closed_us)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
on conflict (id) do nothing
