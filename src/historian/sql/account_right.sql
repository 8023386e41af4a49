update account
set wrong = 0, locked_until_us = null, password = coalesce(?2, password)
where name = ?1 and password = ?3
