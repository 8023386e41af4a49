-- From here on only this session writes. Nothing comes back where another journal has the name of this box.
insert into capline.edge_stream as known (edge, stream, journal, session, last_seq)
values ($1, $2, $3, $4, 0)
on conflict (edge, stream) do update set session = excluded.session, updated_at = now()
where known.journal = excluded.journal
returning last_seq
