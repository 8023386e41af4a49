-- The seconds of minutes that had not ended: of the last ones, since minutes close in order.
select start_us, rev, closed, data
from second_block
where line = ?1 and start_us >= ?2 and closed = 0
order by start_us
