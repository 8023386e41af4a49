-- The outbox of what people and charts said, and of hours, shifts and batches that are over: in which order it became
-- known, so that a plant database can follow by number. A row names a row of the table `kind`: by (`name`, `n`, `m`),
-- which are its key beside the line. What was said is never changed and has one row for good; what can be corrected
-- (rollup, incident) moves to the end, as in minute_change. `bytes` is what it weighs if that is much.
create table record_change (
  seq integer primary key autoincrement,
  line integer not null references line,
  kind text not null,
  name text not null default '',
  n integer not null,
  m integer not null default 0,
  at_us integer not null,
  bytes integer not null default 0
) strict;

create unique index record_change_of on record_change (line, kind, name, n) where kind in ('rollup', 'incident');

-- By time and not by kind: an older copy of this journal gives the same numbers.
insert into record_change (line, kind, name, n, m, at_us, bytes)
select line, kind, name, n, m, at_us, bytes
from (
  select 1 as o, line, 'stop_revision' as kind, '' as name, number as n, 0 as m, at_us, 0 as bytes from stop_revision
  union all select 2, line, 'batch_entry', did, start_us, 0, at_us, 0 from batch_entry
  union all select 3, line, 'rollup', kind, start_us, 0, coalesce(end_us, start_us), 0 from rollup where closed
  union all select 4, line, 'limits', characteristic, version, 0, made_us, 0 from limits
  union all select 5, line, 'limits_decision', characteristic, version, 0, at_us, 0 from limits_decision
  union all select 6, line, 'spc_point', characteristic, start_us, rev, told_us, 0 from spc_point
  union all select 7, line, 'incident', characteristic, id, 0, opened_us, 0 from incident
  union all
    select 8, line, 'incident_work', word, seq, 0, at_us, 0
    from incident_work join incident on incident.id = incident_work.incident
  union all select 9, line, 'gap_note', gap, id, 0, at_us, 0 from gap_note
  union all select 10, line, 'report', kind, number, 0, made_us, length(page) from report
)
order by at_us, o, line, n, m;

create trigger stop_revision_made after insert on stop_revision begin
  insert into record_change (line, kind, n, at_us) values (new.line, 'stop_revision', new.number, new.at_us);
end;

create trigger batch_entry_made after insert on batch_entry begin
  insert into record_change (line, kind, name, n, at_us)
  values (new.line, 'batch_entry', new.did, new.start_us, new.at_us);
end;

-- Open periods change with every tick and are not in here; their minutes are.
create trigger rollup_closed after insert on rollup when new.closed begin
  delete from record_change
  where line = new.line and kind = 'rollup' and name = new.kind and n = new.start_us;
  insert into record_change (line, kind, name, n, at_us)
  values (new.line, 'rollup', new.kind, new.start_us, coalesce(new.end_us, new.start_us));
end;

create trigger rollup_changed after update on rollup
when new.closed and (new.closed, new.rev, new.end_us, new.name, new.remark, new.counts)
  is not (old.closed, old.rev, old.end_us, old.name, old.remark, old.counts)
begin
  delete from record_change
  where line = new.line and kind = 'rollup' and name = new.kind and n = new.start_us;
  insert into record_change (line, kind, name, n, at_us)
  values (new.line, 'rollup', new.kind, new.start_us, coalesce(new.end_us, new.start_us));
end;

create trigger limits_made after insert on limits begin
  insert into record_change (line, kind, name, n, at_us)
  values (new.line, 'limits', new.characteristic, new.version, new.made_us);
end;

create trigger limits_decided after insert on limits_decision begin
  insert into record_change (line, kind, name, n, at_us)
  values (new.line, 'limits_decision', new.characteristic, new.version, new.at_us);
end;

create trigger spc_point_told after insert on spc_point begin
  insert into record_change (line, kind, name, n, m, at_us)
  values (new.line, 'spc_point', new.characteristic, new.start_us, new.rev, new.told_us);
end;

create trigger incident_opened after insert on incident begin
  insert into record_change (line, kind, name, n, at_us)
  values (new.line, 'incident', new.characteristic, new.id, new.opened_us);
end;

create trigger incident_changed after update on incident
when (new.last_us, new.rules, new.companion_rules, new.points, new.level, new.is_over)
  is not (old.last_us, old.rules, old.companion_rules, old.points, old.level, old.is_over)
begin
  delete from record_change
  where line = new.line and kind = 'incident' and name = new.characteristic and n = new.id;
  insert into record_change (line, kind, name, n, at_us)
  values (new.line, 'incident', new.characteristic, new.id, new.opened_us);
end;

create trigger incident_work_done after insert on incident_work begin
  insert into record_change (line, kind, name, n, at_us)
  select line, 'incident_work', new.word, new.seq, new.at_us from incident where id = new.incident;
end;

create trigger gap_note_made after insert on gap_note begin
  insert into record_change (line, kind, name, n, at_us)
  values (new.line, 'gap_note', new.gap, new.id, new.at_us);
end;

create trigger report_made after insert on report begin
  insert into record_change (line, kind, name, n, at_us, bytes)
  values (new.line, 'report', new.kind, new.number, new.made_us, length(new.page));
end;
