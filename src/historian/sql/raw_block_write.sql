insert into block (line, run, seq_lo, seq_hi, from_us, to_us, snapshots, data)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
