delete from capline.edge_backlog
where edge = $1 and stream = $2 and upto_seq = $3 and last_seq = upto_seq
