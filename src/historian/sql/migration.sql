-- Which steps of the schema a journal has. The checksum tells a step that was edited afterwards.
create table if not exists migration (
  step integer primary key,
  sha256 text not null
) strict;
