insert into account (name, printed, printed_key, role, password, must_change, made_us, changed_us)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
on conflict do nothing
