insert into capline.counter (line_id, station, counted, reason)
select l.id, u.station, u.counted, u.reason
from unnest($3::text[], $4::text[], $5::text[], $6::text[]) u (line, station, counted, reason)
join capline.line l on l.site = $1 and l.edge = $2 and l.line = u.line
where not exists (
  select from capline.counter c
  where c.line_id = l.id and c.station = u.station and c.counted = u.counted and c.reason = u.reason
)
on conflict do nothing
