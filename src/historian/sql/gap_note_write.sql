insert into gap_note (line, gap, at_us, author, text) values (?1, ?2, ?3, ?4, ?5)
