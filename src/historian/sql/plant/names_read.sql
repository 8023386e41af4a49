select l.line, l.id, c.station, c.counted, c.reason, c.id
from capline.line l left join capline.counter c on c.line_id = l.id
where l.site = $1 and l.edge = $2
