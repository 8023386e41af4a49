-- In this order for the reason told in open_minutes.sql.
select n.line, n.counter, n.start_us, coalesce(n.low, n.best), n.best, coalesce(n.high, n.best)
from line
cross join minute on minute.line = line.id and minute.start_us > line.at_us - 180000000
cross join minute_count n on n.line = minute.line and n.start_us = minute.start_us
where not closed and ?1 < ?2
