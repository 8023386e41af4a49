//! A journal read as a whole, beside a service that goes on writing it: one moment of it, line by line, as tables.
//!
//! A reader that stays keeps the log from being cut. So the view is of one line at a time, and whoever reads takes up
//! a new one for the next.

mod account;
mod plain;
mod readings;
mod timed;
mod what;

use std::path::{Path, PathBuf};

use domain::units::LineId;
use rusqlite::{Connection, OptionalExtension};

use super::error::StoreError;
use super::place::DATABASE;
use super::read::{self, Found};
use super::{copy, journal, record, reports, schema};
use crate::table::{Cell, Column, Wide};

pub use account::{Account, Amount, Part};
pub use what::What;

/// A journal that is read as a whole.
pub struct Extract {
    conn: Connection,
    path: PathBuf,
    dir: PathBuf,
    schema: u32,
    /// A journal of an earlier version is read as a copy that was brought to the present schema.
    _copy: Option<tempfile::TempDir>,
}

/// Told of each row; false to read no further.
pub type Each<'a> = &'a mut dyn FnMut(&[Cell]) -> bool;

/// One line at one moment.
pub struct LineView<'a> {
    extract: &'a Extract,
    line: LineId,
    id: i64,
    wide: Wide,
    zone: jiff::tz::TimeZone,
}

impl Extract {
    /// Opens the journal in a directory to read it, whether a service works on it or not.
    ///
    /// # Errors
    /// No journal, one of a newer version, something else, a damaged one.
    pub fn open(dir: &Path) -> Result<Extract, StoreError> {
        let source = dir.join(DATABASE);
        if !source.is_file() {
            return Err(StoreError::NoJournal { path: dir.to_owned() });
        }
        let dir = dir.to_owned();
        let conn = copy::open(&source)?;
        let schema = schema::recognised(&conn, &source)?;
        if schema == schema::known() {
            return Ok(Extract { conn, path: source, dir, schema, _copy: None });
        }
        drop(conn);
        let place =
            tempfile::tempdir().map_err(|e| StoreError::from_io(&std::env::temp_dir(), e))?;
        let path = place.path().join(DATABASE);
        let quiet: copy::Watch = std::sync::Arc::new(|_| true);
        copy::pack(&source, &path, &quiet)?;
        let mut conn = Connection::open(&path).map_err(|e| StoreError::from_sqlite(&path, e))?;
        schema::migrate(&mut conn, &path)?;
        Ok(Extract { conn, path: source, dir, schema, _copy: Some(place) })
    }

    /// Looks through every page.
    ///
    /// # Errors
    /// What is damaged.
    pub fn check(&self) -> Result<(), StoreError> {
        journal::check(&self.conn, &self.path)
    }

    /// The last step of the schema that the journal has.
    pub fn schema(&self) -> u32 {
        self.schema
    }

    /// The identity of the journal.
    ///
    /// # Errors
    /// A journal without one is damaged.
    pub fn uuid(&self) -> Result<String, StoreError> {
        self.ask(|conn| {
            Ok(conn.query_row("select value from meta where key = 'uuid'", [], |row| row.get(0))?)
        })
    }

    /// A small text that the service kept.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.ask(|conn| {
            let sql = "select value from setting where key = ?1";
            Ok(conn.query_row(sql, [key], |row| row.get(0)).optional()?)
        })
    }

    /// Its lines, in the order in which they came.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn lines(&self) -> Result<Vec<LineId>, StoreError> {
        self.ask(|conn| {
            let mut find = conn.prepare("select name from line order by id")?;
            let names = find.query_map([], |row| row.get::<_, String>(0))?;
            Ok(names.map(|name| name.map(LineId::new)).collect::<rusqlite::Result<_>>()?)
        })
    }

    /// A line as it is at this moment, for as long as the value lives; none of that name.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn view(
        &self,
        line: &LineId,
        zone: &jiff::tz::TimeZone,
    ) -> Result<Option<LineView<'_>>, StoreError> {
        self.ask(|conn| Ok(conn.execute_batch("begin")?))?;
        let found = self.ask(|conn| match record::line_id(conn, line)? {
            Some(id) => Ok(Some((id, read::counters(conn, id)?))),
            None => Ok(None),
        });
        // The first statement has fixed the moment.
        match found {
            Ok(Some((id, counters))) => {
                let counters = counters.into_iter().map(|c| (c.station, c.counted)).collect();
                let (line, zone) = (line.clone(), zone.clone());
                let wide = Wide::new(counters, zone.clone());
                Ok(Some(LineView { extract: self, line, id, wide, zone }))
            }
            other => {
                self.end();
                other.map(|_| None)
            }
        }
    }

    fn end(&self) {
        // What only read has nothing to lose, and a connection that fails here says so with the next question.
        let _ = self.conn.execute_batch("rollback");
    }

    fn ask<T>(&self, ask: impl FnOnce(&Connection) -> Found<T>) -> Result<T, StoreError> {
        ask(&self.conn).map_err(|failure| failure.at(&self.path))
    }
}

impl Drop for LineView<'_> {
    fn drop(&mut self) {
        self.extract.end();
    }
}

impl LineView<'_> {
    /// Which line.
    pub fn line(&self) -> &LineId {
        &self.line
    }

    /// The first and the last moment of which it has anything, UTC microseconds; none of an empty line.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn span(&self) -> Result<Option<(i64, i64)>, StoreError> {
        let found: (Option<i64>, Option<i64>) = self.ask(|conn| {
            let sql = include_str!("../sql/extract/span.sql");
            Ok(conn.query_row(sql, [self.id], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })?;
        Ok(found.0.zip(found.1))
    }

    /// The columns of a table.
    pub fn columns(&self, what: What) -> Vec<Column> {
        match what {
            What::Minutes => self.wide.minute_columns(),
            What::Seconds => self.wide.second_columns(),
            What::Hours | What::Shifts | What::Batches => self.wide.period_columns(),
            What::Readings => readings::columns(),
            _ => plain::of(what).map_or_else(Vec::new, plain::Plain::columns),
        }
    }

    /// The rows of a table in `[from_us, to_us)`, in the order of their columns.
    ///
    /// # Errors
    /// The journal cannot be read, or a row of it is damaged.
    pub fn rows(&self, what: What, span: (i64, i64), each: Each<'_>) -> Result<(), StoreError> {
        match what {
            What::Minutes => self.minutes(span, each),
            What::Seconds => self.seconds(span, each),
            What::Hours | What::Shifts | What::Batches => self.periods(what, span, each),
            What::Readings => self.readings(span, each),
            _ => match plain::of(what) {
                Some(plain) => self.ask(|conn| plain.rows(conn, self.id, span, &self.zone, each)),
                None => Ok(()),
            },
        }
    }

    /// The page of a final report, compared with the hash that it was stored under.
    ///
    /// # Errors
    /// The page is damaged.
    pub fn page(&self, number: i64) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|conn| reports::page(conn, self.id, number))
    }

    pub(in crate::historian) fn id(&self) -> i64 {
        self.id
    }

    pub(in crate::historian) fn ask<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Found<T>,
    ) -> Result<T, StoreError> {
        self.extract.ask(ask)
    }
}
