-- What was done by hand with batches that began in [?2, ?3), oldest first.
select did, id, start_us, at_us, product, author
from batch_entry
where line = ?1 and start_us >= ?2 and start_us < ?3
order by at_us
limit ?4
