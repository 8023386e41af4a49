insert into capline.line (site, edge, line)
select $1, $2, u.line from unnest($3::text[]) u (line)
where not exists (select from capline.line l where l.site = $1 and l.edge = $2 and l.line = u.line)
on conflict do nothing
