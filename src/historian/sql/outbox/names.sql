-- All counters of all lines; a line without any has one row. They are few, and which are new is for the plant database
-- to tell.
select line.id, line.name, counter.id, station, counted, reason
from line left join counter on counter.line = line.id
