//! Copies of whole databases, made while others write: one reader's view, packed, synced before it has its name.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::journal;

/// Instructions of SQLite's machine between two reports.
const REPORT_EVERY: i32 = 20_000;

/// Told of bytes that are done; false to give up.
pub(super) type Watch = Arc<dyn Fn(u64) -> bool + Send + Sync>;

/// Writes a copy of a database to a path where nothing is, packed and synced. The name of the copy is not durable yet.
///
/// `VACUUM INTO` sees one moment of the source however long it takes, and a writer goes on beside it.
pub(super) fn pack(from: &Path, to: &Path, watch: &Watch) -> Result<(), StoreError> {
    let fail = |e: rusqlite::Error| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::OperationInterrupted) => StoreError::Closed,
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            StoreError::from_sqlite(from, e)
        }
        _ => StoreError::from_sqlite(to, e),
    };
    let mut conn = open(from)?;
    let (watched, told) = (to.to_owned(), watch.clone());
    conn.progress_handler(REPORT_EVERY, Some(move || !told(journal::bytes(&watched))))
        .map_err(fail)?;
    conn.execute("vacuum into ?1", [to.to_string_lossy()]).map_err(fail)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(|e| StoreError::from_io(to, e))
}

/// A connection that only reads, also from a directory that nobody works in.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let fail = |e| StoreError::from_sqlite(path, e);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
    conn.busy_timeout(Duration::from_secs(5)).map_err(fail)?;
    Ok(conn)
}

/// Copies a file byte by byte and syncs it. The name of the copy is not durable yet.
pub(super) fn file(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::copy(from, to)
        .and_then(|_| File::open(to)?.sync_all())
        .map_err(|e| StoreError::from_io(to, e))
}
