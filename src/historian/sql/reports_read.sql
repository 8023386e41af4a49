-- Newest first.
select number, kind, start_us, version, made_us, author, lang, data_sha256, page_sha256
from report
where line = ?1 and start_us >= ?2 and start_us < ?3
order by number desc
