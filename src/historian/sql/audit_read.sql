-- Entries after a number, oldest first.
select number, at_us, local, account, name, from_where, what, subject, old, new, reason, prev_hash, hash
from audit
where number > ?1
order by number
limit ?2
