-- Told twice it is one attempt.
insert into delivery (alert, turn, hook, attempt, at_us, ending, status, error)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
on conflict do nothing
