-- A row that is written again as it was costs no page of the log.
insert into weighing (line, station, series, sequence)
values (?1, ?2, ?3, ?4)
on conflict (line, station, series) do update set sequence = excluded.sequence
where sequence is not excluded.sequence
