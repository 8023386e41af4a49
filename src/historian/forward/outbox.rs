//! The journal's side: which changes there are, and their rows as columns.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::units::HOUR_US;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::stream::{Kind, Stream, Table};
use crate::historian::error::StoreError;
use crate::historian::read::{Failure, Found, Readers};
use crate::historian::rebirth::{self, Lost};

/// A batch that takes longer than this is read with a smaller limit by the next attempt.
const READ_DEADLINE: Duration = Duration::from_secs(20);

/// A day of UTC.
pub(super) const DAY_US: i64 = 24 * HOUR_US;

/// Readers of our own: a screen that asks much must not hold forwarding up, nor the other way.
pub(super) struct Outbox(Readers);

/// A column of a batch, as an array of PostgreSQL.
#[derive(Debug)]
pub(super) enum Column {
    Number(Vec<Option<i64>>),
    Flag(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
    Time(Vec<Option<SystemTime>>),
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
            // Fewer than asked for: there is nothing more up to there, and numbers that have moved on are skipped.
            let upto = if n < limit { upto } else { last.unwrap_or(upto) };
            let rows = rows(conn, stream, after, upto)?;
            Ok(Batch { after, upto, n, mark: mark(conn, stream, upto)?, rows })
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

fn bounds(
    conn: &Connection,
    stream: &Stream,
    after: i64,
    upto: i64,
    limit: i64,
) -> Found<(Option<i64>, i64)> {
    let source = stream.source;
    let sql = format!(
        "select max(seq), count(*) from
           (select seq from {source} where seq > ?1 and seq <= ?2 order by seq limit ?3)"
    );
    let mut find = conn.prepare_cached(&sql)?;
    Ok(find.query_row((after, upto, limit), |row| Ok((row.get(0)?, row.get(1)?)))?)
}

fn rows(conn: &Connection, stream: &'static Stream, after: i64, upto: i64) -> Found<Vec<Rows>> {
    stream.tables.iter().map(|table| table_rows(conn, table, after, upto)).collect()
}

fn table_rows(conn: &Connection, table: &'static Table, after: i64, upto: i64) -> Found<Rows> {
    let mut columns: Vec<Column> = table.kinds.iter().map(|kind| Column::new(*kind)).collect();
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
            Kind::Number => Column::Number(Vec::new()),
            Kind::Flag => Column::Flag(Vec::new()),
            Kind::Text => Column::Text(Vec::new()),
            Kind::Time => Column::Time(Vec::new()),
        }
    }

    fn push(&mut self, row: &Row<'_>, place: usize) -> Result<(), String> {
        let value = row.get_ref(place).map_err(|error| error.to_string())?;
        let number = || match value {
            ValueRef::Integer(n) => Ok(Some(n)),
            ValueRef::Null => Ok(None),
            other => Err(format!("column {place} holds {}", other.data_type())),
        };
        match self {
            Column::Number(all) => all.push(number()?),
            Column::Flag(all) => all.push(number()?.map(|n| n != 0)),
            Column::Time(all) => all.push(number()?.map(instant)),
            Column::Text(all) => all.push(match value {
                // What is no UTF-8 is shown as such rather than kept from all others.
                ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Null => None,
                other => return Err(format!("column {place} holds {}", other.data_type())),
            }),
        }
        Ok(())
    }

    /// As a parameter.
    pub(super) fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Column::Number(all) => all,
            Column::Flag(all) => all,
            Column::Text(all) => all,
            Column::Time(all) => all,
        }
    }

    /// One value as JSON, for a person.
    fn json(&self, row: usize) -> serde_json::Value {
        match self {
            Column::Number(all) => serde_json::json!(all.get(row)),
            Column::Flag(all) => serde_json::json!(all.get(row)),
            Column::Text(all) => serde_json::json!(all.get(row)),
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

    /// All rows as JSON: a list of lists.
    pub(super) fn json(&self) -> serde_json::Value {
        let row = |n| self.columns.iter().map(|column| column.json(n)).collect::<Vec<_>>();
        serde_json::json!({ self.table.name: (0..self.n).map(row).collect::<Vec<_>>() })
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
