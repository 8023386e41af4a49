select change.seq, i.line, i.id, i.opened_us, i.characteristic, i.version, i.last_us, i.rules, i.companion_rules,
  i.points, i.level, i.is_over
from record_change change
join incident i on i.id = change.n
where change.kind = 'incident' and change.seq > ?1 and change.seq <= ?2
order by change.seq
