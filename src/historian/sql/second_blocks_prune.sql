-- A bounded bite, oldest first, as with frames.
delete from second_block where id in (
  select id from second_block where line = ?1 and start_us < ?2 order by start_us limit ?3
)
