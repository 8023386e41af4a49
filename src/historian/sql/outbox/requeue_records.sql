-- Only of the kinds that are ever corrected: the others have one number for good.
insert or replace into record_change (line, kind, name, n, at_us)
select line, 'rollup', kind, start_us, coalesce(end_us, start_us) from rollup where closed and start_us >= ?1
union all
select line, 'incident', characteristic, id, opened_us from incident where opened_us >= ?1
order by 5
