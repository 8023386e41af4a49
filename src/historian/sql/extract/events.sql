select at_us, seq, from_us, kind, station, tag, word, best, coalesce(low, best), coalesce(high, best), detail
from event
where line = ?1 and at_us >= ?2 and at_us < ?3
order by at_us, seq
