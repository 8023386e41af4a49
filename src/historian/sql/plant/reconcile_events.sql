-- Events of a line in [$4, $5). What a gap holds comes from here.
select e.seq, e.best, e.low, e.high
from capline.event e
join capline.line l on l.id = e.line_id
where l.site = $1 and l.edge = $2 and l.line = $3 and e.t >= $4 and e.t < $5
