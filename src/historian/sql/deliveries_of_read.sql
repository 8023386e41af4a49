-- All attempts of one alert.
select alert, turn, hook, attempt, at_us, ending, status, error
from delivery
where alert = ?1
order by at_us, turn, hook, attempt
