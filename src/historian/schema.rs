//! Which tables a journal has: ordered migrations, each applied once and remembered with its checksum.

use std::path::Path;

use domain::digest::sha256;
use rusqlite::{Connection, OptionalExtension};

use super::error::StoreError;

/// "CAPL", so that `file` and we can tell a journal from any other database.
const APPLICATION_ID: i64 = 0x4341_504c;

struct Migration {
    step: u32,
    sql: &'static str,
}

/// Never edit a step that was released: add one.
const MIGRATIONS: &[Migration] = &[
    Migration { step: 1, sql: include_str!("sql/0001_tables.sql") },
    Migration { step: 2, sql: include_str!("sql/0002_quality.sql") },
    Migration { step: 3, sql: include_str!("sql/0003_outbox.sql") },
    Migration { step: 4, sql: include_str!("sql/0004_hand.sql") },
    Migration { step: 5, sql: include_str!("sql/0005_seconds.sql") },
    Migration { step: 6, sql: include_str!("sql/0006_weights.sql") },
    Migration { step: 7, sql: include_str!("sql/0007_hours.sql") },
    Migration { step: 8, sql: include_str!("sql/0008_reports.sql") },
    Migration { step: 9, sql: include_str!("sql/0009_records.sql") },
    Migration { step: 10, sql: include_str!("sql/0010_andon.sql") },
    Migration { step: 11, sql: include_str!("sql/0011_users.sql") },
    Migration { step: 12, sql: include_str!("sql/0012_audit.sql") },
    Migration { step: 13, sql: include_str!("sql/0013_trust.sql") },
];

/// Brings a new or older journal to the present schema; refuses everything else and changes nothing then.
pub(super) fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |e| StoreError::from_sqlite(path, e);
    recognise(conn, path)?;
    let tx = conn.transaction().map_err(fail)?;
    tx.execute_batch(include_str!("sql/migration.sql")).map_err(fail)?;
    let known = known();
    let found: u32 = tx
        .query_row("select coalesce(max(step), 0) from migration", [], |row| row.get(0))
        .map_err(fail)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    for migration in MIGRATIONS {
        apply(&tx, migration, path)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(fail)?;
    tx.commit().map_err(fail)
}

/// The last step that this version knows.
pub(super) fn known() -> u32 {
    MIGRATIONS.iter().map(|migration| migration.step).max().unwrap_or(0)
}

/// Whether this is a journal that this version can read, and the last step of its schema. Changes nothing.
pub(super) fn recognised(conn: &Connection, path: &Path) -> Result<u32, StoreError> {
    recognise(conn, path)?;
    let found: u32 = conn
        .query_row("select coalesce(max(step), 0) from migration", [], |row| row.get(0))
        .map_err(|e| StoreError::from_sqlite(path, e))?;
    let known = known();
    match found > known {
        true => Err(StoreError::Newer { path: path.to_owned(), found, known }),
        false => Ok(found),
    }
}

fn recognise(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |e| StoreError::from_sqlite(path, e);
    let id: i64 = conn.query_row("pragma application_id", [], |row| row.get(0)).map_err(fail)?;
    let tables: i64 =
        conn.query_row("select count(*) from sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
    match id == APPLICATION_ID || tables == 0 {
        true => Ok(()),
        false => Err(StoreError::NotAJournal {
            path: path.to_owned(),
            found: "a database of another program",
        }),
    }
}

fn apply(conn: &Connection, migration: &Migration, path: &Path) -> Result<(), StoreError> {
    let fail = |e| StoreError::from_sqlite(path, e);
    let checksum = sha256(migration.sql);
    let stored: Option<String> = conn
        .query_row("select sha256 from migration where step = ?1", [migration.step], |row| {
            row.get(0)
        })
        .optional()
        .map_err(fail)?;
    match stored {
        Some(stored) if stored == checksum => Ok(()),
        Some(_) => Err(StoreError::Foreign { path: path.to_owned(), step: migration.step }),
        None => {
            conn.execute_batch(migration.sql).map_err(fail)?;
            conn.execute(
                "insert into migration (step, sha256) values (?1, ?2)",
                (migration.step, checksum),
            )
            .map_err(fail)?;
            Ok(())
        }
    }
}
