-- The layout of run ?2: the last one that was said by then.
select devices
from layout
where line = ?1 and run <= ?2
order by run desc
limit 1
