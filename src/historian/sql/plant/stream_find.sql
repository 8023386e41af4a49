select journal, session, last_seq, mark
from capline.edge_stream
where edge = $1 and stream = $2
