insert into stop (line, number, from_us, from_mono_us, to_us, to_mono_us, cause, state, reason, key, candidates, flags)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
on conflict (line, number) do update set
  to_us = excluded.to_us, to_mono_us = excluded.to_mono_us, cause = excluded.cause, state = excluded.state,
  reason = excluded.reason, key = excluded.key, candidates = excluded.candidates, flags = excluded.flags
where stop.to_us is null
