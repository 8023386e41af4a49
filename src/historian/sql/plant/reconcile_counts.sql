-- Counts of these minutes, those of open ones too. From the counters, because that is how they are indexed.
select n.t, c.station, c.counted, c.reason, n.best, n.low, n.high
from capline.counter c
join capline.line l on l.id = c.line_id
join capline.minute_count n on n.counter_id = c.id
where l.site = $1 and l.edge = $2 and l.line = $3 and n.t >= $4 and n.t < $5
