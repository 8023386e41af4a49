select start_us, rev, version, fitness, rejected, size, stat, z, rules, companion_rules, told_us
from spc_point
where line = ?1 and characteristic = ?2 and start_us >= ?3 and start_us < ?4
order by start_us, rev
