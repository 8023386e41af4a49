insert into capline.event (line_id, seq, t, from_t, kind, station, tag, word, low, best, high, detail)
select l.id, u.seq, u.t, u.from_t, u.kind, u.station, u.tag, u.word, u.low, u.best, u.high, u.detail
from unnest($3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[])
  u (line, seq, t, from_t, kind, station, tag, word, low, best, high, detail)
join capline.line l on l.site = $1 and l.edge = $2 and l.line = u.line
