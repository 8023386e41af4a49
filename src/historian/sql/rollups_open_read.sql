select kind, start_us, name, end_us, rev, closed, remark, estimated, run_us, internal_us, external_us, planned_us,
  idle_us, unknown_us, setup_us, overlap_us, order_us, failures, counts
from rollup
where line = ?1 and closed = 0
order by start_us
