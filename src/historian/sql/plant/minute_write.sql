-- Absolute values: an older revision never covers a newer one.
insert into capline.minute as known (line_id, t, rev, closed, run_us, internal_us, external_us, planned_us, idle_us,
  unknown_us, polls, missed)
select l.id, u.t, u.rev, u.closed, u.run_us, u.internal_us, u.external_us, u.planned_us, u.idle_us, u.unknown_us,
  u.polls, u.missed
from unnest($3::text[], $4::timestamptz[], $5::bigint[], $6::boolean[], $7::bigint[], $8::bigint[], $9::bigint[],
    $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
  u (line, t, rev, closed, run_us, internal_us, external_us, planned_us, idle_us, unknown_us, polls, missed)
join capline.line l on l.site = $1 and l.edge = $2 and l.line = u.line
on conflict (line_id, t) do update set
  rev = excluded.rev, closed = excluded.closed, run_us = excluded.run_us, internal_us = excluded.internal_us,
  external_us = excluded.external_us, planned_us = excluded.planned_us, idle_us = excluded.idle_us,
  unknown_us = excluded.unknown_us, polls = excluded.polls, missed = excluded.missed
where excluded.rev >= known.rev
