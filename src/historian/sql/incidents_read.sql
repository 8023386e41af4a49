select id, characteristic, version, opened_us, last_us, rules, companion_rules, points, level, is_over
from incident
where line = ?1 and (opened_us >= ?2 and opened_us < ?3 or is_over = 0)
order by opened_us desc, id desc
limit ?4
