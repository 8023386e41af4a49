-- Good capsules of a station in minutes: 0 before [?3, ?4), 1 in it, 2 after it.
select (m.start_us >= ?3) + (m.start_us >= ?4), sum(m.best), sum(coalesce(m.low, m.best)), sum(coalesce(m.high, m.best))
from minute_count m
join counter c on c.id = m.counter
where m.line = ?1 and c.station = ?2 and c.counted = 'good'
group by 1
