-- PostgreSQL alone: a partition a month, made before it is needed and dropped when its time has passed.
set local role capline_owner;

create table capline.minute_rest partition of capline.minute default;
create table capline.minute_count_rest partition of capline.minute_count default;
create table capline.event_rest partition of capline.event default;

-- Makes the partitions of all months from one moment to another. The box may call it and needs no right to make
-- tables. A month far from now is a wrong clock, and a month whose rows went into the rest before stays there.
create function capline.make_partitions(first timestamptz, last timestamptz) returns void
language plpgsql security definer set search_path = capline, pg_temp set timezone = 'UTC' as $$
declare
  month timestamptz := date_trunc('month', first);
  relation text;
begin
  if first < now() - interval '20 years' or last > now() + interval '1 year' then return; end if;
  perform pg_advisory_xact_lock(hashtext('capline.make_partitions'));
  while month <= last loop
    foreach relation in array array['minute', 'minute_count', 'event'] loop
      if to_regclass(format('capline.%I', relation || to_char(month, '_YYYYMM'))) is null then
        begin
          execute format('create table capline.%I partition of capline.%I for values from (%L) to (%L)',
            relation || to_char(month, '_YYYYMM'), relation, month, month + interval '1 month');
        exception when check_violation then
          raise notice '% has rows of % in its rest', relation, month;
        end;
      end if;
    end loop;
    month := month + interval '1 month';
  end loop;
end
$$;

-- Makes the partitions of the next two months and drops those that have passed their time.
create function capline.tend() returns void
language plpgsql security definer set search_path = capline, pg_temp set timezone = 'UTC' as $$
declare
  old record;
begin
  perform capline.make_partitions(now(), now() + interval '2 months');
  for old in
    select part.relname
    from capline.retention r
    join pg_inherits i on i.inhparent = to_regclass(format('capline.%I', r.relation))
    join pg_class part on part.oid = i.inhrelid
    where part.relname ~ ('^' || r.relation || '_[0-9]{6}$')
      and to_date(right(part.relname, 6), 'YYYYMM') + interval '1 month' < now() - r.keep
  loop
    execute format('drop table capline.%I', old.relname);
  end loop;
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

revoke all on function capline.make_partitions(timestamptz, timestamptz), capline.tend() from public;
grant execute on function capline.make_partitions(timestamptz, timestamptz), capline.tend() to capline_writer;
grant select on capline.hour_count, capline.hour_count_by_name to capline_reader;
select capline.tend();
