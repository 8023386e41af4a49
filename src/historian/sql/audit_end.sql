-- The last entry as the journal keeps it and as it is there, and the hash of one entry: all of one moment.
select coalesce(h.number, 0), coalesce(h.hash, ''), coalesce(a.number, 0), coalesce(a.hash, ''),
  (select hash from audit where number = ?1)
from (select 1)
left join audit_head h on true
left join (select number, hash from audit order by number desc limit 1) a on true
