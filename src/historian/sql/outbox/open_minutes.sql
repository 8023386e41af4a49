-- `cross join` fixes the order: from the other end this would read every minute there ever was, each second.
-- What has not been closed yet, of lines that still tick: the present, sent each second and overwritten. It has no
-- number.
select null, minute.line, minute.start_us, rev, closed, run_us, internal_us, external_us, planned_us, idle_us,
  unknown_us, polls, missed
from line cross join minute on minute.line = line.id and minute.start_us > line.at_us - 180000000
where not closed and ?1 < ?2
