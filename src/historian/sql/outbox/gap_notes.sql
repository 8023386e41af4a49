select change.seq, g.line, g.id, g.gap, g.at_us, g.author, g.text
from record_change change
join gap_note g on g.id = change.n
where change.kind = 'gap_note' and change.seq > ?1 and change.seq <= ?2
order by change.seq
