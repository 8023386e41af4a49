-- As recorded; what people said about them is in stop_revisions.
select from_us, number, to_us, to_mono_us - from_mono_us, cause, state, reason, key, candidates, flags
from stop
where line = ?1 and from_us < ?3 and (to_us is null or to_us >= ?2)
order by number
