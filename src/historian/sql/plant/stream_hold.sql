-- The row lock makes writers of one box wait for each other until they commit.
select last_seq from capline.edge_stream
where edge = $1 and stream = $2 and session = $3
for update
