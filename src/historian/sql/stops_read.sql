-- Stops that were going on at any time in [?2, ?3), oldest first. The last one that began before ?2 may reach into it.
select number, from_us, from_mono_us, to_us, to_mono_us, cause, state, reason, key, candidates, flags
from stop
where line = ?1 and from_us < ?3
  and number >= coalesce((select max(number) from stop where line = ?1 and from_us <= ?2), 0)
order by number
limit ?4
