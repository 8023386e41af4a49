-- All of them: they are few, and which are new is for the plant database to tell.
select line.name, station, counted, reason
from counter join line on line.id = counter.line
where ?1 < ?2
