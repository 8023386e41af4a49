select start_us, counter, best, low, high
from minute_count
where line = ?1 and start_us between ?2 and ?3
order by start_us, counter
