-- Readings of one day of UTC, a row for each minute of a line. The file stands alone: lines have their names in it.
-- `seq_lo` to `seq_hi` are the numbers that the frames had in the journal; `data` is zstd (the codec is raw/block.rs).
pragma page_size = 4096;
pragma synchronous = full;
pragma temp_store = memory;
pragma trusted_schema = off;
pragma cell_size_check = on;
create table if not exists block (
  seq integer primary key,
  line text not null,
  run integer not null,
  seq_lo integer not null,
  seq_hi integer not null,
  from_us integer not null,
  to_us integer not null,
  snapshots integer not null,
  data blob not null
) strict;
create index if not exists block_time on block (line, to_us);
