select change.seq, l.line, l.characteristic, l.version, l.made_us, l.author, l.reason, l.form, l.body, l.sha256
from record_change change
join limits l on l.line = change.line and l.characteristic = change.name and l.version = change.n
where change.kind = 'limits' and change.seq > ?1 and change.seq <= ?2
order by change.seq
