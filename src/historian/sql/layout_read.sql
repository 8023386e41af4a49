-- The layout of the run that stored the first frame since ?2, or of the latest run if there is none.
select devices
from layout
where line = ?1 and run <= coalesce(
  (select run from frame where line = ?1 and to_us >= ?2 order by to_us limit 1),
  (select max(id) from run)
)
order by run desc
limit 1
