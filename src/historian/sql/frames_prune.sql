-- A bounded bite, oldest first: the writer comes back for more and no tick waits long behind it.
delete from frame where seq in (
  select seq from frame where line = ?1 and to_us < ?2 order by to_us limit ?3
)
