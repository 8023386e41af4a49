-- Heads of audit trails, told about once an hour: what is changed in the trail of a box afterwards can be proven with
-- them. A box may add to them and look, and change nothing.
set local role capline_owner;

create table capline.audit_head (
  edge text not null,
  journal uuid not null,
  number bigint not null,
  hash text not null,
  t timestamptz not null default now(),
  primary key (edge, journal, number)
);

grant select, insert on capline.audit_head to capline_writer;
grant select on capline.audit_head to capline_reader;
