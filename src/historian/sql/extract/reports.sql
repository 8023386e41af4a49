-- Reports of periods that began in the span; their pages are files of their own.
select start_us, number, kind, version, made_us, author, lang, data_sha256, page_sha256
from report
where line = ?1 and start_us >= ?2 and start_us < ?3
order by number
