-- Who may ask: accounts, their sessions, and displays. Secrets are not in here, only what they are compared with.

-- Accounts. They are never deleted: their names stand on records. `printed_key` is the name on records without case and
-- needless blanks, so that no two accounts sign alike. `password` is a hash in PHC form.
create table account (
  name text primary key,
  printed text not null,
  printed_key text not null unique,
  role text not null,
  password text not null,
  wrong integer not null default 0,
  locked_until_us integer,
  disabled_us integer,
  made_us integer not null,
  changed_us integer not null
) strict, without rowid;

create trigger account_stay before delete on account
begin
  select raise(abort, 'an account is disabled, never deleted');
end;

create trigger account_keep before update of name, printed, printed_key, made_us on account
begin
  select raise(abort, 'the names of an account stand on records and never change');
end;

-- Sessions that have not ended. `token` is the SHA-256 of what the browser holds.
create table session (
  token text primary key,
  account text not null references account,
  begun_us integer not null,
  used_us integer not null
) strict, without rowid;

create index session_account on session (account);

-- Displays that read without a person. `token` is the SHA-256 of what the display holds.
create table display (
  number integer primary key,
  name text not null,
  token text not null unique,
  made_us integer not null,
  revoked_us integer
) strict;

create unique index display_name on display (name) where revoked_us is null;

create trigger display_stay before delete on display
begin
  select raise(abort, 'a display is revoked, never deleted');
end;

create trigger display_once before update on display
when old.revoked_us is not null or new.revoked_us is null
  or (new.number, new.name, new.token, new.made_us) is not (old.number, old.name, old.token, old.made_us)
begin
  select raise(abort, 'a display is revoked once and never changed');
end;
