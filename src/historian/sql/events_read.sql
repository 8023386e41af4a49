-- Newest first. ?4 is a JSON list of kinds or null for all.
select seq, at_us, from_us, kind, station, tag, word, best, low, high, detail
from event
where line = ?1 and at_us >= ?2 and at_us < ?3
  and (?4 is null or kind in (select value from json_each(?4)))
order by at_us desc, seq desc
limit ?5
