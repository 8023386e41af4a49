select raw, best, low, high, at_us, mono_us, detail
from baseline
where line = ?1 and tag = ?2
