select name, printed, role, must_change, password, wrong, locked_until_us, disabled_us,
  again_wrong, again_locked_until_us
from account
where name = ?1
