select change.seq, p.line, p.characteristic, p.start_us, p.rev, p.version, p.fitness, p.rejected, p.size, p.stat, p.z,
  p.companion, p.rules, p.companion_rules, p.told_us
from record_change change
join spc_point p
  on p.line = change.line and p.characteristic = change.name and p.start_us = change.n and p.rev = change.m
where change.kind = 'spc_point' and change.seq > ?1 and change.seq <= ?2
order by change.seq
