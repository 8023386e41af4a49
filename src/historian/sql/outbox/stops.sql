select change.seq, stop.line, stop.number, stop.from_us, stop.to_us, stop.to_mono_us - stop.from_mono_us, stop.cause,
  stop.state, stop.reason, stop.key, stop.candidates, stop.flags
from stop_change change
join stop on stop.line = change.line and stop.number = change.number
where change.seq > ?1 and change.seq <= ?2
order by change.seq
