-- The outbox of what changes after it was stored. Minutes: in which order they were closed or corrected, so that a plant
-- database can follow by number. Events need none, because their `seq` is that order already. A minute that is corrected
-- moves to the end; its old number is never given again: `autoincrement` keeps the last one even when its row has gone.
create table minute_change (
  seq integer primary key autoincrement,
  line integer not null references line,
  start_us integer not null,
  unique (line, start_us)
) strict;

insert into minute_change (line, start_us) select line, start_us from minute where closed order by start_us, line;

-- Open minutes change with every tick and are not in here: one write a minute is what the flash can spare.
create trigger minute_closed after insert on minute when new.closed begin
  delete from minute_change where line = new.line and start_us = new.start_us;
  insert into minute_change (line, start_us) values (new.line, new.start_us);
end;

create trigger minute_changed after update on minute when new.closed begin
  delete from minute_change where line = new.line and start_us = new.start_us;
  insert into minute_change (line, start_us) values (new.line, new.start_us);
end;

-- The same for stops, which are sent when they begin, change and end.
create table stop_change (
  seq integer primary key autoincrement,
  line integer not null references line,
  number integer not null,
  from_us integer not null,
  unique (line, number)
) strict;

insert into stop_change (line, number, from_us) select line, number, from_us from stop order by from_us, line;

create trigger stop_began after insert on stop begin
  insert into stop_change (line, number, from_us) values (new.line, new.number, new.from_us);
end;

-- A row that is written again as it was costs no page of the log.
create trigger stop_changed after update on stop
when (new.to_us, new.cause, new.state, new.reason, new.key, new.candidates, new.flags)
  is not (old.to_us, old.cause, old.state, old.reason, old.key, old.candidates, old.flags)
begin
  delete from stop_change where line = new.line and number = new.number;
  insert into stop_change (line, number, from_us) values (new.line, new.number, new.from_us);
end;
