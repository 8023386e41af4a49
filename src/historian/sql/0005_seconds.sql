-- The seconds of a minute in one blob, absolute like the minute itself (the codec is record/second.rs). One row a minute
-- and not one a second: a row that grows while its minute lasts costs one page of the log with each tick, and when the
-- minute is over it is a sixtieth of the keys. Kept for some days only.
create table second_block (
  id integer primary key,
  line integer not null references line,
  start_us integer not null,
  rev integer not null,
  closed integer not null,
  data blob not null,
  unique (line, start_us)
) strict;
