-- Boot times may be compared with the present ones (boot ?2) only if all that were stored are of this boot:
-- those of the tick and of every baseline.
select tick_seq, at_us, mono_us,
  exists (select 1 from run where run.id = line.run and run.boot = ?2)
    and not exists (
      select 1 from baseline join run on run.id = baseline.run
      where baseline.line = line.id and run.boot <> ?2
    ),
  best, low, high, booked_us, booked_mono_us,
  (select max(number) from stop where stop.line = line.id)
from line
where id = ?1
