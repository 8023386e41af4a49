-- Periods that go on, and the hours since ?2, which the screen shows.
select kind, start_us, name, end_us, rev, closed, remark, estimated, run_us, internal_us, external_us, planned_us,
  idle_us, unknown_us, setup_us, overlap_us, order_us, failures, counts
from rollup
where line = ?1 and (closed = 0 or kind = 'hour' and start_us >= ?2)
order by start_us
