-- The box that had the stream finds another journal there and stops.
update capline.edge_stream set journal = $3, session = $4, last_seq = $5, mark = $6, updated_at = now()
where edge = $1 and stream = $2
