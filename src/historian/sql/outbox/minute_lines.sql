select distinct line.name from minute_change change join line on line.id = change.line
where change.seq > ?1 and change.seq <= ?2
