insert into event (line, at_us, from_us, kind, word, detail)
select id, ?2, ?3, 'alarm', 'shed', ?4 from line where name = ?1
