select distinct line.name from stop_change change join line on line.id = change.line
where change.seq > ?1 and change.seq <= ?2
