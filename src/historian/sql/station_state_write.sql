-- States seldom change: a row that stays as it is must not cost a page of the log four times a second.
insert into station_state (line, station, place, state, raw, since_us)
values (?1, ?2, ?3, ?4, ?5, ?6)
on conflict (line, station) do update set
  place = excluded.place, state = excluded.state, raw = excluded.raw, since_us = excluded.since_us
where (place, state, raw, since_us)
  is not (excluded.place, excluded.state, excluded.raw, excluded.since_us)
