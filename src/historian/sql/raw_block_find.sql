select seq_lo, seq_hi, run, from_us, to_us, data
from block
where line = ?1 and run = ?2 and seq_lo <= ?3 and seq_hi >= ?3
