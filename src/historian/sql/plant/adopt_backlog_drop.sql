-- Numbers that the restored journal does not have can never be sent any more.
delete from capline.edge_backlog
where edge = $1 and stream = $2 and last_seq >= $3
