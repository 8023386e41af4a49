insert into limits (line, characteristic, version, made_us, author, reason, form, body, sha256)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
