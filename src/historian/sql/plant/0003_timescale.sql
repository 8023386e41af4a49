-- TimescaleDB: hypertables, columnstore, retention, and the hours as a continuous aggregate.
-- Chunks are compressed after a week: a box that was away for longer writes into compressed chunks, which works and
-- is slower.
-- The background jobs of TimescaleDB run as the owner and need a role that may log in. It has no password.
alter role capline_owner login;
set local role capline_owner;

-- Wherever the extension was installed, its functions are found.
select set_config('search_path', quote_ident(nspname), true)
from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
where extname = 'timescaledb';

select create_hypertable('capline.minute', by_range('t', interval '7 days'), create_default_indexes => false);
select create_hypertable('capline.minute_count', by_range('t', interval '7 days'), create_default_indexes => false);
select create_hypertable('capline.event', by_range('t', interval '30 days'), create_default_indexes => false);

alter table capline.minute
  set (timescaledb.compress, timescaledb.compress_segmentby = 'line_id', timescaledb.compress_orderby = 't');
alter table capline.minute_count
  set (timescaledb.compress, timescaledb.compress_segmentby = 'counter_id', timescaledb.compress_orderby = 't');
alter table capline.event
  set (timescaledb.compress, timescaledb.compress_segmentby = 'line_id', timescaledb.compress_orderby = 't');

select add_compression_policy('capline.minute', interval '7 days');
select add_compression_policy('capline.minute_count', interval '7 days');
select add_compression_policy('capline.event', interval '30 days');

-- Events are kept for good. Retention must stay longer than the window that the aggregate is refreshed over, or
-- the hours of dropped minutes would be emptied.
select add_retention_policy('capline.minute', interval '10 years');
select add_retention_policy('capline.minute_count', interval '10 years');

create materialized view capline.hour_count
with (timescaledb.continuous, timescaledb.materialized_only = false) as
select line_id, counter_id, time_bucket(interval '1 hour', t) as t,
  sum(low)::bigint as low, sum(best)::bigint as best, sum(high)::bigint as high
from capline.minute_count
group by 1, 2, 3
with no data;

select add_continuous_aggregate_policy('capline.hour_count',
  start_offset => interval '14 days', end_offset => interval '1 hour', schedule_interval => interval '15 minutes');

create view capline.hour_count_by_name as
select l.site, l.line, l.edge, c.station, c.counted, c.reason, h.t, h.low, h.best, h.high
from capline.hour_count h join capline.counter c on c.id = h.counter_id join capline.line l on l.id = h.line_id;

-- Chunks and policies do this by themselves; the box calls them with and without TimescaleDB.
create function capline.make_partitions(moments timestamptz[]) returns void language sql as '';
create function capline.tend() returns void language sql as '';

revoke all on function capline.make_partitions(timestamptz[]), capline.tend() from public;
grant execute on function capline.make_partitions(timestamptz[]), capline.tend() to capline_writer;
grant select on capline.hour_count, capline.hour_count_by_name to capline_reader;
