select change.seq, d.line, d.characteristic, d.version, d.verdict, d.at_us, d.by_whom, d.reason
from record_change change
join limits_decision d on d.line = change.line and d.characteristic = change.name and d.version = change.n
where change.kind = 'limits_decision' and change.seq > ?1 and change.seq <= ?2
order by change.seq
