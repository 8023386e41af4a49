select distinct line.name from event join line on line.id = event.line
where event.seq > ?1 and event.seq <= ?2
