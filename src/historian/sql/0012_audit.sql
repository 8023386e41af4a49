-- The audit trail, signatures, and configurations that were in force. Only added to; nothing in here is ever changed.

-- One row for each thing that was done. `hash` binds it to the one before: how is written in `domain::audit::chain`.
-- `account` is empty without users, `old`, `new` and `reason` where there is nothing to say.
create table audit (
  number integer primary key,
  at_us integer not null,
  local text not null,
  account text not null,
  name text not null,
  from_where text not null,
  what text not null,
  subject text not null,
  old text not null,
  new text not null,
  reason text not null,
  prev_hash text not null,
  hash text not null
) strict;

create index audit_time on audit (at_us);

-- The last entry, so that a row that is taken off the end is missed.
create table audit_head (
  one integer primary key check (one = 1),
  number integer not null,
  hash text not null
) strict;

create trigger audit_keep before update on audit
begin
  select raise(abort, 'an entry of the audit trail is never changed');
end;

create trigger audit_stay before delete on audit
begin
  select raise(abort, 'an entry of the audit trail is never deleted');
end;

-- An `insert or replace` deletes without the trigger above; a number that is not the next one is refused.
create trigger audit_follow before insert on audit
when new.number is not coalesce((select number from audit_head), 0) + 1
  or new.prev_hash is not coalesce((select hash from audit_head), new.prev_hash)
begin
  select raise(abort, 'an entry of the audit trail follows on the last one');
end;

create trigger audit_head_keep before update on audit_head
when new.number is not old.number + 1
  or new.hash is not (select hash from audit where number = new.number)
begin
  select raise(abort, 'the head of the audit trail goes on by one');
end;

create trigger audit_head_stay before delete on audit_head
begin
  select raise(abort, 'the head of the audit trail is never deleted');
end;

create trigger audit_head_once before insert on audit_head
when exists (select 1 from audit_head)
  or new.hash is not (select hash from audit where number = new.number)
begin
  select raise(abort, 'the audit trail has one head');
end;

-- What people signed. `record` names the row of that kind, `record_sha256` is of its canonical text
-- (`domain::audit::record`), `audit` the entry that holds the hash of the signature.
create table signature (
  number integer primary key,
  audit integer not null unique references audit,
  at_us integer not null,
  line text not null,
  kind text not null,
  record text not null,
  record_sha256 text not null,
  meaning text not null,
  account text not null,
  name text not null
) strict;

create index signature_of on signature (line, kind, record);

create trigger signature_keep before update on signature
begin
  select raise(abort, 'a signature is never changed');
end;

create trigger signature_stay before delete on signature
begin
  select raise(abort, 'a signature is never deleted');
end;

create trigger signature_follow before insert on signature
when new.number is not coalesce((select max(number) from signature), 0) + 1
begin
  select raise(abort, 'a signature follows on the last one');
end;

-- Configurations with the maps they name, each once. `files` is a JSON list of [name, text]; `sha256` is of the texts,
-- each with its length before it as eight bytes, the lowest first.
create table configuration (
  sha256 text primary key,
  files text not null
) strict, without rowid;

create trigger configuration_keep before update on configuration
begin
  select raise(abort, 'a configuration that was in force is never changed');
end;

create trigger configuration_stay before delete on configuration
begin
  select raise(abort, 'a configuration that was in force is never deleted');
end;

-- From when on which configuration was in force, under which build.
create table configuration_use (
  number integer primary key,
  sha256 text not null references configuration,
  from_us integer not null,
  build text not null,
  audit integer not null references audit
) strict;

create trigger configuration_use_keep before update on configuration_use
begin
  select raise(abort, 'when a configuration was in force is never changed');
end;

create trigger configuration_use_stay before delete on configuration_use
begin
  select raise(abort, 'when a configuration was in force is never deleted');
end;
