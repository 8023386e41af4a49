insert into event (line, at_us, from_us, kind, station, tag, word, best, low, high, detail)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
