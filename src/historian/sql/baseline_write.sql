insert into baseline (line, tag, run, raw, best, low, high, at_us, mono_us, detail)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
on conflict (line, tag) do update set
  run = excluded.run, raw = excluded.raw, best = excluded.best, low = excluded.low, high = excluded.high,
  at_us = excluded.at_us, mono_us = excluded.mono_us, detail = excluded.detail
