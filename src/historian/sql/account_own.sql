update account
set password = ?2, must_change = 0, wrong = 0, locked_until_us = null,
  again_wrong = 0, again_locked_until_us = null, changed_us = ?4
where name = ?1 and password = ?3 and disabled_us is null
