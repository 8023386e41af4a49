-- Calls for help, and alerts with what was told of them. Only added to, but for the end of an alert, which is set once.

-- What people did about calls: open, take, close, each once for a call. `need` and `station` are of the opening alone.
create table call_step (
  line integer not null references line,
  call integer not null,
  act text not null,
  at_us integer not null,
  by_whom text not null,
  need text,
  station text,
  text text not null,
  primary key (line, call, act)
) strict, without rowid;

create index call_time on call_step (line, at_us) where act = 'open';

create trigger call_step_keep before update on call_step
begin
  select raise(abort, 'what was done about a call is never changed');
end;

create trigger call_step_stay before delete on call_step
begin
  select raise(abort, 'what was done about a call is never deleted');
end;

-- Alerts. `id` names one in the world, `hooks` is a JSON list of the webhooks that are told.
create table alert (
  number integer primary key,
  id text not null unique,
  rule text not null,
  subject text not null,
  line integer references line,
  since_us integer not null,
  opened_us integer not null,
  detail text not null,
  hooks text not null,
  closed_us integer
) strict;

create index alert_open on alert (number) where closed_us is null;
create index alert_time on alert (opened_us);
create index alert_end on alert (closed_us);

create trigger alert_once before update on alert
when old.closed_us is not null or new.closed_us is null
  or (new.number, new.id, new.rule, new.subject, new.line, new.since_us, new.opened_us, new.detail, new.hooks)
    is not (old.number, old.id, old.rule, old.subject, old.line, old.since_us, old.opened_us, old.detail, old.hooks)
begin
  select raise(abort, 'an alert is closed once and never changed');
end;

create trigger alert_stay before delete on alert
begin
  select raise(abort, 'an alert is never deleted');
end;

-- Attempts to tell a webhook that an alert opened or closed. `status` is that of HTTP, null without an answer.
create table delivery (
  alert integer not null references alert,
  turn text not null,
  hook text not null,
  attempt integer not null,
  at_us integer not null,
  ending text not null,
  status integer,
  error text not null,
  primary key (alert, turn, hook, attempt)
) strict, without rowid;

create index delivery_time on delivery (at_us);

create trigger delivery_keep before update on delivery
begin
  select raise(abort, 'an attempt to tell is never changed');
end;

create trigger delivery_stay before delete on delivery
begin
  select raise(abort, 'an attempt to tell is never deleted');
end;
