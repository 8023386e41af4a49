-- A frame spans at most ?4 microseconds, so that the index bounds the search on both sides.
select seq, data, run, from_us, to_us
from frame
where line = ?1 and to_us >= ?2 and to_us < ?3 + ?4 and from_us < ?3
order by to_us, seq
