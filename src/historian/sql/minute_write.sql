-- Absolute values, so that writing a minute again changes nothing; an older revision never covers a newer one.
insert into minute (line, start_us, rev, closed, run_us, internal_us, external_us, planned_us, idle_us, unknown_us,
                    polls, missed)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
on conflict (line, start_us) do update set
  rev = excluded.rev, closed = excluded.closed, run_us = excluded.run_us, internal_us = excluded.internal_us,
  external_us = excluded.external_us, planned_us = excluded.planned_us, idle_us = excluded.idle_us,
  unknown_us = excluded.unknown_us, polls = excluded.polls, missed = excluded.missed
where excluded.rev >= minute.rev
