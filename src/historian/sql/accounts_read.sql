select a.name, a.printed, a.role, a.must_change, a.disabled_us, a.locked_until_us, a.made_us, a.changed_us,
  (select count(*) from session s where s.account = a.name)
from account a
order by a.name
