select name, printed, role, must_change, password, wrong, locked_until_us, disabled_us
from account
where name = ?1
