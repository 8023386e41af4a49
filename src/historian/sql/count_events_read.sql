-- The ledger entries of a counter that were more than an ordinary step, oldest first.
select seq, at_us, from_us, kind, station, tag, word, best, low, high, detail
from event
where line = ?1 and at_us >= ?2 and at_us < ?3 and kind = 'count' and tag = ?4
order by at_us, seq
limit ?5
