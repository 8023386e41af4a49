select line, seq, at_us, from_us, kind, station, tag, word, coalesce(low, best), best, coalesce(high, best), detail
from event
where seq > ?1 and seq <= ?2
order by seq
