select n.line, n.counter, n.start_us, coalesce(n.low, n.best), n.best, coalesce(n.high, n.best)
from minute_change change
join minute_count n on n.line = change.line and n.start_us = change.start_us
where change.seq > ?1 and change.seq <= ?2
order by change.seq
