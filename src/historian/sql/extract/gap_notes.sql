-- Words on gaps that lie in the span, whenever they were said.
select n.at_us, n.gap, n.author, n.text
from gap_note n
left join event e on n.gap like 'e%' and e.seq = cast(substr(n.gap, 2) as integer)
where n.line = ?1 and case when n.gap like 'u%' then cast(substr(n.gap, 2) as integer) else e.at_us end between ?2 and ?3 - 1
order by n.id
