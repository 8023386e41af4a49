select change.seq, minute.line, minute.start_us, rev, closed, run_us, internal_us, external_us, planned_us, idle_us,
  unknown_us, polls, missed
from minute_change change
join minute on minute.line = change.line and minute.start_us = change.start_us
where change.seq > ?1 and change.seq <= ?2
order by change.seq
