select change.seq, e.line, e.start_us, e.did, e.at_us, e.id, e.product, e.author
from record_change change
join batch_entry e on e.line = change.line and e.start_us = change.n and e.did = change.name
where change.kind = 'batch_entry' and change.seq > ?1 and change.seq <= ?2
order by change.seq
