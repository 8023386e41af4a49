select id, station, counted, reason
from counter
where line = ?1
