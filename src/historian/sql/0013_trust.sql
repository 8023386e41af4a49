-- What is needed so that a name stands for one person, and so that nothing is put between.

-- Whether somebody else set the password: whoever signs in with it chooses one of their own before anything else.
alter table account add column must_change integer not null default 0;

-- Until this step nobody could change their own, so that each password is known to who gave it. Only whoever made the
-- first account chose theirs, unless it was reset since.
update account set must_change = 1
where name not in (select subject from audit where what = 'setup')
  or name in (select subject from audit where what = 'user_change' and new like 'reset: %');

-- Wrong passwords where one was asked for again of who is signed in, apart from those at the sign-in.
alter table account add column again_wrong integer not null default 0;
alter table account add column again_locked_until_us integer;

-- Passwords that count for no account, because there is none of that name or it is disabled or locked. Counted so that
-- they are a write to the disk as those are that count: how long an answer takes must not tell which names there are.
create table stray_password (
  one integer primary key check (one = 1),
  n integer not null
) strict;

insert into stray_password (one, n) values (1, 0);

-- As of all that is only added to: an `insert or replace` deletes without the trigger that forbids it.
create trigger configuration_use_follow before insert on configuration_use
when new.number is not coalesce((select max(number) from configuration_use), 0) + 1
begin
  select raise(abort, 'a use of a configuration follows on the last one');
end;
