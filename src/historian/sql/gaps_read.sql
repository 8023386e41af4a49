select seq, at_us, from_us, kind, station, tag, word, best, low, high, detail
from event
where line = ?1 and at_us >= ?2 and kind = 'count' and best is not null
order by at_us, seq
