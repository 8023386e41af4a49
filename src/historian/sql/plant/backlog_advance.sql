update capline.edge_backlog set last_seq = $5
where edge = $1 and stream = $2 and upto_seq = $3 and last_seq = $4
