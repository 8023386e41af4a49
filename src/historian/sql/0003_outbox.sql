-- The outbox of minutes: in which order they were closed or corrected, so that a plant database can follow by number.
-- Events need none, because their `seq` is that order already. A minute that is corrected moves to the end; its old
-- number is never given again. `autoincrement` keeps the last number even when its row has gone.
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
