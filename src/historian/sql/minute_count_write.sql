insert into minute_count (line, start_us, counter, best, low, high)
values (?1, ?2, ?3, ?4, ?5, ?6)
on conflict (line, start_us, counter) do update set
  best = excluded.best, low = excluded.low, high = excluded.high
