-- An incident grows while it lasts. The limits that judged it first are kept.
insert into incident (line, characteristic, version, opened_us, last_us, rules, companion_rules, points, level, is_over)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
on conflict (line, characteristic, opened_us) do update set
  last_us = excluded.last_us, rules = excluded.rules, companion_rules = excluded.companion_rules,
  points = excluded.points, level = excluded.level, is_over = excluded.is_over
