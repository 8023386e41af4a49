select start_us, station, series, bore, n, sum_ug, squares, records, missed, refused, unheard
from minute_weight
where line = ?1 and start_us >= ?2 and start_us < ?3
order by start_us, station, series, bore
