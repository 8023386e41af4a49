-- Absolute values, so that writing a block again changes nothing; an older revision never covers a newer one.
insert into second_block (line, start_us, rev, closed, data)
values (?1, ?2, ?3, ?4, ?5)
on conflict (line, start_us) do update set rev = excluded.rev, closed = excluded.closed, data = excluded.data
where excluded.rev >= second_block.rev
