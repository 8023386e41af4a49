select devices from layout where line = ?1 order by run desc limit 1
