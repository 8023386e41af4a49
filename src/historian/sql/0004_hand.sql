-- What people did by hand with batches: who opened which, for which product, and who closed it. `start_us` is the start
-- of the batch in rollup. Only added to.
create table batch_entry (
  line integer not null references line,
  start_us integer not null,
  did text not null,
  at_us integer not null,
  id text not null,
  product text not null,
  author text not null,
  primary key (line, start_us, did)
) strict, without rowid;

create trigger batch_entry_keep before update on batch_entry
begin
  select raise(abort, 'what was done by hand is never changed');
end;

create trigger batch_entry_stay before delete on batch_entry
begin
  select raise(abort, 'what was done by hand is never deleted');
end;

-- The balance of material as it stood when it was judged last, once a minute, so that a restart goes on with it.
-- `form` is JSON.
create table balance_state (
  line integer primary key references line,
  form text not null
) strict;
