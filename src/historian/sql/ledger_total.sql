-- The total of a counter, and the sum of its gaps.
select b.best, b.low, b.high, sum(e.best), sum(coalesce(e.low, e.best)), sum(coalesce(e.high, e.best))
from baseline b
left join event e
  on e.line = b.line and e.tag = b.tag and e.kind = 'count' and e.from_us is not null and e.best is not null
where b.line = ?1 and b.tag = ?2
group by b.line, b.tag
