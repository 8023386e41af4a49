-- Good capsules of each station in all minutes.
select c.station, '', sum(m.best), sum(coalesce(m.low, m.best)), sum(coalesce(m.high, m.best))
from minute_count m
join counter c on c.id = m.counter
where m.line = ?1 and c.counted = 'good'
group by c.station
