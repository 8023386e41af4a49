-- What is known of gaps as a whole, tag by tag: counts with a beginning are in no minute.
select coalesce(station, ''), coalesce(tag, ''), sum(best), sum(coalesce(low, best)), sum(coalesce(high, best))
from event
where line = ?1 and kind = 'count' and from_us is not null and best is not null
group by station, tag
