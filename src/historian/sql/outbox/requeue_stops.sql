insert or replace into stop_change (line, number, from_us)
select line, number, from_us from stop where from_us >= ?1 order by from_us, line
