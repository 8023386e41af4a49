select number, from_us, from_mono_us, to_us, to_mono_us, cause, state, reason, key, candidates, flags
from stop
where line = ?1 and to_us is null
order by number desc
limit 1
