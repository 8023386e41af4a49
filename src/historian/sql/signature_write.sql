insert into signature (
  number, audit, at_us, line, kind, record, record_sha256, meaning, account, name
) select coalesce(max(number), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 from signature
