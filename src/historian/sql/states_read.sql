select station, state, raw, since_us
from station_state
where line = ?1
order by place, station
