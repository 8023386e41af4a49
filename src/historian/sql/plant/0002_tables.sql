-- The tables of the plant, the same with and without TimescaleDB. Without it the comments `partition by` below are
-- opened, with it 0003_timescale.sql makes hypertables of these tables.
--
-- Times are UTC instants. A count is `best` with the bounds `low` and `high` of the truth; the three are equal where
-- the count is exact.
set local role capline_owner;

-- A line as one box tells of it. Many boxes of many sites share a database.
create table capline.line (
  id integer generated always as identity primary key,
  site text not null,
  line text not null,
  edge text not null,
  unique (edge, site, line)
);

-- What is counted where on a line.
create table capline.counter (
  id integer generated always as identity primary key,
  line_id integer not null references capline.line,
  station text not null,
  counted text not null,
  reason text not null,
  unique (line_id, station, counted, reason)
);

-- A minute of a line. While it is open its figures grow; a closed one changes only by a higher `rev`.
create table capline.minute (
  line_id integer not null,
  t timestamptz not null,
  rev integer not null,
  closed boolean not null,
  run_us bigint not null,
  internal_us bigint not null,
  external_us bigint not null,
  planned_us bigint not null,
  idle_us bigint not null,
  unknown_us bigint not null,
  polls bigint not null,
  missed bigint not null,
  primary key (line_id, t)
) /* partition by range (t) */;

create table capline.minute_count (
  line_id integer not null,
  counter_id integer not null,
  t timestamptz not null,
  low bigint not null,
  best bigint not null,
  high bigint not null,
  primary key (counter_id, t)
) /* partition by range (t) */;

-- What happened. Nothing but the box's watermark keeps an event from being here twice: a unique key would keep
-- TimescaleDB from compressing on arrival, and is the part that fails on compressed chunks (timescaledb#7672).
create table capline.event (
  line_id integer not null,
  seq bigint not null,
  t timestamptz not null,
  from_t timestamptz,
  kind text not null,
  station text,
  tag text,
  word text not null,
  low bigint,
  best bigint,
  high bigint,
  detail text not null
) /* partition by range (t) */;

create index event_time on capline.event (line_id, t);

-- Times in which a line did not run, one row for each cause; `to_t` and `lasted_us` are null while it lasts. They are
-- few: no partitions, kept for good.
create table capline.stop (
  line_id integer not null,
  number bigint not null,
  t timestamptz not null,
  to_t timestamptz,
  lasted_us bigint,
  cause text not null,
  state text not null,
  reason bigint,
  key text,
  candidates text,
  flags bigint not null,
  primary key (line_id, number)
);

create index stop_time on capline.stop (line_id, t);

-- How far each stream of a box has come. `journal` is the identity of its journal, `session` the connection that may
-- write now, `mark` the time of the row at `last_seq` in microseconds: a box that was restored from a copy may reach
-- the same number again, but not with the same row.
create table capline.edge_stream (
  edge text not null,
  stream text not null,
  journal uuid not null,
  session uuid not null,
  last_seq bigint not null,
  mark bigint,
  updated_at timestamptz not null default now(),
  primary key (edge, stream)
);

-- What a stream has left behind to show the present at once: the numbers after `last_seq` up to `upto_seq`.
create table capline.edge_backlog (
  edge text not null,
  stream text not null,
  upto_seq bigint not null,
  last_seq bigint not null,
  primary key (edge, stream, upto_seq),
  foreign key (edge, stream) references capline.edge_stream
);

-- Rows that this database refused, with its reason. `row` is JSON.
create table capline.dead_letter (
  edge text not null,
  stream text not null,
  journal uuid not null,
  seq bigint not null,
  error text not null,
  row text not null,
  at timestamptz not null default now(),
  primary key (edge, stream, journal, seq)
);

-- How long rows are kept; null is for good.
create table capline.retention (
  relation text primary key,
  keep interval
);

insert into capline.retention (relation, keep)
values ('minute', '10 years'), ('minute_count', '10 years'), ('event', null);

-- The same with names, for people and dashboards.
create view capline.minute_by_name as
select l.site, l.line, l.edge, m.t, m.rev, m.closed, m.run_us, m.internal_us, m.external_us, m.planned_us, m.idle_us,
  m.unknown_us, m.polls, m.missed
from capline.minute m join capline.line l on l.id = m.line_id;

create view capline.minute_count_by_name as
select l.site, l.line, l.edge, c.station, c.counted, c.reason, m.t, m.low, m.best, m.high
from capline.minute_count m join capline.counter c on c.id = m.counter_id join capline.line l on l.id = m.line_id;

create view capline.event_by_name as
select l.site, l.line, l.edge, e.seq, e.t, e.from_t, e.kind, e.station, e.tag, e.word, e.low, e.best, e.high, e.detail
from capline.event e join capline.line l on l.id = e.line_id;

create view capline.stop_by_name as
select l.site, l.line, l.edge, s.number, s.t, s.to_t, s.lasted_us, s.cause, s.state, s.reason, s.key, s.candidates,
  s.flags
from capline.stop s join capline.line l on l.id = s.line_id;

grant select, insert on capline.line, capline.counter, capline.event, capline.dead_letter to capline_writer;
grant select, insert, update on capline.minute, capline.minute_count, capline.stop, capline.edge_stream to capline_writer;
grant select, insert, update, delete on capline.edge_backlog to capline_writer;
grant select on capline.retention, capline.migration to capline_writer;
grant select on all tables in schema capline to capline_reader;
