select start_us, rev, closed, data
from second_block
where line = ?1 and start_us >= ?2 and start_us < ?3
order by start_us
limit ?4
