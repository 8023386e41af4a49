-- Statistical process control: limits, judged subgroups, incidents and the work on them. Nothing here is ever changed
-- but the incident that is still growing; what turns out otherwise is a further row.

-- Limits as records. `body` is the canonical text that `sha256` was taken of, `form` the same as JSON to read back.
create table limits (
  line integer not null references line,
  characteristic text not null,
  version integer not null,
  made_us integer not null,
  author text not null,
  reason text not null,
  form text not null,
  body text not null,
  sha256 text not null,
  primary key (line, characteristic, version)
) strict;

-- What was decided about limits, once for each version: approved, rejected, or provisional when nobody proposed them.
create table limits_decision (
  line integer not null,
  characteristic text not null,
  version integer not null,
  verdict text not null,
  at_us integer not null,
  by_whom text not null,
  reason text not null,
  primary key (line, characteristic, version),
  foreign key (line, characteristic, version) references limits
) strict, without rowid;

-- A judged subgroup. `rev` grows when a minute came late or corrected and it was judged again: both rows stay.
-- `version` is that of the limits that judged, 0 without any. `stat`, `z` and `companion` are null where there is none;
-- `rules` and `companion_rules` are names separated by commas.
create table spc_point (
  line integer not null references line,
  characteristic text not null,
  start_us integer not null,
  rev integer not null,
  version integer not null,
  fitness text not null,
  rejected integer not null,
  size integer not null,
  stat real,
  z real,
  companion real,
  rules text not null,
  companion_rules text not null,
  told_us integer not null,
  primary key (line, characteristic, start_us, rev)
) strict, without rowid;

-- One row for each run of signals of a chart: something for a person to look at.
create table incident (
  id integer primary key,
  line integer not null references line,
  characteristic text not null,
  version integer not null,
  opened_us integer not null,
  last_us integer not null,
  rules text not null,
  companion_rules text not null,
  points integer not null,
  level text not null,
  is_over integer not null,
  unique (line, characteristic, opened_us)
) strict;

create index incident_time on incident (line, opened_us);

-- What people did about an incident, in order: acknowledged, cause, action, owner, note. Never changed.
create table incident_work (
  seq integer primary key,
  incident integer not null references incident,
  at_us integer not null,
  author text not null,
  word text not null,
  text text not null
) strict;

create index incident_work_of on incident_work (incident, seq);
