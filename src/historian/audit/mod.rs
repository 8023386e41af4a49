//! The audit trail in the journal: entries that are only added, each in the transaction of what it tells of. What
//! cannot be noted is not done.

mod configuration;
mod head;
mod plant;
mod read;
mod uses;
mod verify;

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::audit::chain::{genesis, hash};
use domain::audit::{Actor, Entry, Head, Note, Signature, Signed, What};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Result, TransactionBehavior, params};

pub use plant::told_to_plant;
pub use read::find_in;
pub use verify::{Told, Verified, verify};

pub(super) use head::Beside;
pub(super) use plant::TELL;
pub(super) use read::{Look, signatures_of};

use super::error::StoreError;
use super::mark;
use super::place::DATABASE;
use super::{Historian, copy, journal, schema};
use crate::clock::Clock;

impl Historian {
    /// Notes something that has no row of its own in the journal; durable on return. Blocks.
    ///
    /// # Errors
    /// Those of the store. What was to be noted is not to be done then.
    pub fn note(&self, note: Note) -> Result<(), StoreError> {
        self.note_all(vec![note])
    }

    /// The same for several things in one transaction: all of them are noted or none.
    ///
    /// # Errors
    /// As [`Historian::note`].
    pub fn note_all(&self, notes: Vec<Note>) -> Result<(), StoreError> {
        self.write(move |conn| notes.iter().try_for_each(|note| add(conn, note).map(drop)))
    }
}

/// Notes something in a journal that perhaps a service works on: for commands beside it.
///
/// # Errors
/// No journal, one of another version, one that this user cannot write.
pub fn note_beside(dir: &Path, note: &Note) -> Result<(), StoreError> {
    let path = database(dir)?;
    let fail = |e| StoreError::from_sqlite(&path, e);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(&path, flags).map_err(fail)?;
    let found = schema::recognised(&conn, &path)?;
    if found < schema::known() {
        let finding = format!("has schema {found}, start the service once to bring it up to date");
        return Err(StoreError::NoTrail { path, finding });
    }
    // A service holds the file for some milliseconds at a time.
    conn.busy_timeout(Duration::from_secs(5)).map_err(fail)?;
    conn.execute_batch(include_str!("../sql/pragmas_writer.sql")).map_err(fail)?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    let noted = begin(&tx).and_then(|()| add(&tx, note)).map_err(fail)?;
    tx.commit().map_err(fail)?;
    Beside::new(dir).tell(&noted);
    Ok(())
}

/// The first schema with a trail.
const SINCE: u32 = 12;

fn database(dir: &Path) -> Result<PathBuf, StoreError> {
    let path = dir.join(DATABASE);
    match path.is_file() {
        true => Ok(path),
        false => Err(StoreError::NoJournal { path: dir.to_owned() }),
    }
}

/// A connection that reads a journal with a trail, and where that lies.
fn open(dir: &Path) -> Result<(Connection, PathBuf), StoreError> {
    let path = database(dir)?;
    let conn = copy::open(&path)?;
    let found = schema::recognised(&conn, &path)?;
    if found < SINCE {
        let finding = format!("has schema {found} from before there was one");
        return Err(StoreError::NoTrail { path, finding });
    }
    Ok((conn, path))
}

/// Adds an entry to the trail, within the transaction of what it tells of.
pub(super) fn add(conn: &Connection, note: &Note) -> Result<Head> {
    let at_us = Clock::real().now().utc_us;
    let last = head(conn)?;
    let prev_hash = match last.number {
        0 => genesis(&note.new),
        _ => last.hash,
    };
    let Note { by, what, subject, old, new, reason } = note;
    let mut entry = Entry {
        number: last.number + 1,
        at_us,
        local: local(conn, at_us)?,
        account: by.account.clone(),
        name: by.name.clone(),
        from: by.from.clone(),
        what: what.word().to_owned(),
        subject: subject.clone(),
        old: old.clone(),
        new: new.clone(),
        reason: reason.clone(),
        prev_hash,
        hash: String::new(),
    };
    entry.hash = hash(&entry, &entry.prev_hash);
    let kept = conn.prepare_cached(include_str!("../sql/audit_write.sql"))?.execute(params![
        entry.number,
        entry.at_us,
        entry.local,
        entry.account,
        entry.name,
        entry.from,
        entry.what,
        entry.subject,
        entry.old,
        entry.new,
        entry.reason,
        entry.prev_hash,
        entry.hash,
    ])?;
    let sql = match entry.number {
        1 => "insert into audit_head (one, number, hash) values (1, ?1, ?2)",
        _ => "update audit_head set number = ?1, hash = ?2",
    };
    let followed = conn.prepare_cached(sql)?.execute((entry.number, &entry.hash))?;
    // A trigger of somebody else could let an entry vanish without an error.
    if kept != 1 || followed != 1 {
        return Err(rusqlite::Error::StatementChangedRows(kept.min(followed)));
    }
    Ok(Head { number: entry.number, hash: entry.hash })
}

/// Begins the trail of a journal that has none, within a transaction.
pub(super) fn begin(conn: &Connection) -> Result<()> {
    if head(conn)?.number > 0 {
        return Ok(());
    }
    journal::identify(conn)?;
    let uuid: String =
        conn.query_row("select value from meta where key = 'uuid'", [], |row| row.get(0))?;
    add(conn, &Note::new(&Actor::system(), What::JournalBegun, "journal").change("", uuid))
        .map(drop)
}

/// Keeps the signature of a record by whoever signs, with its entry; nothing where nobody does.
pub(super) fn sign(
    conn: &Connection,
    by: &Actor,
    line: &str,
    record: (Signed, String, String),
) -> Result<()> {
    let at_us = Clock::real().now().utc_us;
    let Some(signature) = Signature::of(by, at_us, line, record) else { return Ok(()) };
    let note = Note::new(by, What::Signed, signature.subject())
        .change(signature.record_sha256.clone(), signature.sha256())
        .why(signature.meaning.clone());
    let entry = add(conn, &note)?;
    conn.prepare_cached(include_str!("../sql/signature_write.sql"))?.execute(params![
        entry.number,
        signature.at_us,
        signature.line,
        signature.kind,
        signature.record,
        signature.record_sha256,
        signature.meaning,
        signature.account,
        signature.name,
    ])?;
    Ok(())
}

/// The end of the trail.
pub(super) fn head(conn: &Connection) -> Result<Head> {
    let mut find = conn.prepare_cached("select number, hash from audit_head")?;
    let found = find.query_row([], |row| Ok(Head { number: row.get(0)?, hash: row.get(1)? }));
    Ok(found.optional()?.unwrap_or_default())
}

/// A moment by the clocks of the plant, with the offset; in UTC where the zone of the plant is not known yet.
fn local(conn: &Connection, at_us: i64) -> Result<String> {
    let mut find = conn.prepare_cached("select value from setting where key = ?1")?;
    let mark: Option<String> = find.query_row([mark::KEY], |row| row.get(0)).optional()?;
    let zone = mark.and_then(mark::PlantMark::parse);
    let zone = zone.and_then(|mark| TimeZone::get(&mark.zone).ok()).unwrap_or(TimeZone::UTC);
    let Ok(at) = Timestamp::from_microsecond(at_us) else { return Ok(String::new()) };
    let offset = zone.to_offset(at);
    Ok(format!("{:.6}", at.display_with_offset(offset)))
}
