select upto_seq, last_seq from capline.edge_backlog
where edge = $1 and stream = $2
order by upto_seq
