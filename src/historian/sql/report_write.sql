-- Nothing where that version is there already.
insert into report (line, kind, start_us, version, made_us, author, lang, data_sha256, page_sha256, page)
select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
where not exists (select 1 from report where line = ?1 and kind = ?2 and start_us = ?3 and version = ?4)
returning number
