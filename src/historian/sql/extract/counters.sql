-- What the ledger goes on from, as it stands, whatever the span.
select at_us, tag, raw, best, coalesce(low, best), coalesce(high, best), detail
from baseline
where line = ?1 and ?2 < ?3
order by tag
