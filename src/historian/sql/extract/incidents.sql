select opened_us, id, characteristic, version, last_us, rules, companion_rules, points, level, is_over
from incident
where line = ?1 and opened_us < ?3 and last_us >= ?2
order by opened_us, id
