insert into capline.minute_count (line_id, counter_id, t, low, best, high)
select l.id, c.id, u.t, u.low, u.best, u.high
from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bigint[], $9::bigint[],
    $10::bigint[])
  u (line, station, counted, reason, t, low, best, high)
join capline.line l on l.site = $1 and l.edge = $2 and l.line = u.line
join capline.counter c on c.line_id = l.id and c.station = u.station and c.counted = u.counted and c.reason = u.reason
on conflict (counter_id, t) do update set low = excluded.low, best = excluded.best, high = excluded.high
