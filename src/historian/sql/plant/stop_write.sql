insert into capline.stop (line_id, number, t, to_t, lasted_us, cause, state, reason, key, candidates, flags)
select l.id, u.number, u.t, u.to_t, u.lasted_us, u.cause, u.state, u.reason, u.key, u.candidates, u.flags
from unnest($3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::bigint[], $8::text[], $9::text[],
    $10::bigint[], $11::text[], $12::text[], $13::bigint[])
  u (line, number, t, to_t, lasted_us, cause, state, reason, key, candidates, flags)
join capline.line l on l.site = $1 and l.edge = $2 and l.line = u.line
on conflict (line_id, number) do update set
  t = excluded.t, to_t = excluded.to_t, lasted_us = excluded.lasted_us, cause = excluded.cause, state = excluded.state,
  reason = excluded.reason, key = excluded.key, candidates = excluded.candidates, flags = excluded.flags
