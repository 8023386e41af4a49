-- Revisions that touch only stops from ?2 to ?3.
select number, at_us, author, why, act
from stop_revision
where line = ?1 and first >= ?2 and last <= ?3
order by number
