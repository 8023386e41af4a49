insert into frame (line, run, from_us, to_us, snapshots, data)
values (?1, ?2, ?3, ?4, ?5, ?6)
