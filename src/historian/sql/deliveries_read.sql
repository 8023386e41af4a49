-- The latest attempts, newest first.
select alert, turn, hook, attempt, at_us, ending, status, error
from delivery
order by at_us desc, alert desc, turn desc, hook, attempt desc
limit ?1
