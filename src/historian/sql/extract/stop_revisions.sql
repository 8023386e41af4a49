select r.at_us, r.number, r.author, r.why, r.act, r.first, r.last
from stop_revision r
where r.line = ?1 and exists (
  select 1 from stop s
  where s.line = r.line and s.number between r.first and r.last and s.from_us < ?3 and (s.to_us is null or s.to_us >= ?2)
)
order by r.number
