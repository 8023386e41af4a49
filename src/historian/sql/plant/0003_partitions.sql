-- PostgreSQL alone: a partition a month, made before it is needed and dropped when its time has passed.
set local role capline_owner;

-- Makes the partitions of the months of some moments. The box may call it and needs no right to make tables.
-- A month far from now is a wrong clock: its rows find no partition and become dead letters.
-- Attaching takes a lock that no reader feels; `create table ... partition of` would take an exclusive one.
create function capline.make_partitions(moments timestamptz[]) returns void
language plpgsql security definer set search_path = capline, pg_temp set timezone = 'UTC' as $$
declare
  month timestamptz;
  relation text;
  part text;
begin
  perform pg_advisory_xact_lock(hashtext('capline.make_partitions'));
  for month in
    select distinct date_trunc('month', moment) from unnest(moments) moment
    where moment between now() - interval '20 years' and now() + interval '1 year'
  loop
    foreach relation in array array['minute', 'minute_count', 'event'] loop
      part := relation || to_char(month, '_YYYYMM');
      if not exists (
        select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'capline' and c.relname = part
      ) then
        execute format('create table capline.%I (like capline.%I including all)', part, relation);
        execute format('alter table capline.%I attach partition capline.%I for values from (%L) to (%L)',
          relation, part, month, month + interval '1 month');
      end if;
    end loop;
  end loop;
end
$$;

-- Makes the partitions of the next two months and drops the oldest that has passed its time: one at a time, because
-- dropping locks the readers of its table out for a moment, and two such locks could block each other.
create function capline.tend() returns void
language plpgsql security definer set search_path = capline, pg_temp set timezone = 'UTC' set lock_timeout = '2s'
as $$
declare
  old text;
begin
  perform capline.make_partitions(array[now(), now() + interval '1 month', now() + interval '2 months']);
  select part.relname into old
  from capline.retention r
  join pg_class whole on whole.relname = r.relation and whole.relnamespace = 'capline'::regnamespace
  join pg_inherits i on i.inhparent = whole.oid
  join pg_class part on part.oid = i.inhrelid
  where part.relname ~ ('^' || r.relation || '_[0-9]{6}$')
    and to_date(right(part.relname, 6), 'YYYYMM') + interval '1 month' < now() - r.keep
  order by right(part.relname, 6)
  limit 1;
  if old is not null then
    execute format('drop table capline.%I', old);
  end if;
exception when lock_not_available then
  raise notice '% is in use and stays for now', old;
end
$$;

-- With TimescaleDB this is a continuous aggregate.
create view capline.hour_count as
select line_id, counter_id, date_bin('1 hour', t, timestamptz '1970-01-01 00:00:00+00') as t,
  sum(low)::bigint as low, sum(best)::bigint as best, sum(high)::bigint as high
from capline.minute_count
group by 1, 2, 3;

create view capline.hour_count_by_name as
select l.site, l.line, l.edge, c.station, c.counted, c.reason, h.t, h.low, h.best, h.high
from capline.hour_count h join capline.counter c on c.id = h.counter_id join capline.line l on l.id = h.line_id;

revoke all on function capline.make_partitions(timestamptz[]), capline.tend() from public;
grant execute on function capline.make_partitions(timestamptz[]), capline.tend() to capline_writer;
grant select on capline.hour_count, capline.hour_count_by_name to capline_reader;
select capline.tend();
