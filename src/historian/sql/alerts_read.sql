-- Alerts that are open, or that opened or closed since ?1.
select number, alert.id, rule, subject, line.name, since_us, opened_us, detail, hooks, closed_us
from alert left join line on line.id = alert.line
where closed_us is null or opened_us >= ?1 or closed_us >= ?1
order by number
