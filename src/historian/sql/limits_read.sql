select l.characteristic, l.version, l.made_us, l.author, l.reason, l.form, l.sha256,
  d.verdict, d.at_us, d.by_whom, d.reason
from limits l
left join limits_decision d
  on d.line = l.line and d.characteristic = l.characteristic and d.version = l.version
where l.line = ?1 and (?2 is null or l.characteristic = ?2)
order by l.characteristic, l.version
