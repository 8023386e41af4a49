select change.seq, change.line, w.seq, w.incident, w.at_us, w.author, w.word, w.text
from record_change change
join incident_work w on w.seq = change.n
where change.kind = 'incident_work' and change.seq > ?1 and change.seq <= ?2
order by change.seq
