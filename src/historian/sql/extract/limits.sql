-- All of them, whatever the span: what was judged in it may rest on limits that are older.
select l.made_us, l.characteristic, l.version, l.author, l.reason, l.body, l.sha256, d.verdict, d.at_us, d.by_whom,
  d.reason
from limits l
left join limits_decision d
  on d.line = l.line and d.characteristic = l.characteristic and d.version = l.version
where l.line = ?1 and ?2 < ?3
order by l.characteristic, l.version
