insert into batch_entry (line, start_us, did, at_us, id, product, author)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
on conflict (line, start_us, did) do nothing
