insert into account (name, printed, printed_key, role, password, made_us, changed_us)
values (?1, ?2, ?3, ?4, ?5, ?6, ?6)
on conflict do nothing
