update line set tick_seq = ?2, run = ?3, at_us = ?4, mono_us = ?5, best = ?6, low = ?7, high = ?8,
  booked_us = ?9, booked_mono_us = ?10
where id = ?1
