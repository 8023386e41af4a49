select start_us, rev, closed, run_us, internal_us, external_us, planned_us, idle_us, unknown_us, polls, missed
from minute
where line = ?1 and start_us >= ?2 and start_us < ?3
order by start_us
limit ?4
