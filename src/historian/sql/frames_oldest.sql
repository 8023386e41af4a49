-- Frames of a line in order of arrival, to be put into a file of their day.
select seq, run, from_us, to_us, data
from frame
where line = ?1 and seq > ?2
order by seq
limit ?3
