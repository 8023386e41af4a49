-- Compare and set: no row means that somebody else has moved the watermark or taken the stream over.
update capline.edge_stream set last_seq = $5, mark = $6, updated_at = now()
where edge = $1 and stream = $2 and session = $3 and last_seq = $4
