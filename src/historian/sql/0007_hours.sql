-- Closed minutes once more, an hour in one blob (the codec is frame/hour.rs): a month of minutes with their counts is
-- half a million rows, and 744 of these. Only a copy: a minute that is written again takes its hour away, and until the
-- hour is packed again readers take the rows.
create table minute_hour (
  line integer not null references line,
  hour_us integer not null,
  data blob not null,
  primary key (line, hour_us)
) strict, without rowid;

create trigger hour_minute_added after insert on minute begin
  delete from minute_hour where line = new.line and hour_us = new.start_us / 3600000000 * 3600000000;
end;

create trigger hour_minute_changed after update on minute begin
  delete from minute_hour where line = old.line and hour_us = old.start_us / 3600000000 * 3600000000;
  delete from minute_hour where line = new.line and hour_us = new.start_us / 3600000000 * 3600000000;
end;

create trigger hour_minute_removed after delete on minute begin
  delete from minute_hour where line = old.line and hour_us = old.start_us / 3600000000 * 3600000000;
end;

create trigger hour_count_added after insert on minute_count begin
  delete from minute_hour where line = new.line and hour_us = new.start_us / 3600000000 * 3600000000;
end;

create trigger hour_count_changed after update on minute_count begin
  delete from minute_hour where line = old.line and hour_us = old.start_us / 3600000000 * 3600000000;
  delete from minute_hour where line = new.line and hour_us = new.start_us / 3600000000 * 3600000000;
end;

create trigger hour_count_removed after delete on minute_count begin
  delete from minute_hour where line = old.line and hour_us = old.start_us / 3600000000 * 3600000000;
end;
