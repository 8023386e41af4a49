insert into report (line, kind, start_us, version, made_us, author, lang, data_sha256, page_sha256, page)
select ?1, ?2, ?3, coalesce(max(version), 0) + 1, ?4, ?5, ?6, ?7, ?8, ?9
from report
where line = ?1 and kind = ?2 and start_us = ?3
returning number, version
