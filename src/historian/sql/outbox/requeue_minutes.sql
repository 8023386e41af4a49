-- Sends minutes since a moment again, under new numbers.
insert or replace into minute_change (line, start_us)
select line, start_us from minute where closed and start_us >= ?1 order by start_us, line
