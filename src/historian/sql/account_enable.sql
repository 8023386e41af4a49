update account
set disabled_us = null, wrong = 0, locked_until_us = null, again_wrong = 0, again_locked_until_us = null, changed_us = ?2
where name = ?1
