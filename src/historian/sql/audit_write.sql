insert into audit (
  number, at_us, local, account, name, from_where, what, subject, old, new, reason, prev_hash, hash
) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
