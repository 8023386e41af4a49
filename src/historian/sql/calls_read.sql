-- Steps of the latest calls that were opened in a span.
select step.call, step.act, step.at_us, step.by_whom, step.need, step.station, step.text
from call_step as step
where step.line = ?1 and step.call in (
  select call from call_step
  where line = ?1 and act = 'open' and at_us >= ?2 and at_us < ?3
  order by call desc limit ?4)
order by step.call, step.at_us
