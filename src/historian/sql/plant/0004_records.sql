-- What people and charts said, periods that are over, final reports; and what was superseded when a restored box took the
-- place of the one it was copied from.
--
-- `change` is the number, in its stream, of the change that wrote a row last; null in rows of earlier versions and in
-- minutes that are open.
set local role capline_owner;

alter table capline.minute add column change bigint;
alter table capline.stop add column change bigint;

-- What people said about stops. `act` is what they decided: assign a cause, split, merge.
create table capline.stop_revision (
  line_id integer not null,
  number bigint not null,
  t timestamptz not null,
  author text not null,
  why text not null,
  act jsonb not null,
  first bigint not null,
  last bigint not null,
  change bigint not null,
  primary key (line_id, number)
);

-- Batches that people opened and closed by hand; `start_t` is the start of the batch in capline.rollup.
create table capline.batch_entry (
  line_id integer not null,
  start_t timestamptz not null,
  did text not null,
  t timestamptz not null,
  batch text not null,
  product text not null,
  author text not null,
  change bigint not null,
  primary key (line_id, start_t, did)
);

-- Hours, shifts and batches that are over.
create table capline.rollup (
  line_id integer not null,
  kind text not null,
  t timestamptz not null,
  name text not null,
  to_t timestamptz,
  rev integer not null,
  remark text,
  estimated boolean not null,
  run_us bigint not null,
  internal_us bigint not null,
  external_us bigint not null,
  planned_us bigint not null,
  idle_us bigint not null,
  unknown_us bigint not null,
  setup_us bigint not null,
  overlap_us bigint not null,
  order_us bigint not null,
  failures bigint not null,
  change bigint not null,
  primary key (line_id, kind, t)
);

-- What was counted in them; the part that is known only of gaps has columns of its own.
create table capline.rollup_count (
  line_id integer not null,
  counter_id integer not null,
  kind text not null,
  t timestamptz not null,
  low bigint not null,
  best bigint not null,
  high bigint not null,
  gap_low bigint not null,
  gap_best bigint not null,
  gap_high bigint not null,
  primary key (line_id, kind, t, counter_id)
);

-- Control limits as records: `sha256` is that of `body`, `form` the same as JSON.
create table capline.limits (
  line_id integer not null,
  characteristic text not null,
  version integer not null,
  t timestamptz not null,
  author text not null,
  reason text not null,
  form jsonb not null,
  body text not null,
  sha256 text not null,
  change bigint not null,
  primary key (line_id, characteristic, version)
);

create table capline.limits_decision (
  line_id integer not null,
  characteristic text not null,
  version integer not null,
  verdict text not null,
  t timestamptz not null,
  author text not null,
  reason text not null,
  change bigint not null,
  primary key (line_id, characteristic, version)
);

-- Judged subgroups, of counts and of weights; `t` is the start of the subgroup. A correction is a further `rev`.
create table capline.spc_point (
  line_id integer not null,
  characteristic text not null,
  t timestamptz not null,
  rev integer not null,
  version integer not null,
  fitness text not null,
  rejected bigint not null,
  size bigint not null,
  stat double precision,
  z double precision,
  companion double precision,
  rules text not null,
  companion_rules text not null,
  told_t timestamptz not null,
  change bigint not null,
  primary key (line_id, characteristic, t, rev)
) /* partition by range (t) */;

create table capline.incident (
  line_id integer not null,
  number bigint not null,
  t timestamptz not null,
  characteristic text not null,
  version integer not null,
  last_t timestamptz not null,
  rules text not null,
  companion_rules text not null,
  points integer not null,
  level text not null,
  is_over boolean not null,
  change bigint not null,
  primary key (line_id, number)
);

-- What people did about an incident.
create table capline.incident_work (
  line_id integer not null,
  number bigint not null,
  incident bigint not null,
  t timestamptz not null,
  author text not null,
  word text not null,
  text text not null,
  change bigint not null,
  primary key (line_id, number)
);

-- What people said about gaps in the account: `gap` is e and the number of an event, or u and the start of a period, in
-- microseconds since 1970, of which something was not recorded at all.
create table capline.gap_note (
  line_id integer not null,
  number bigint not null,
  gap text not null,
  t timestamptz not null,
  author text not null,
  text text not null,
  change bigint not null,
  primary key (line_id, number)
);

-- Reports as they were when they were made final. `page` is the HTML itself: `encode(sha256(page), 'hex')` must be
-- `page_sha256`.
create table capline.report (
  line_id integer not null,
  number bigint not null,
  kind text not null,
  start_t timestamptz not null,
  version integer not null,
  t timestamptz not null,
  author text not null,
  lang text not null,
  data_sha256 text not null,
  page_sha256 text not null,
  page bytea not null,
  change bigint not null,
  primary key (line_id, number)
);

insert into capline.retention (relation, keep) values ('spc_point', null);

-- Rows that a box sent which is gone, from the time after the backup that took its place: the restored box counts that
-- time as a gap, and both together would be too much. `journal` is the identity of the one that sent them.
create table capline.superseded (
  id bigint generated always as identity primary key,
  edge text not null,
  relation text not null,
  journal uuid not null,
  at timestamptz not null default now(),
  row jsonb not null
);

create index superseded_of on capline.superseded (edge, relation);

-- Moves the rows of a box out of a stream's tables that were written by changes after `from_seq`, and returns the earliest
-- time among them in microseconds since 1970: what the restored journal holds since then it sends again. Rows that
-- tell no change are those after `mark_us`, the time of the change `from_seq`. Part of the transaction in which a
-- restored box is adopted.
create function capline.supersede(of_edge text, of_stream text, from_seq bigint, mark_us bigint) returns bigint
language plpgsql security definer set search_path = capline, pg_temp as $$
declare
  theirs uuid;
  mark timestamptz := to_timestamp(mark_us / 1000000.0);
  since timestamptz;
  earliest timestamptz;
  relation text;
  condition text;
begin
  perform set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
  select journal into theirs from edge_stream where edge = of_edge and stream = of_stream;
  foreach relation in array case of_stream
    when 'event' then array['event']
    when 'stop' then array['stop']
    when 'minute' then array['minute']
    when 'record' then array['stop_revision', 'batch_entry', 'rollup', 'limits', 'limits_decision', 'spc_point',
      'incident', 'incident_work', 'gap_note', 'report']
    else array[]::text[] end
  loop
    condition := case relation
      when 'event' then 'x.seq > $2'
      when 'minute' then '(x.change > $2 or not x.closed or (x.change is null and x.t > $3))'
      when 'stop' then '(x.change > $2 or (x.change is null and x.t > $3))'
      else 'x.change > $2' end;
    -- The time first: it keeps the deletion away from old partitions and compressed chunks.
    execute format(
      'select min(x.t) from %1$I x where x.line_id in (select id from line where edge = $1) and %2$s',
      relation, condition)
    into since using of_edge, from_seq, mark;
    if since is null then continue; end if;
    earliest := least(earliest, since);
    if relation in ('minute', 'rollup') then
      execute format(
        'with gone as (
           delete from %1$I c using %2$I x
           where x.line_id in (select id from line where edge = $1) and x.t >= $4 and %3$s
             and c.line_id = x.line_id and c.t = x.t and c.t >= $4 %4$s
           returning c.*
         )
         insert into superseded (edge, relation, journal, row) select $1, %1$L, $5, to_jsonb(gone) from gone',
        relation || '_count', relation, condition,
        case relation when 'rollup' then 'and c.kind = x.kind' else '' end)
      using of_edge, from_seq, mark, since, theirs;
    end if;
    execute format(
      'with gone as (
         delete from %1$I x
         where x.line_id in (select id from line where edge = $1) and x.t >= $4 and %2$s
         returning x.*
       )
       insert into superseded (edge, relation, journal, row) select $1, %1$L, $5, to_jsonb(gone) from gone',
      relation, condition)
    using of_edge, from_seq, mark, since, theirs;
  end loop;
  return (extract(epoch from earliest) * 1000000)::bigint;
end
$$;

-- The same with names, for people and dashboards.
create view capline.stop_revision_by_name as
select l.site, l.line, l.edge, r.number, r.t, r.author, r.why, r.act, r.first, r.last
from capline.stop_revision r join capline.line l on l.id = r.line_id;

create view capline.batch_entry_by_name as
select l.site, l.line, l.edge, e.start_t, e.did, e.t, e.batch, e.product, e.author
from capline.batch_entry e join capline.line l on l.id = e.line_id;

create view capline.rollup_by_name as
select l.site, l.line, l.edge, r.kind, r.t, r.to_t, r.name, r.rev, r.remark, r.estimated, r.run_us, r.internal_us,
  r.external_us, r.planned_us, r.idle_us, r.unknown_us, r.setup_us, r.overlap_us, r.order_us, r.failures
from capline.rollup r join capline.line l on l.id = r.line_id;

create view capline.rollup_count_by_name as
select l.site, l.line, l.edge, n.kind, n.t, c.station, c.counted, c.reason, n.low, n.best, n.high, n.gap_low,
  n.gap_best, n.gap_high
from capline.rollup_count n
join capline.counter c on c.id = n.counter_id
join capline.line l on l.id = n.line_id;

-- With the latest word on them.
create view capline.limits_by_name as
select l.site, l.line, l.edge, x.characteristic, x.version, x.t, x.author, x.reason, x.form ->> 'chart' as chart,
  (x.form ->> 'center')::double precision as center, (x.form ->> 'sigma')::double precision as sigma,
  (x.form ->> 'sigma_z')::double precision as sigma_z,
  (x.form ->> 'sigma_within')::double precision as sigma_within, x.form ->> 'rules' as rules, x.body, x.sha256,
  d.verdict, d.t as decided_t, d.author as decided_by, d.reason as decided_why
from capline.limits x
join capline.line l on l.id = x.line_id
left join capline.limits_decision d
  on d.line_id = x.line_id and d.characteristic = x.characteristic and d.version = x.version;

create view capline.spc_point_by_name as
select l.site, l.line, l.edge, p.characteristic, p.t, p.rev, p.version, p.fitness, p.rejected, p.size, p.stat, p.z,
  p.companion, p.rules, p.companion_rules, p.told_t
from capline.spc_point p join capline.line l on l.id = p.line_id;

create view capline.incident_by_name as
select l.site, l.line, l.edge, i.number, i.t, i.last_t, i.characteristic, i.version, i.rules, i.companion_rules,
  i.points, i.level, i.is_over
from capline.incident i join capline.line l on l.id = i.line_id;

create view capline.incident_work_by_name as
select l.site, l.line, l.edge, w.incident, w.number, w.t, w.author, w.word, w.text
from capline.incident_work w join capline.line l on l.id = w.line_id;

create view capline.gap_note_by_name as
select l.site, l.line, l.edge, g.number, g.gap, g.t, g.author, g.text
from capline.gap_note g join capline.line l on l.id = g.line_id;

create view capline.report_by_name as
select l.site, l.line, l.edge, r.number, r.kind, r.start_t, r.version, r.t, r.author, r.lang, r.data_sha256,
  r.page_sha256, r.page
from capline.report r join capline.line l on l.id = r.line_id;

revoke all on function capline.supersede(text, text, bigint, bigint) from public;
grant execute on function capline.supersede(text, text, bigint, bigint) to capline_writer;
grant select, insert, update on capline.rollup, capline.rollup_count, capline.incident to capline_writer;
-- What was said is never changed; only which change brought it is told again.
grant select, insert, update (change) on capline.stop_revision, capline.batch_entry, capline.limits,
  capline.limits_decision, capline.spc_point, capline.incident_work, capline.gap_note, capline.report
  to capline_writer;
grant select on all tables in schema capline to capline_reader;
