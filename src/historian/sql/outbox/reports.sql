select change.seq, r.line, r.number, r.kind, r.start_us, r.version, r.made_us, r.author, r.lang, r.data_sha256, r.page_sha256,
  r.page
from record_change change
join report r on r.number = change.n
where change.kind = 'report' and change.seq > ?1 and change.seq <= ?2
order by change.seq
