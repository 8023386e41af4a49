select a.name, a.printed, a.role, a.must_change, a.disabled_us,
  nullif(max(coalesce(a.locked_until_us, 0), coalesce(a.again_locked_until_us, 0)), 0),
  a.made_us, a.changed_us,
  (select count(*) from session s where s.account = a.name)
from account a
order by a.name
