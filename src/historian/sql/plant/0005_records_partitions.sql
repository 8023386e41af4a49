-- PostgreSQL alone: judged subgroups are divided by months as minutes are. From here on `make_partitions` asks the
-- catalog which tables are divided: the next one needs no other text of it.
set local role capline_owner;

create or replace function capline.make_partitions(moments timestamptz[]) returns void
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
    for relation in
      select whole.relname from pg_partitioned_table p join pg_class whole on whole.oid = p.partrelid
      where whole.relnamespace = 'capline'::regnamespace
    loop
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

select capline.tend();
