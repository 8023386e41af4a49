-- Closed minutes of a line in [$4, $5).
select m.t, m.rev
from capline.minute m
join capline.line l on l.id = m.line_id
where l.site = $1 and l.edge = $2 and l.line = $3 and m.closed and m.t >= $4 and m.t < $5
