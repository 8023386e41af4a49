select name, printed, role, password, wrong, locked_until_us, disabled_us
from account
where name = ?1
