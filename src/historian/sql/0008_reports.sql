-- Reports that were made final, and what people said about gaps in the account. Only added to.

-- Why a gap is there. `gap` is e and the number of an event, or u and the start of a period of which something was not
-- recorded at all.
create table gap_note (
  id integer primary key,
  line integer not null references line,
  gap text not null,
  at_us integer not null,
  author text not null,
  text text not null
) strict;

create index gap_note_gap on gap_note (line, gap);

create trigger gap_note_keep before update on gap_note
begin
  select raise(abort, 'what was said about a gap is never changed');
end;

create trigger gap_note_stay before delete on gap_note
begin
  select raise(abort, 'what was said about a gap is never deleted');
end;

-- A report as it was when it was made final. `page` is its HTML, compressed with zstd.
create table report (
  number integer primary key,
  line integer not null references line,
  kind text not null,
  start_us integer not null,
  version integer not null,
  made_us integer not null,
  author text not null,
  lang text not null,
  data_sha256 text not null,
  page_sha256 text not null,
  page blob not null,
  unique (line, kind, start_us, version)
) strict;

create trigger report_keep before update on report
begin
  select raise(abort, 'a final report is never changed');
end;

create trigger report_stay before delete on report
begin
  select raise(abort, 'a final report is never deleted');
end;
