-- Good capsules that the minutes of a line hold for a time, station by station.
select c.station, sum(m.best)
from minute_count m
join counter c on c.id = m.counter
where m.line = (select id from line where name = ?1) and m.start_us >= ?2 and m.start_us < ?3 and c.counted = 'good'
group by c.station
order by c.station
