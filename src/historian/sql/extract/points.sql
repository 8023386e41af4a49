select start_us, characteristic, rev, version, fitness, rejected, size, stat, z, companion, rules, companion_rules, told_us
from spc_point
where line = ?1 and start_us >= ?2 and start_us < ?3
order by characteristic, start_us, rev
