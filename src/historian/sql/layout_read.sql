-- The layout of the run that stored the first readings since ?2, or of the latest run if there are none. ?3 is that run
-- where they lie in the file of a day, else null.
select devices
from layout
where line = ?1 and run <= coalesce(
  ?3,
  (select run from frame where line = ?1 and to_us >= ?2 order by to_us limit 1),
  (select max(id) from run)
)
order by run desc
limit 1
