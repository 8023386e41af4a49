"""Recomputes the audit trail of a journal as src/domain/audit/chain.rs describes it, without a line of Capline.

audit_chain.py JOURNAL.db: prints the number of entries and the last hash; exit code 1 at the first entry that does not fit.
"""

import hashlib
import sqlite3
import sys


def digest(*texts):
    raw = [text.encode() for text in texts]
    return hashlib.sha256(b"".join(b"%d:%s," % (len(text), text) for text in raw)).hexdigest()


journal = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
columns = "number, at_us, local, account, name, from_where, what, subject, old, new, reason, prev_hash, hash"
before, n = None, 0
for row in journal.execute(f"select {columns} from audit order by number"):
    number, at_us, *texts, prev_hash, own_hash = row
    if before is None:
        # The first entry says which journal it is.
        before = digest("capline-audit/1", texts[7])
    n += 1
    fits = number == n and prev_hash == before
    if not fits or own_hash != digest("capline-audit/1", str(number), str(at_us), *texts, prev_hash):
        sys.exit(f"entry {number} does not fit")
    before = own_hash
print(n, before)
