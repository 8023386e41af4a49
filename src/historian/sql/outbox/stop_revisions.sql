select change.seq, r.line, r.number, r.at_us, r.author, r.why, r.act, r.first, r.last
from record_change change
join stop_revision r on r.line = change.line and r.number = change.n
where change.kind = 'stop_revision' and change.seq > ?1 and change.seq <= ?2
order by change.seq
