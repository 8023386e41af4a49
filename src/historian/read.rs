//! Queries. Readers stand beside the writer and never hold it up: a few connections, each query with a deadline.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::line::counter::Baseline;
use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, Minute, Tally, join_weights};
use domain::line::second::Seconds;
use domain::line::weighing::Sequence;
use domain::line::weight::{Series, WeightTally};
use domain::units::{Count, LineId, Moment, StationId, TagId};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use super::error::StoreError;
use super::record::{self, BaselineRow};
use super::{DeviceTags, Resume, StoredState, raw as days};
use super::{hours, journal, lines};

/// Connections at most. More would only wait for the same disk, each with a cache of its own.
pub(super) const READERS: usize = 4;
/// Events that a start gets to see.
const RESUME_EVENTS: usize = 50;
/// Instructions of SQLite's machine between two looks at the clock.
const LOOK_EVERY: i32 = 1_000;

/// The reading side of the journal.
pub(super) struct Readers {
    path: PathBuf,
    boot: String,
    deadline: Duration,
    idle: Mutex<Idle>,
    returned: Condvar,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    n_out: usize,
}

/// What a query gives: values, or an error of SQLite, or a frame that does not decode.
pub(super) type Found<T> = Result<T, Failure>;

/// Why a query failed, before the path is put to it.
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Damaged(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(cause: rusqlite::Error) -> Failure {
        Failure::Sql(cause)
    }
}

impl Failure {
    /// The error of the journal at a path.
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Failure::Sql(cause) => StoreError::from_sqlite(path, cause),
            Failure::Damaged(finding) => StoreError::Damaged { path: path.to_owned(), finding },
        }
    }
}

impl Readers {
    pub(super) fn new(path: &Path, boot: &str, deadline: Duration) -> Readers {
        let (path, boot) = (path.to_owned(), boot.to_owned());
        Readers { path, boot, deadline, idle: Mutex::default(), returned: Condvar::new() }
    }

    /// Runs a query within the deadline; waiting for a connection counts.
    pub(super) fn query<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Found<T>,
    ) -> Result<T, StoreError> {
        let until = self.until();
        let mut conn = self.take(until)?;
        let found = match limit(&mut conn, Some(until)) {
            // A transaction, so that several statements see the same moment.
            Ok(()) => conn.unchecked_transaction().map_err(Failure::Sql).and_then(|tx| ask(&tx)),
            Err(cause) => Err(Failure::Sql(cause)),
        };
        self.give_back(conn);
        found.map_err(|failure| self.explain(failure))
    }

    /// The directory of the journal.
    pub(super) fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// When a query that begins now is broken off.
    pub(super) fn until(&self) -> Instant {
        Instant::now() + self.deadline
    }

    fn explain(&self, failure: Failure) -> StoreError {
        match failure {
            Failure::Sql(cause)
                if cause.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
            {
                self.too_slow()
            }
            other => other.at(&self.path),
        }
    }

    pub(super) fn too_slow(&self) -> StoreError {
        StoreError::TooSlow { seconds: self.deadline.as_secs_f32() }
    }

    fn take(&self, until: Instant) -> Result<Connection, StoreError> {
        let mut idle = self.idle();
        while idle.n_out >= READERS {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.too_slow());
            }
            let woken = self.returned.wait_timeout(idle, left);
            idle = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        idle.n_out += 1;
        match idle.connections.pop() {
            Some(conn) => Ok(conn),
            None => connect(&self.path).inspect_err(|_| idle.n_out -= 1),
        }
    }

    fn give_back(&self, mut conn: Connection) {
        let usable = limit(&mut conn, None).is_ok() && conn.is_autocommit();
        let mut idle = self.idle();
        idle.n_out -= 1;
        if usable {
            idle.connections.push(conn);
        }
        self.returned.notify_one();
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.query(|conn| {
            let mut find = conn.prepare_cached("select value from setting where key = ?1")?;
            Ok(find.query_row([key], |row| row.get(0)).optional()?)
        })
    }

    pub(super) fn uuid(&self) -> Result<String, StoreError> {
        self.query(|conn| {
            Ok(conn.query_row("select value from meta where key = 'uuid'", [], |row| row.get(0))?)
        })
    }

    pub(super) fn minutes(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Minute>, StoreError> {
        self.query(|conn| match record::line_id(conn, line)? {
            Some(line) => hours::minutes(conn, line, (from_us, to_us), limit),
            None => Ok(Vec::new()),
        })
    }

    pub(super) fn seconds(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Seconds>, StoreError> {
        self.query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(Vec::new()) };
            let args = params![line, from_us, to_us, sql_limit(limit)];
            seconds(conn, line, include_str!("sql/second_blocks_read.sql"), args)
        })
    }

    pub(super) fn weights(
        &self,
        line: &LineId,
        span: (i64, i64),
    ) -> Result<Vec<(i64, WeightTally)>, StoreError> {
        self.query(|conn| match record::line_id(conn, line)? {
            Some(line) => weights(conn, line, span),
            None => Ok(Vec::new()),
        })
    }

    pub(super) fn events(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        kinds: Option<&[EventKind]>,
        limit: usize,
    ) -> Result<Vec<(i64, Event)>, StoreError> {
        self.query(|conn| match record::line_id(conn, line)? {
            Some(line) => events(conn, line, (from_us, to_us), kinds, limit),
            None => Ok(Vec::new()),
        })
    }

    /// Bytes and snapshots of all frames.
    pub(super) fn frame_sizes(&self) -> Result<(u64, u64), StoreError> {
        let sql = "select coalesce(sum(length(data)), 0), coalesce(sum(snapshots), 0) from frame";
        self.query(|conn| {
            let found = conn.query_row(sql, [], |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
            });
            Ok(found?)
        })
    }

    pub(super) fn described(
        &self,
        line: &LineId,
        at_us: i64,
    ) -> Result<Vec<DeviceTags>, StoreError> {
        let run = days::run_at(self.dir(), line.as_str(), at_us)?;
        self.query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(Vec::new()) };
            let mut find = conn.prepare_cached(include_str!("sql/layout_read.sql"))?;
            let found =
                find.query_row((line, at_us, run), |row| row.get::<_, String>(0)).optional()?;
            let devices = found.map(|json| record::devices(&json)).transpose();
            Ok(devices.map_err(Failure::Damaged)?.unwrap_or_default())
        })
    }

    pub(super) fn resume(&self, line: &LineId, since_us: i64) -> Result<Resume, StoreError> {
        self.query(|conn| match record::line_id(conn, line)? {
            Some(line) => resume(conn, line, since_us, &self.boot),
            None => Ok(Resume::default()),
        })
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let fail = |e| StoreError::from_sqlite(path, e);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
    conn.busy_timeout(Duration::from_secs(1)).map_err(fail)?;
    conn.execute_batch(include_str!("sql/pragmas_reader.sql")).map_err(fail)?;
    Ok(conn)
}

/// Looks through the whole file on a connection of its own, for files that are too large to be looked through at
/// the start. It has no deadline: the log grows meanwhile, and is cut afterwards.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    journal::check(&connect(path)?, path)
}

/// Puts a time to a connection after which its query is broken off, or takes it away.
fn limit(conn: &mut Connection, until: Option<Instant>) -> rusqlite::Result<()> {
    conn.progress_handler(LOOK_EVERY, until.map(|until| move || Instant::now() >= until))
}

/// An entry of the dictionary of counters.
pub(super) struct Counter {
    pub(super) id: i64,
    pub(super) station: StationId,
    pub(super) counted: Counted,
}

impl Counter {
    pub(super) fn tally(&self, count: Count) -> Tally {
        Tally { station: self.station.clone(), counted: self.counted.clone(), count }
    }
}

pub(super) fn counters(conn: &Connection, line: i64) -> Found<Vec<Counter>> {
    let mut find = conn.prepare_cached(include_str!("sql/counters_read.sql"))?;
    let mut rows = find.query([line])?;
    let mut counters = Vec::new();
    while let Some(row) = rows.next()? {
        let (word, reason): (String, String) = (row.get(2)?, row.get(3)?);
        let counted = Counted::from_words(&word, &reason)
            .ok_or_else(|| Failure::Damaged(format!("counter: `{word}` is nothing we count")))?;
        let station = StationId::new(row.get::<_, String>(1)?);
        counters.push(Counter { id: row.get(0)?, station, counted });
    }
    Ok(counters)
}

pub(super) fn events(
    conn: &Connection,
    line: i64,
    (from_us, to_us): (i64, i64),
    kinds: Option<&[EventKind]>,
    limit: usize,
) -> Found<Vec<(i64, Event)>> {
    let words = kinds.map(|kinds| kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>());
    let words = words.map(|words| serde_json::Value::from(words).to_string());
    let mut find = conn.prepare_cached(include_str!("sql/events_read.sql"))?;
    let found = find
        .query_map(params![line, from_us, to_us, words, sql_limit(limit)], record::event)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(found)
}

pub(super) fn seconds(
    conn: &Connection,
    line: i64,
    sql: &str,
    args: &[&dyn rusqlite::ToSql],
) -> Found<Vec<Seconds>> {
    let dictionary = counters(conn, line)?;
    let lookup = |id: i64| {
        let counter = dictionary.iter().find(|counter| counter.id == id)?;
        Some((counter.station.clone(), counter.counted.clone()))
    };
    let mut find = conn.prepare_cached(sql)?;
    let found = find.query_map(args, |row| record::second_block(row, lookup))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Weights of minutes that started in a span, by minute, station, series and bore.
fn weights(
    conn: &Connection,
    line: i64,
    (from_us, to_us): (i64, i64),
) -> Found<Vec<(i64, WeightTally)>> {
    let mut find = conn.prepare_cached(include_str!("sql/minute_weights_read.sql"))?;
    let found = find.query_map((line, from_us, to_us), record::weight)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn weighings(conn: &Connection, line: i64) -> Found<Vec<(StationId, Series, Sequence)>> {
    let sql = "select station, series, sequence from weighing where line = ?1";
    let mut find = conn.prepare_cached(sql)?;
    Ok(find.query_map([line], record::weighing)?.collect::<rusqlite::Result<_>>()?)
}

fn resume(conn: &Connection, line: i64, since_us: i64, boot: &str) -> Found<Resume> {
    let mut resume = Resume {
        weighings: weighings(conn, line)?,
        baselines: baselines(conn, line)?,
        minutes: hours::minutes(conn, line, (since_us, i64::MAX), usize::MAX)?,
        seconds: open_seconds(conn, line, since_us)?,
        states: states(conn, line)?,
        ..Resume::default()
    };
    join_weights(&mut resume.minutes, weights(conn, line, (since_us, i64::MAX))?);
    let latest = events(conn, line, (i64::MIN, i64::MAX), None, RESUME_EVENTS)?;
    resume.events = latest.into_iter().map(|(_, event)| event).collect();
    resume.past.open_stop = lines::open_stop(conn, line)?;
    resume.past.rollups = lines::open_rollups(conn, line, since_us)?;
    resume.past.balance = lines::balance(conn, line)?;
    let mut find = conn.prepare_cached(include_str!("sql/line_read.sql"))?;
    find.query_row((line, boot), |row| {
        resume.tick_seq = row.get::<_, i64>(0)? as u64;
        let clocks: (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
        if let (Some(utc_us), Some(mono_us)) = clocks {
            resume.last_tick = Some(Moment { utc_us, mono_us });
        }
        resume.same_boot = row.get(3)?;
        resume.total = record::count(row, 4)?.unwrap_or(Count::ZERO);
        let booked: (Option<i64>, Option<i64>) = (row.get(7)?, row.get(8)?);
        if let (Some(utc_us), Some(mono_us)) = booked {
            resume.past.last = Some(Moment { utc_us, mono_us });
        }
        resume.past.last_stop = row.get::<_, Option<i64>>(9)?.unwrap_or(0) as u64;
        resume.past.same_boot = resume.same_boot;
        Ok(())
    })?;
    Ok(resume)
}

fn open_seconds(conn: &Connection, line: i64, since_us: i64) -> Found<Vec<Seconds>> {
    let sql = include_str!("sql/second_blocks_open_read.sql");
    seconds(conn, line, sql, params![line, since_us])
}

fn baselines(conn: &Connection, line: i64) -> Found<Vec<(TagId, Baseline)>> {
    let mut find = conn.prepare_cached(include_str!("sql/baselines_read.sql"))?;
    let mut rows = find.query([line])?;
    let mut baselines = Vec::new();
    while let Some(row) = rows.next()? {
        let tag: String = row.get(0)?;
        let stored = BaselineRow {
            raw: row.get::<_, i64>(1)? as u64,
            total: record::count(row, 2)?.unwrap_or(Count::ZERO),
            at: Moment { utc_us: row.get(5)?, mono_us: row.get(6)? },
            detail: row.get(7)?,
        };
        let baseline = record::baseline(&stored)
            .map_err(|problem| Failure::Damaged(format!("baseline of {tag}: {problem}")))?;
        baselines.push((TagId::new(tag), baseline));
    }
    Ok(baselines)
}

fn states(conn: &Connection, line: i64) -> Found<Vec<StoredState>> {
    let mut find = conn.prepare_cached(include_str!("sql/states_read.sql"))?;
    Ok(find.query_map([line], record::state)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
