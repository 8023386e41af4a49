select line.name, seq, event.at_us, from_us, kind, station, tag, word, coalesce(event.low, event.best), event.best,
  coalesce(event.high, event.best), detail
from event join line on line.id = event.line
where seq > ?1 and seq <= ?2
order by seq
