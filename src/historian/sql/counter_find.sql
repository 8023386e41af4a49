select id from counter
where line = ?1 and station = ?2 and counted = ?3 and reason = ?4
