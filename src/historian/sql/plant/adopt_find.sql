select journal, last_seq from capline.edge_stream
where edge = $1 and stream = $2
for update
