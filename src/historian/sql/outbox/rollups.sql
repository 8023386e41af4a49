select change.seq, r.line, r.kind, r.start_us, r.name, r.end_us, r.rev, r.remark, r.estimated, r.run_us, r.internal_us,
  r.external_us, r.planned_us, r.idle_us, r.unknown_us, r.setup_us, r.overlap_us, r.order_us, r.failures
from record_change change
join rollup r on r.line = change.line and r.kind = change.name and r.start_us = change.n
where change.kind = 'rollup' and change.seq > ?1 and change.seq <= ?2
order by change.seq
