-- The first and the last moment of which a line has anything.
select min(t), max(t) from (
  select min(start_us) as t from minute where line = ?1
  union all select max(start_us) from minute where line = ?1
  union all select min(start_us) from second_block where line = ?1
  union all select max(start_us) from second_block where line = ?1
  union all select min(at_us) from event where line = ?1
  union all select max(at_us) from event where line = ?1
  union all select min(from_us) from stop where line = ?1
  union all select max(from_us) from stop where line = ?1
  union all select min(from_us) from frame where line = ?1
  union all select max(to_us) from frame where line = ?1
)
