insert into capline.edge_backlog (edge, stream, last_seq, upto_seq)
values ($1, $2, $3, $4)
