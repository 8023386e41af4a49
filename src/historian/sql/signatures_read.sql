-- Signatures of records of a kind, by number; null asks for all.
select number, audit, at_us, line, kind, record, record_sha256, meaning, account, name
from signature
where (?1 is null or line = ?1) and (?2 is null or kind = ?2)
order by number
