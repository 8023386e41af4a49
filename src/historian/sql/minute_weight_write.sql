insert into minute_weight (line, start_us, station, series, bore, n, sum_ug, squares, records, missed, refused, unheard)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
on conflict (line, start_us, station, series, bore) do update set
  n = excluded.n, sum_ug = excluded.sum_ug, squares = excluded.squares, records = excluded.records,
  missed = excluded.missed, refused = excluded.refused, unheard = excluded.unheard
