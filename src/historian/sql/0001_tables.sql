-- The journal of one box. All times are UTC microseconds since 1970 in columns that end in `_us`;
-- `mono_us` is the boot clock, which may only be compared with readings of the same boot (see run.boot).
--
-- A count is written as `best` with the bounds `low` and `high` of the truth. Both bounds are null where the
-- count is exact, which is nearly always: a null costs no byte, and minute_count is the table that grows.
-- Counts above 2^63 wrap into the negative; no line gets there.

-- Who this journal is. `uuid` tells a receiver a restored or cloned box from the one it knew.
create table meta (
  key text primary key,
  value text not null
) strict, without rowid;

-- Small texts that other parts of the service keep from run to run.
create table setting (
  key text primary key,
  value text not null
) strict, without rowid;

-- One row for each start of the service.
create table run (
  id integer primary key,
  boot text not null,
  version text not null,
  started_us integer not null,
  started_mono_us integer not null
) strict;

-- A line and how far it was stored. `tick_seq` is the number of its last tick: a tick is taken once, in order.
-- `best`, `low` and `high` are its output since the journal began; its time is booked up to `booked_us`.
create table line (
  id integer primary key,
  name text not null unique,
  tick_seq integer not null default 0,
  run integer references run,
  at_us integer,
  mono_us integer,
  booked_us integer,
  booked_mono_us integer,
  best integer not null default 0,
  low integer,
  high integer
) strict;

-- The original record: snapshots as they were read, many in one blob (the codec is frame.rs).
-- A row for each sample would write ten times as many bytes to the flash.
create table frame (
  seq integer primary key,
  line integer not null references line,
  run integer not null references run,
  from_us integer not null,
  to_us integer not null,
  snapshots integer not null,
  data blob not null
) strict;

create index frame_time on frame (line, to_us);

-- What the positions in snapshots mean, from this run on until a later one says otherwise: a JSON list of
-- {"station", "tags"}, one for each device. Without it the original record could not be read once a map has changed.
create table layout (
  line integer not null references line,
  run integer not null references run,
  devices text not null,
  primary key (line, run)
) strict, without rowid;

-- What the ledger goes on from, one row for each counter of the line. `detail` is JSON and holds what only the
-- ledger understands; the columns are what a person would ask for.
create table baseline (
  line integer not null references line,
  tag text not null,
  run integer not null references run,
  raw integer not null,
  best integer not null,
  low integer,
  high integer,
  at_us integer not null,
  mono_us integer not null,
  detail text not null,
  primary key (line, tag)
) strict, without rowid;

-- The state of each machine, to go on from.
create table station_state (
  line integer not null references line,
  station text not null,
  place integer not null,
  state text not null,
  raw integer,
  since_us integer not null,
  primary key (line, station)
) strict, without rowid;

-- Minutes as absolute values: writing one twice changes nothing. `rev` grows when a stored minute changes.
create table minute (
  line integer not null references line,
  start_us integer not null,
  rev integer not null,
  closed integer not null,
  run_us integer not null,
  internal_us integer not null,
  external_us integer not null,
  planned_us integer not null,
  idle_us integer not null,
  unknown_us integer not null,
  polls integer not null,
  missed integer not null,
  primary key (line, start_us)
) strict, without rowid;

-- What is counted where, in the order in which it was first seen. Its id keeps three texts out of every row of
-- minute_count: 19 bytes a row instead of 45.
create table counter (
  id integer primary key,
  line integer not null references line,
  station text not null,
  counted text not null,
  reason text not null,
  unique (line, station, counted, reason)
) strict;

create table minute_count (
  line integer not null references line,
  start_us integer not null,
  counter integer not null references counter,
  best integer not null,
  low integer,
  high integer,
  primary key (line, start_us, counter)
) strict, without rowid;

-- What happened. Never pruned; `seq` is the order in which it became known and is never given twice.
create table event (
  seq integer primary key,
  line integer not null references line,
  at_us integer not null,
  from_us integer,
  kind text not null,
  station text,
  tag text,
  word text not null,
  best integer,
  low integer,
  high integer,
  detail text not null
) strict;

create index event_time on event (line, at_us);

-- Times in which the line did not run, one row for each cause, as recorded. A row changes only until its stop has ended;
-- what people say about it later is in stop_revision. `to_us` is null while it lasts. Both boot times of a row are of
-- one boot, so that their difference is the duration whatever the wall clock did. `key` is the machine that it comes
-- from, `candidates` a JSON list of machines where that is undecided.
create table stop (
  line integer not null references line,
  number integer not null,
  from_us integer not null,
  from_mono_us integer not null,
  to_us integer,
  to_mono_us integer,
  cause text not null,
  state text not null,
  reason integer,
  key text,
  candidates text,
  flags integer not null,
  primary key (line, number)
) strict, without rowid;

create index stop_time on stop (line, from_us);

-- What people said about stops, in order. Only added to. `act` is JSON; `first` and `last` are the numbers of the
-- stops it touches.
create table stop_revision (
  line integer not null references line,
  number integer not null,
  at_us integer not null,
  author text not null,
  why text not null,
  act text not null,
  first integer not null,
  last integer not null,
  primary key (line, number)
) strict, without rowid;

create trigger stop_revision_keep before update on stop_revision
begin
  select raise(abort, 'a revision is never changed');
end;

create trigger stop_revision_stay before delete on stop_revision
begin
  select raise(abort, 'a revision is never deleted');
end;

-- Hours, shifts and batches as absolute values. `counts` is a JSON list of [counter, best, low, high, gap best, gap low,
-- gap high]: one row that changes with every tick costs a page of the log, twenty would cost twenty.
create table rollup (
  line integer not null references line,
  kind text not null,
  start_us integer not null,
  name text not null,
  end_us integer,
  rev integer not null,
  closed integer not null,
  remark text,
  estimated integer not null,
  run_us integer not null,
  internal_us integer not null,
  external_us integer not null,
  planned_us integer not null,
  idle_us integer not null,
  unknown_us integer not null,
  setup_us integer not null,
  overlap_us integer not null,
  order_us integer not null,
  failures integer not null,
  counts text not null,
  primary key (line, kind, start_us)
) strict, without rowid;

create index rollup_open on rollup (line) where closed = 0;
