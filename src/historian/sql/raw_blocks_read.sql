select seq_lo, seq_hi, run, from_us, to_us, data
from block
where line = ?1 and to_us >= ?2 and from_us < ?3
order by to_us, seq
