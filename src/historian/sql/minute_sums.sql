-- Counter by counter over minutes that began in [?2, ?3).
select counter, sum(best), sum(coalesce(low, best)), sum(coalesce(high, best))
from minute_count
where line = ?1 and start_us >= ?2 and start_us < ?3
group by counter
