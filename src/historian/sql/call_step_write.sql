insert into call_step (line, call, act, at_us, by_whom, need, station, text) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
