-- The next revision, unless the last one says the same: a chart that starts afresh tells again what it told.
insert into spc_point (line, characteristic, start_us, rev, version, fitness, rejected, size, stat, z, companion,
                       rules, companion_rules, told_us)
select ?1, ?2, ?3,
  coalesce((select max(rev) + 1 from spc_point where line = ?1 and characteristic = ?2 and start_us = ?3), 0),
  ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
where (?4, ?5, ?6, ?7, ?8, ?9, ?11, ?12) is not (
  select version, fitness, rejected, size, stat, z, rules, companion_rules
  from spc_point
  where line = ?1 and characteristic = ?2 and start_us = ?3
  order by rev desc
  limit 1
)
