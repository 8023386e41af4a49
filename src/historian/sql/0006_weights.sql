-- What was weighed in a minute, absolute like its counts: one row for each bore that was told (from 1), and one with bore
-- 0 for what had none, which also says what is missing. Sums in micrograms and square micrograms, so that minutes add up
-- exactly to what a subgroup weighed at once would give.
create table minute_weight (
  line integer not null references line,
  start_us integer not null,
  station text not null,
  series text not null,
  bore integer not null,
  n integer not null,
  sum_ug integer not null,
  squares integer not null,
  records integer not null,
  missed integer not null,
  refused integer not null,
  unheard integer not null,
  primary key (line, start_us, station, series, bore)
) strict, without rowid;

-- The last number taken of each series of records: written in the same transaction as the minute that holds it.
create table weighing (
  line integer not null references line,
  station text not null,
  series text not null,
  sequence integer not null,
  primary key (line, station, series)
) strict, without rowid;
