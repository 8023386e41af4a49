select at_us, did, id, product, author, start_us
from batch_entry
where line = ?1 and at_us >= ?2 and at_us < ?3
order by at_us, start_us, did
