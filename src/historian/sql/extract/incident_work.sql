select w.at_us, w.incident, w.author, w.word, w.text
from incident_work w
join incident i on i.id = w.incident
where i.line = ?1 and i.opened_us < ?3 and i.last_us >= ?2
order by w.seq
