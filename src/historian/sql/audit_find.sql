-- Entries before a number that fit, newest first. Null asks for all.
select number, at_us, local, account, name, from_where, what, subject, old, new, reason, prev_hash, hash
from audit
where number < ?1
  and at_us >= ?2 and at_us < ?3
  and (?4 is null or what = ?4)
  and (?5 is null or instr(lower(account || ' ' || name), lower(?5)) > 0)
  and (
    ?6 is null
    or instr(lower(subject || ' ' || old || ' ' || new || ' ' || reason || ' ' || from_where || ' ' || what), lower(?6)) > 0
  )
order by number desc
limit ?7
