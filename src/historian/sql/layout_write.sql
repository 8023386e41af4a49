-- Nothing is written while the plant's maps stay the same.
insert into layout (line, run, devices)
select ?1, ?2, ?3
where ?3 is not (select devices from layout where line = ?1 order by run desc limit 1)
on conflict (line, run) do update set devices = excluded.devices
