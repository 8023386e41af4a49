-- Periods of kind ?2 that overlap [?3, ?4), oldest first.
select kind, start_us, name, end_us, rev, closed, remark, estimated, run_us, internal_us, external_us, planned_us,
  idle_us, unknown_us, setup_us, overlap_us, order_us, failures, counts
from rollup
where line = ?1 and kind = ?2 and start_us < ?4 and (end_us is null or end_us > ?3)
order by start_us
limit ?5
