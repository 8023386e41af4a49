insert into session (token, account, begun_us, used_us)
select ?1, name, ?3, ?3
from account
where name = ?2 and password = ?4 and disabled_us is null
