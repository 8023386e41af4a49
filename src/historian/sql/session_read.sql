select a.name, a.printed, a.role, a.must_change, s.begun_us, s.used_us
from session s join account a on a.name = s.account
where s.token = ?1 and a.disabled_us is null
