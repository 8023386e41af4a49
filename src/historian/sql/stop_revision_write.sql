insert into stop_revision (line, number, at_us, author, why, act, first, last)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
