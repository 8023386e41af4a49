update capline.edge_backlog set upto_seq = $3
where edge = $1 and stream = $2 and upto_seq > $3
