//! The journal's side: which changes there are, and their rows as columns.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::audit::Head;
use domain::units::HOUR_US;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::names::Dictionary;
use super::stream::{Kind, Stream, Table};
use crate::historian::audit;
use crate::historian::error::StoreError;
use crate::historian::read::{Failure, Found, Readers};
use crate::historian::rebirth::{self, Lost};
use crate::historian::reports;

/// A batch that takes longer than this is read with a smaller limit by the next attempt.
const READ_DEADLINE: Duration = Duration::from_secs(20);

/// A batch weighs no more than this, but for a single change that does.
const BATCH_BYTES: i64 = 4 << 20;

/// A day of UTC.
pub(super) const DAY_US: i64 = 24 * HOUR_US;

/// Readers of our own: a screen that asks much must not hold forwarding up, nor the other way.
pub(super) struct Outbox(Readers);

/// A column of a batch, as an array of PostgreSQL.
#[derive(Debug)]
pub(super) enum Column {
    Number(Vec<Option<i64>>),
    Flag(Vec<Option<bool>>),
    Real(Vec<Option<f64>>),
    Text(Vec<Option<String>>),
    Time(Vec<Option<SystemTime>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

/// The rows of a table in a batch.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) table: &'static Table,
    pub(super) columns: Vec<Column>,
    pub(super) n: usize,
}

/// The changes after `after` up to `upto`, of which there are `n`, with all their rows.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) after: i64,
    pub(super) upto: i64,
    pub(super) n: i64,
    /// The mark of the change `upto`.
    pub(super) mark: Option<i64>,
    pub(super) rows: Vec<Rows>,
}

impl Outbox {
    pub(super) fn new(path: &Path) -> Outbox {
        Outbox(Readers::new(path, "", READ_DEADLINE))
    }

    /// Asks where waiting is allowed.
    pub(super) async fn ask<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&Outbox) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let outbox = self.clone();
        match tokio::task::spawn_blocking(move || ask(&outbox)).await {
            Ok(answer) => answer,
            // Only a runtime that is going takes a question away.
            Err(_) => Err(StoreError::Closed.into()),
        }
    }

    /// The number of a stream's last change, 0 if there was none.
    pub(super) fn head(&self, stream: &Stream) -> Result<i64, StoreError> {
        let sql = format!("select coalesce(max(seq), 0) from {}", stream.source);
        self.0.query(|conn| Ok(conn.prepare_cached(&sql)?.query_row([], |row| row.get(0))?))
    }

    /// What tells the change of this number from another one with it; none where it has moved on.
    pub(super) fn mark(&self, stream: &Stream, seq: i64) -> Result<Option<i64>, StoreError> {
        self.0.query(|conn| mark(conn, stream, seq))
    }

    /// Numbers that this journal has lost, because it went on from a copy.
    pub(super) fn lost(&self, stream: &Stream) -> Result<Option<Lost>, StoreError> {
        self.0.query(|conn| Ok(rebirth::lost(conn, stream.source)?))
    }

    /// The identity of the journal that this one was restored from.
    pub(super) fn parent(&self) -> Result<Option<Uuid>, StoreError> {
        let text = self.0.query(|conn| Ok(rebirth::parent(conn)?))?;
        Ok(text.and_then(|text| Uuid::parse_str(&text).ok()))
    }

    /// The end of the audit trail.
    pub(super) fn audit_head(&self) -> Result<Head, StoreError> {
        self.0.query(|conn| Ok(audit::head(conn)?))
    }

    /// The next changes after a number, at most `limit` of them and none beyond `upto`.
    pub(super) fn batch(
        &self,
        stream: &'static Stream,
        after: i64,
        upto: i64,
        limit: i64,
    ) -> Result<Batch, StoreError> {
        self.0.query(|conn| {
            let (last, n) = bounds(conn, stream, after, upto, limit)?;
            let upto = last.unwrap_or(upto);
            let rows = rows(conn, stream, after, upto)?;
            Ok(Batch { after, upto, n, mark: mark(conn, stream, upto)?, rows })
        })
    }

    /// The names of all lines and counters.
    pub(super) fn names(&self) -> Result<Dictionary, StoreError> {
        self.0.query(|conn| {
            let mut find = conn.prepare_cached(include_str!("../sql/outbox/names.sql"))?;
            let mut rows = find.query([])?;
            let mut names = Dictionary::default();
            while let Some(row) = rows.next()? {
                let (id, line): (i64, String) = (row.get(0)?, row.get(1)?);
                if let Some(counter) = row.get(2)? {
                    let name = [line.clone(), row.get(3)?, row.get(4)?, row.get(5)?];
                    names.counters.insert(counter, name);
                }
                names.lines.insert(id, line);
            }
            Ok(names)
        })
    }

    /// The rows of what has no number yet.
    pub(super) fn present(&self, stream: &'static Stream) -> Result<Vec<Rows>, StoreError> {
        self.0.query(|conn| rows(conn, stream, 0, i64::MAX))
    }
}

fn mark(conn: &Connection, stream: &Stream, seq: i64) -> Found<Option<i64>> {
    let sql = format!("select {} from {} where seq = ?1", stream.mark, stream.source);
    Ok(conn.prepare_cached(&sql)?.query_row([seq], |row| row.get(0)).optional()?)
}

/// The last of the next changes and how many they are: some, and no more than a batch may weigh.
fn bounds(
    conn: &Connection,
    stream: &Stream,
    after: i64,
    upto: i64,
    limit: i64,
) -> Found<(Option<i64>, i64)> {
    let Stream { source, bytes, .. } = stream;
    let sql = format!(
        "select seq, {bytes} from {source} where seq > ?1 and seq <= ?2 order by seq limit ?3"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let mut changes = find.query((after, upto, limit))?;
    let (mut last, mut n, mut weight) = (None, 0, 0);
    while let Some(change) = changes.next()? {
        weight += change.get::<_, i64>(1)?;
        if weight > BATCH_BYTES && n > 0 {
            return Ok((last, n));
        }
        (last, n) = (Some(change.get(0)?), n + 1);
    }
    // Fewer than asked for: there is nothing more up to there, and numbers that have moved on are skipped.
    Ok(if n < limit { (Some(upto), n) } else { (last, n) })
}

fn rows(conn: &Connection, stream: &'static Stream, after: i64, upto: i64) -> Found<Vec<Rows>> {
    stream.tables.iter().map(|table| table_rows(conn, table, after, upto)).collect()
}

fn table_rows(conn: &Connection, table: &'static Table, after: i64, upto: i64) -> Found<Rows> {
    let mut columns: Vec<Column> =
        table.columns.iter().map(|(_, kind)| Column::new(*kind)).collect();
    let mut n = 0;
    let mut find = conn.prepare_cached(table.read)?;
    let mut found = find.query((after, upto))?;
    while let Some(row) = found.next()? {
        for (place, column) in columns.iter_mut().enumerate() {
            column.push(row, place).map_err(|what| {
                Failure::Damaged(format!("{} {n} after {after}: {what}", table.name))
            })?;
        }
        n += 1;
    }
    Ok(Rows { table, columns, n })
}

impl Column {
    fn new(kind: Kind) -> Column {
        match kind {
            Kind::Number | Kind::Line | Kind::Counter => Column::Number(Vec::new()),
            Kind::Flag => Column::Flag(Vec::new()),
            Kind::Real => Column::Real(Vec::new()),
            Kind::Text | Kind::Json => Column::Text(Vec::new()),
            Kind::Time => Column::Time(Vec::new()),
            Kind::Page => Column::Bytes(Vec::new()),
        }
    }

    fn push(&mut self, row: &Row<'_>, place: usize) -> Result<(), String> {
        let value = row.get_ref(place).map_err(|error| error.to_string())?;
        let strange = || format!("column {place} holds {}", value.data_type());
        let number = || match value {
            ValueRef::Integer(n) => Ok(Some(n)),
            ValueRef::Null => Ok(None),
            _ => Err(strange()),
        };
        match self {
            Column::Number(all) => all.push(number()?),
            Column::Flag(all) => all.push(number()?.map(|n| n != 0)),
            Column::Time(all) => all.push(number()?.map(instant)),
            Column::Real(all) => all.push(match value {
                ValueRef::Real(x) => Some(x),
                ValueRef::Null => None,
                _ => return Err(strange()),
            }),
            Column::Bytes(all) => all.push(match value {
                ValueRef::Blob(packed) => Some(reports::unpack(packed)?),
                ValueRef::Null => None,
                _ => return Err(strange()),
            }),
            Column::Text(all) => all.push(match value {
                // What is no UTF-8 is shown as such rather than kept from all others.
                ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Null => None,
                _ => return Err(strange()),
            }),
        }
        Ok(())
    }

    /// As a parameter.
    pub(super) fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Column::Number(all) => all,
            Column::Flag(all) => all,
            Column::Real(all) => all,
            Column::Text(all) => all,
            Column::Time(all) => all,
            Column::Bytes(all) => all,
        }
    }

    /// One value as JSON, for a person.
    pub(super) fn json(&self, row: usize) -> serde_json::Value {
        match self {
            Column::Number(all) => serde_json::json!(all.get(row)),
            Column::Flag(all) => serde_json::json!(all.get(row)),
            Column::Real(all) => serde_json::json!(all.get(row)),
            Column::Text(all) => serde_json::json!(all.get(row)),
            Column::Bytes(all) => {
                let n = all.get(row).and_then(Option::as_ref).map(Vec::len);
                serde_json::json!(n.map(|n| format!("{n} bytes")))
            }
            Column::Time(all) => {
                let us = all.get(row).copied().flatten().map(micros);
                serde_json::json!(us)
            }
        }
    }
}

impl Rows {
    /// The days that the rows are of, as days since 1970; the first column of times is when a row is of.
    pub(super) fn days(&self) -> HashSet<i64> {
        let times = self.columns.iter().find_map(|column| match column {
            Column::Time(times) => Some(times),
            _ => None,
        });
        let times = times.into_iter().flatten().copied().flatten();
        times.map(|at| micros(at).div_euclid(DAY_US)).collect()
    }

    /// Of what kind the columns are.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.table.columns.iter().map(|(_, kind)| *kind)
    }
}

/// A moment as PostgreSQL takes it.
pub(in crate::historian) fn instant(us: i64) -> SystemTime {
    let span = Duration::from_micros(us.unsigned_abs());
    let moved = if us < 0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) };
    moved.unwrap_or(UNIX_EPOCH)
}

pub(in crate::historian) fn micros(at: SystemTime) -> i64 {
    match at.duration_since(UNIX_EPOCH) {
        Ok(span) => i64::try_from(span.as_micros()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
    }
}
