insert into limits_decision (line, characteristic, version, verdict, at_us, by_whom, reason)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
