-- Absolute values, as in minute_write.sql.
insert into rollup (line, kind, start_us, name, end_us, rev, closed, remark, estimated, run_us, internal_us, external_us,
                    planned_us, idle_us, unknown_us, setup_us, overlap_us, order_us, failures, counts)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
on conflict (line, kind, start_us) do update set
  name = excluded.name, end_us = excluded.end_us, rev = excluded.rev, closed = excluded.closed,
  remark = excluded.remark, estimated = excluded.estimated, run_us = excluded.run_us,
  internal_us = excluded.internal_us, external_us = excluded.external_us, planned_us = excluded.planned_us,
  idle_us = excluded.idle_us, unknown_us = excluded.unknown_us, setup_us = excluded.setup_us,
  overlap_us = excluded.overlap_us, order_us = excluded.order_us, failures = excluded.failures,
  counts = excluded.counts
where excluded.rev >= rollup.rev
