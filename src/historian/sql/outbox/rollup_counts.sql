-- Counts of a period are a list in one text: [counter, best, low, high, gap best, gap low, gap high].
select r.line, r.kind, r.start_us, n.value ->> 0, n.value ->> 2, n.value ->> 1, n.value ->> 3, n.value ->> 5,
  n.value ->> 4, n.value ->> 6
from record_change change
join rollup r on r.line = change.line and r.kind = change.name and r.start_us = change.n
join json_each(r.counts) n
where change.kind = 'rollup' and change.seq > ?1 and change.seq <= ?2
order by change.seq
