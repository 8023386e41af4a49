-- The row lock makes writers of one box wait for each other until they commit; no row means that the stream is lost.
with held as (
  select from capline.edge_stream where edge = $1 and stream = $2 and session = $6 for update
)
update capline.edge_backlog set last_seq = $5
where edge = $1 and stream = $2 and upto_seq = $3 and last_seq = $4 and exists (select from held)
