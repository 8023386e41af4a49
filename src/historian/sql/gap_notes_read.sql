-- ?2 is a JSON list of gaps. Oldest first.
select gap, at_us, author, text
from gap_note
where line = ?1 and gap in (select value from json_each(?2))
order by id
