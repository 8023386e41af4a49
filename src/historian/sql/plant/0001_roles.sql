-- Four roles. The owner owns the tables and nobody logs in as it; the migrator may become the owner; the writer is a
-- box; the reader looks. Passwords are the administrator's: `\password capline_writer` in psql.
-- Roles belong to the whole cluster, so that another database may have made them before.
do $$
begin
  if to_regrole('capline_owner') is null then create role capline_owner nologin; end if;
  if to_regrole('capline_migrator') is null then
    create role capline_migrator login;
    grant capline_owner to capline_migrator;
  end if;
  if to_regrole('capline_writer') is null then
    create role capline_writer login;
    -- A box that went away in the middle of a transaction must not hold its rows for ever.
    alter role capline_writer set statement_timeout = '30s';
    alter role capline_writer set lock_timeout = '10s';
    alter role capline_writer set idle_in_transaction_session_timeout = '30s';
  end if;
  if to_regrole('capline_reader') is null then
    create role capline_reader login;
    alter role capline_reader set statement_timeout = '60s';
    alter role capline_reader set default_transaction_read_only = on;
  end if;
  if not pg_has_role(current_user, 'capline_owner', 'member') then
    execute format('grant capline_owner to %I', current_user);
  end if;
  if not has_database_privilege('capline_owner', current_database(), 'create') then
    execute format('grant create on database %I to capline_owner', current_database());
  end if;
end
$$;

set local role capline_owner;
create schema if not exists capline;
grant usage on schema capline to capline_writer, capline_reader;

-- Which steps this database has. The checksum tells a step that was edited afterwards.
create table if not exists capline.migration (
  step integer primary key,
  name text not null,
  sha256 text not null,
  version text not null,
  at timestamptz not null default now()
);
