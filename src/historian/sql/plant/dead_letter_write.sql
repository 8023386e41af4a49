insert into capline.dead_letter (edge, stream, journal, seq, error, row)
values ($1, $2, $3, $4, $5, $6)
