-- Steps of calls that nobody has closed, and of call ?2.
select step.call, step.act, step.at_us, step.by_whom, step.need, step.station, step.text
from call_step as step
where step.line = ?1 and (step.call = ?2 or not exists (
  select 1 from call_step as other
  where other.line = ?1 and other.call = step.call and other.act = 'close'))
order by step.call, step.at_us
