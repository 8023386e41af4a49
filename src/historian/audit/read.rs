//! Reads of the trail: what fits a search, and the chain looked through as far as it goes.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use domain::audit::{Chain, Entry, Fault, Filter, Finding, Head, Looked, Signature, Signed, What};
use domain::units::{HOUR_US, LineId};
use rusqlite::{Connection, Row, params};

use super::head::{Beside, MISSING};
use crate::clock::Clock;
use crate::historian::Historian;
use crate::historian::error::StoreError;
use crate::historian::read::{Found, sql_limit};

/// Entries of one look. Each is hashed: some ten milliseconds.
const CHUNK: i64 = 5_000;
/// The chain is looked through from its beginning again after so long.
const ANEW_US: i64 = HOUR_US;

/// A look at the chain that goes on where it ended.
#[derive(Default)]
pub(in crate::historian) struct Look(Mutex<Going>);

#[derive(Default)]
struct Going {
    chain: Chain,
    began_us: i64,
    looked: Looked,
}

impl Historian {
    /// Entries that fit, newest first. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn audit(&self, filter: &Filter, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.readers().query(|conn| find(conn, filter, limit))
    }

    /// Looks through the chain as far as it goes now, and at its end, and tells how it stands. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn audit_looked(&self) -> Result<Looked, StoreError> {
        let now_us = Clock::real().now().utc_us;
        // Before the journal: it may lag behind, and is never ahead of what it is compared with.
        let beside = self.0.path.parent().map_or(Ok(None), |dir| Beside::new(dir).read());
        let mut going = self.0.look.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now_us.saturating_sub(going.began_us) > ANEW_US {
            *going = Going { began_us: now_us, ..Going::default() };
        }
        loop {
            let after = going.chain.head().number;
            let entries = self.readers().query(|conn| entries(conn, after, CHUNK))?;
            let n = entries.len() as i64;
            for entry in &entries {
                let found = going.chain.check(entry);
                let room = 100usize.saturating_sub(going.looked.findings.len());
                going.looked.findings.extend(found.into_iter().take(room));
            }
            if n < CHUNK {
                break;
            }
        }
        going.looked.head = going.chain.head().clone();
        going.looked.at_us = now_us;
        let mut looked = going.looked.clone();
        let room = 100usize.saturating_sub(looked.findings.len());
        looked.findings.extend(self.at_the_end(&looked.head, beside)?.into_iter().take(room));
        Ok(looked)
    }

    /// What is wrong with the end of the trail: what was looked through, what the journal keeps as its last entry, and
    /// what the file beside it tells, against the last row that is there. The first two know entries that are there no
    /// more, which the chain alone cannot.
    fn at_the_end(
        &self,
        looked: &Head,
        beside: std::result::Result<Option<Head>, String>,
    ) -> Result<Vec<Finding>, StoreError> {
        let told = beside.as_ref().ok().cloned().flatten().unwrap_or_default();
        let number = told.number;
        let (kept, last, hash) = self.readers().query(|conn| {
            let sql = include_str!("../sql/audit_end.sql");
            Ok(conn.query_row(sql, [number], |row| {
                let kept = Head { number: row.get(0)?, hash: text(row, 1)? };
                let last = Head { number: row.get(2)?, hash: text(row, 3)? };
                Ok((kept, last, row.get::<_, Option<String>>(4)?))
            })?)
        })?;
        let at = |fault| Finding { number: last.number, fault };
        let cut = |head: &Head| (head.number > last.number).then(|| at(Fault::Cut(head.clone())));
        let mut found: Vec<Finding> =
            [&kept, &told, looked].into_iter().find_map(cut).into_iter().collect();
        if kept.number < last.number || (kept.number == last.number && kept.hash != last.hash) {
            let what =
                format!("the journal keeps {} as its last entry, and not this one", kept.number);
            found.push(at(Fault::Record(what)));
        }
        if hash.is_some_and(|hash| hash != told.hash) {
            found.push(Finding { number: told.number, fault: Fault::Rewritten(told) });
        }
        match beside {
            Ok(None) if last.number > 1 => found.push(at(Fault::Record(MISSING.to_owned()))),
            Err(why) => found.push(at(Fault::Record(why))),
            Ok(_) => {}
        }
        Ok(found)
    }

    /// The end of the trail. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn audit_head(&self) -> Result<Head, StoreError> {
        self.readers().query(|conn| Ok(super::head(conn)?))
    }

    /// Signatures of records of a kind of a line, oldest first. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn signatures(&self, line: &LineId, kind: Signed) -> Result<Vec<Signature>, StoreError> {
        self.readers().query(|conn| {
            let mut find = conn.prepare_cached(include_str!("../sql/signatures_read.sql"))?;
            let found =
                find.query_map((line.as_str(), kind.word()), |row| Ok(signature(row)?.1))?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// Signatures of one record, oldest first.
pub(in crate::historian) fn signatures_of(
    conn: &Connection,
    line: &LineId,
    (kind, record): (Signed, &str),
) -> rusqlite::Result<Vec<Signature>> {
    let mut find = conn.prepare_cached(include_str!("../sql/signatures_read.sql"))?;
    let found = find.query_map((line.as_str(), kind.word()), |row| Ok(signature(row)?.1))?;
    let mut all = found.collect::<rusqlite::Result<Vec<_>>>()?;
    all.retain(|signature| signature.record == record);
    Ok(all)
}

/// Entries of the journal in a directory that fit, newest first, whether a service works on it or not.
///
/// # Errors
/// No journal, or none with a trail.
pub fn find_in(dir: &Path, filter: &Filter, limit: usize) -> Result<Vec<Entry>, StoreError> {
    let (conn, path) = super::open(dir)?;
    find(&conn, filter, limit).map_err(|failure| failure.at(&path))
}

fn find(conn: &Connection, filter: &Filter, limit: usize) -> Found<Vec<Entry>> {
    let mut find = conn.prepare_cached(include_str!("../sql/audit_find.sql"))?;
    let args = params![
        filter.before.unwrap_or(i64::MAX),
        filter.from_us.unwrap_or(i64::MIN),
        filter.to_us.unwrap_or(i64::MAX),
        filter.what.map(What::word),
        filter.who,
        filter.text,
        sql_limit(limit),
    ];
    Ok(find.query_map(args, entry)?.collect::<rusqlite::Result<_>>()?)
}

/// Entries after a number, oldest first.
pub(super) fn entries(conn: &Connection, after: i64, limit: i64) -> Found<Vec<Entry>> {
    let mut find = conn.prepare_cached(include_str!("../sql/audit_read.sql"))?;
    Ok(find.query_map((after, limit), entry)?.collect::<rusqlite::Result<_>>()?)
}

/// A row of the trail as it is, whatever somebody made of it: a text that is none any more is read with marks in it, so
/// that its hash is another one.
pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        number: row.get(0)?,
        at_us: row.get(1)?,
        local: text(row, 2)?,
        account: text(row, 3)?,
        name: text(row, 4)?,
        from: text(row, 5)?,
        what: text(row, 6)?,
        subject: text(row, 7)?,
        old: text(row, 8)?,
        new: text(row, 9)?,
        reason: text(row, 10)?,
        prev_hash: text(row, 11)?,
        hash: text(row, 12)?,
    })
}

/// A signature with the number of its entry.
pub(super) fn signature(row: &Row<'_>) -> rusqlite::Result<(i64, Signature)> {
    let signature = Signature {
        at_us: row.get(2)?,
        line: text(row, 3)?,
        kind: text(row, 4)?,
        record: text(row, 5)?,
        record_sha256: text(row, 6)?,
        meaning: text(row, 7)?,
        account: text(row, 8)?,
        name: text(row, 9)?,
    };
    Ok((row.get(1)?, signature))
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let bytes = row.get_ref(column)?.as_bytes()?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}
