-- What gaps of a counter hold: 0 before [?4, ?5), 1 in it, 2 after it.
select (at_us >= ?4) + (at_us >= ?5), sum(best), sum(coalesce(low, best)), sum(coalesce(high, best))
from event
where line = ?1 and coalesce(station, '') = ?2 and coalesce(tag, '') = ?3 and kind = 'count' and from_us is not null
  and best is not null
group by 1
