-- TimescaleDB: judged subgroups as a hypertable.
set local role capline_owner;

select set_config('search_path', quote_ident(nspname), true)
from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
where extname = 'timescaledb';

select create_hypertable('capline.spc_point', by_range('t', interval '30 days'), create_default_indexes => false);
alter table capline.spc_point
  set (timescaledb.compress, timescaledb.compress_segmentby = 'line_id, characteristic',
    timescaledb.compress_orderby = 't, rev');
select add_compression_policy('capline.spc_point', interval '30 days');
