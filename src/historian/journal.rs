//! The database: opened, brought to the present schema, appended to, pruned, checkpointed. One thread owns it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::audit::{Actor, Note, What};
use domain::line::stop::revision::{self, Act, Revision};
use domain::units::{LineId, MINUTE_US, Moment};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};
use uuid::Uuid;

use super::Tick;
use super::audit;
use super::error::StoreError;
use super::heal;
use super::lines;
use super::place::{Place, RESERVE};
use super::read::Failure;
use super::record::{self, Scope};
use super::schema;

/// Pages of a quarter of the usual size. A tick touches about ten pages and the log takes each of them whole, so that
/// the size of a page decides what a day of counting does to the flash: 5.9 GB with 1 KiB, 7.7 with 2, 11.0 with 4
/// (one line, 250 ms ticks, before seconds were kept; `capline bench store` tells what it is now). Below 1 KiB the blocks
/// of the file system take the gain away.
const PAGE_BYTES: i64 = 1024;
/// Above this the check of the whole file would keep the line from starting, and runs beside it.
pub(super) const CHECK_AT_START_BYTES: u64 = 256 << 20;
/// The log is cut back when it has grown beyond this, which takes a reader that stays for minutes.
const MAX_WAL_BYTES: u64 = 64 << 20;
/// How long to wait before cutting the log is tried again.
const CUT_AGAIN_AFTER: Duration = Duration::from_secs(10);
/// Frames and blocks of seconds that one prune removes at most for each line.
const PRUNE_FRAMES: i64 = 500;

/// The open database and the directory that it has for itself.
pub(super) struct Journal {
    // Before the place: fields are dropped in order, and the lock must outlive the connection.
    conn: Connection,
    place: Place,
    path: PathBuf,
    run: i64,
    keep_raw_us: i64,
    keep_seconds_us: i64,
    pruned_us: i64,
    cut_at: Option<Instant>,
    /// Where the head of the trail is kept a second time.
    beside: audit::Beside,
}

impl Journal {
    /// Opens the journal in a directory, makes it where there is none.
    pub(super) fn open(
        dir: &Path,
        keep_raw: Duration,
        boot: &str,
        now: Moment,
    ) -> Result<Journal, StoreError> {
        let place = Place::claim(dir)?;
        let path = place.database();
        let conn = match sound(&path, !place.beside(heal::COPY).exists()) {
            Err(damage) if heal::is_damage(&damage) => {
                heal::heal(&place, damage, now, |path| sound(path, false))?
            }
            conn => conn?,
        };
        let run = begin_run(&conn, boot, now).map_err(|e| StoreError::from_sqlite(&path, e))?;
        // After the first write, so that the log has its name too, and before anything is acknowledged.
        place.sync()?;
        let (keep_raw_us, keep_seconds_us) = (us(keep_raw), i64::MAX);
        let (pruned_us, cut_at) = (i64::MIN, None);
        let beside = audit::Beside::new(dir);
        let mut journal = Journal {
            conn,
            place,
            path,
            run,
            keep_raw_us,
            keep_seconds_us,
            pruned_us,
            cut_at,
            beside,
        };
        journal.tell_head();
        Ok(journal)
    }

    /// Keeps seconds for so long; without it they stay.
    pub(super) fn keep_seconds(&mut self, keep: Duration) {
        self.keep_seconds_us = us(keep);
    }

    /// Where the database lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Stores ticks in one transaction, each whole or not at all; a tick that is refused leaves the others alone.
    /// The answers come in the order of the ticks and are final: an error means not stored.
    pub(super) fn append(&mut self, ticks: &[&Tick]) -> Vec<Result<(), StoreError>> {
        let run = self.run;
        let mut done = append_all(&mut self.conn, run, ticks);
        if done.as_ref().is_err_and(is_full) && self.give_reserve() {
            done = append_all(&mut self.conn, run, ticks);
        }
        match done {
            Ok(answers) => {
                if ticks.iter().any(|tick| tick.is_noted()) {
                    self.tell_head();
                }
                answers.into_iter().map(|answer| self.explain(answer)).collect()
            }
            Err(cause) => {
                let error = StoreError::from_sqlite(&self.path, cause);
                if matches!(error, StoreError::Disk { .. }) {
                    self.reopen();
                }
                ticks.iter().map(|tick| self.settle(tick, &error)).collect()
            }
        }
    }

    /// Gives the room free that was kept back for a full disk; false if there was none.
    fn give_reserve(&self) -> bool {
        let given = fs::remove_file(self.place.beside(RESERVE)).is_ok();
        if given {
            tracing::error!("the disk is full; the room that was kept back is used now");
        }
        given
    }

    /// After an error of the disk nothing that it was told before counts: the file is opened anew and looked through.
    /// A sync that failed is never tried again on the same file (the kernel may have dropped what it could not write).
    fn reopen(&mut self) {
        let opened = connect(&self.path).and_then(|conn| {
            let looked = match bytes(&self.path) <= CHECK_AT_START_BYTES {
                true => check(&conn, &self.path),
                false => Ok(()),
            };
            looked.map(|()| conn)
        });
        match opened {
            Ok(conn) => self.conn = conn,
            Err(error) => {
                if heal::is_damage(&error) {
                    heal::suspect(&self.path);
                }
                tracing::error!(%error, "the journal cannot be opened again");
            }
        }
    }

    /// After a commit that failed: what the journal holds decides, not what the commit said.
    fn settle(&self, tick: &Tick, error: &StoreError) -> Result<(), StoreError> {
        match record::line_id(&self.conn, &tick.line) {
            Ok(Some(_)) => match record::line_row(&self.conn, &tick.line) {
                Ok((_, seq, Some(at_us))) if seq == tick.seq && at_us == tick.at.utc_us => Ok(()),
                _ => Err(error.clone()),
            },
            _ => Err(error.clone()),
        }
    }

    fn explain(&self, answer: Result<(), Refusal>) -> Result<(), StoreError> {
        answer.map_err(|refusal| match refusal {
            Refusal::Order { line, expected, found } => {
                StoreError::OutOfOrder { line, expected, found }
            }
            Refusal::Sql(cause) => StoreError::from_sqlite(&self.path, cause),
        })
    }

    /// Runs statements as one transaction.
    pub(super) fn transact(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let done = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|tx| work(&tx).and_then(|()| tx.commit()));
        done.map_err(|e| StoreError::from_sqlite(&self.path, e))?;
        self.tell_head();
        Ok(())
    }

    /// Keeps the head of the trail beside the journal, where it has gone on.
    fn tell_head(&mut self) {
        match audit::head(&self.conn) {
            Ok(head) => self.beside.tell(&head),
            Err(error) => tracing::error!(%error, "the head of the audit trail cannot be read"),
        }
    }

    /// Keeps a small text for later runs.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        let sql = "insert into setting (key, value) values (?1, ?2)
                   on conflict (key) do update set value = excluded.value";
        let done = self.conn.execute(sql, [key, value]);
        done.map(drop).map_err(|e| StoreError::from_sqlite(&self.path, e))
    }

    /// Keeps what the positions in a line's snapshots mean from this run on, where that has changed.
    pub(super) fn describe(&mut self, line: &LineId, devices: &str) -> Result<(), StoreError> {
        let run = self.run;
        describe(&mut self.conn, run, line, devices)
            .map_err(|e| StoreError::from_sqlite(&self.path, e))
    }

    /// The same in the middle of a run, which is why another one begins where it has changed.
    pub(super) fn describe_anew(
        &mut self,
        line: &LineId,
        devices: &str,
        now: Moment,
    ) -> Result<(), StoreError> {
        let run = self.run;
        self.run = describe_anew(&mut self.conn, run, (line, devices), now)
            .map_err(|e| StoreError::from_sqlite(&self.path, e))?;
        Ok(())
    }

    /// Adds a revision of stops, wholly or not at all.
    pub(super) fn revise_stops(
        &mut self,
        line: &LineId,
        revision: Revision,
        seen: Option<u64>,
        by: &Actor,
    ) -> Result<Result<Revision, revision::Refusal>, StoreError> {
        let revise = |conn: &mut Connection| {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let made = lines::add_revision(&tx, line, revision, seen)?;
            if let Ok(made) = &made {
                audit::add(&tx, &revised(line, made, by))?;
            }
            tx.commit()?;
            Ok(made)
        };
        let made = revise(&mut self.conn).map_err(|failure: Failure| failure.at(&self.path))?;
        self.tell_head();
        Ok(made)
    }

    /// Housekeeping between ticks: frames and seconds that are too old, a log that is too long.
    pub(super) fn tend(&mut self, now_us: i64) -> Result<(), StoreError> {
        if now_us.saturating_sub(self.pruned_us) >= MINUTE_US {
            // Before the attempt: one that fails is tried again in a minute, not with the next tick.
            self.pruned_us = now_us;
            let n_pruned = self.prune(now_us)?;
            // A backlog is worked off a bite at a time, with ticks in between.
            if n_pruned >= PRUNE_FRAMES as usize {
                self.pruned_us = i64::MIN;
            }
        }
        let may_cut = self.cut_at.is_none_or(|at| at.elapsed() >= CUT_AGAIN_AFTER);
        if may_cut && wal_bytes(&self.path) > MAX_WAL_BYTES {
            self.cut_at = Some(Instant::now());
            self.cut_wal()?;
        }
        Ok(())
    }

    fn prune(&mut self, now_us: i64) -> Result<usize, StoreError> {
        let frames_us = now_us.saturating_sub(self.keep_raw_us);
        let seconds_us = now_us.saturating_sub(self.keep_seconds_us);
        prune(&mut self.conn, frames_us, seconds_us)
            .map_err(|e| StoreError::from_sqlite(&self.path, e))
    }

    /// Moves the log into the database and empties it, as far as readers let it.
    fn cut_wal(&self) -> Result<(), StoreError> {
        self.conn
            .query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))
            .map_err(|e| StoreError::from_sqlite(&self.path, e))
    }

    /// The connection, for tests that stand in for a crash or a full disk.
    #[cfg(test)]
    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Ends in good order: everything in the one file, the log empty.
    pub(super) fn close(self) -> Result<(), StoreError> {
        self.cut_wal()?;
        self.place.sync()
    }
}

/// What the trail says of a revision of stops.
fn revised(line: &LineId, revision: &Revision, by: &Actor) -> Note {
    let (subject, new) = match &revision.act {
        Act::Assign { part, cause, reason } => {
            (format!("stop {part}"), format!("{}: {reason}", cause.word()))
        }
        Act::Undo { part } => (format!("stop {part}"), "as recorded again".to_owned()),
        Act::Split { part, after_us } => {
            (format!("stop {part}"), format!("split after {} ms", after_us / 1_000))
        }
        Act::Merge { first, second } => (format!("stop {first}"), format!("merged with {second}")),
    };
    Note::new(by, What::StopRevised, format!("{line} {subject}"))
        .change("", format!("revision {}: {new}", revision.number))
        .why(&*revision.why)
}

/// Why one tick of several was not stored.
enum Refusal {
    Order { line: LineId, expected: u64, found: u64 },
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(cause: rusqlite::Error) -> Refusal {
        Refusal::Sql(cause)
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}

fn append_all(
    conn: &mut Connection,
    run: i64,
    ticks: &[&Tick],
) -> rusqlite::Result<Vec<Result<(), Refusal>>> {
    if !conn.is_autocommit() {
        // An earlier rollback failed. Until one succeeds there is no transaction to be had.
        conn.execute_batch("rollback")?;
    }
    let mut tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut answers = Vec::with_capacity(ticks.len());
    for tick in ticks {
        answers.push(append_one(&mut tx, run, tick)?);
    }
    tx.commit()?;
    Ok(answers)
}

/// One tick within the transaction. The outer error is for what makes the whole transaction fail.
fn append_one(
    tx: &mut Transaction<'_>,
    run: i64,
    tick: &Tick,
) -> rusqlite::Result<Result<(), Refusal>> {
    let part = tx.savepoint()?;
    match store(&part, run, tick) {
        Ok(()) => part.commit()?,
        Err(refusal) if part.is_autocommit() => {
            // SQLite rolled everything back (disk full, I/O error): nothing of this transaction is left.
            return match refusal {
                Refusal::Sql(cause) => Err(cause),
                order => Ok(Err(order)),
            };
        }
        Err(refusal) => {
            // Takes back what the tick wrote. If even that fails, nothing of the transaction may stay.
            part.finish()?;
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(()))
}

fn store(conn: &Connection, run: i64, tick: &Tick) -> Result<(), Refusal> {
    let (line, seq, at_us) = record::line_row(conn, &tick.line)?;
    if tick.seq == seq && at_us == Some(tick.at.utc_us) {
        // The same tick again: it is stored, and says so again.
        return Ok(());
    }
    if tick.seq != seq + 1 {
        let line = tick.line.clone();
        return Err(Refusal::Order { line, expected: seq + 1, found: tick.seq });
    }
    for part in record::PARTS {
        part(conn, Scope { line, run }, tick)?;
    }
    Ok(())
}

fn describe(conn: &mut Connection, run: i64, line: &LineId, devices: &str) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (line, _, _) = record::line_row(&tx, line)?;
    tx.execute(include_str!("sql/layout_write.sql"), (line, run, devices))?;
    tx.commit()
}

/// Returns the number of the run that goes on.
fn describe_anew(
    conn: &mut Connection,
    run: i64,
    (line, devices): (&LineId, &str),
    now: Moment,
) -> rusqlite::Result<i64> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (line, _, _) = record::line_row(&tx, line)?;
    let known: Option<String> =
        tx.query_row(include_str!("sql/layout_last.sql"), [line], |row| row.get(0)).optional()?;
    if known.as_deref() == Some(devices) {
        return Ok(run);
    }
    let ticked = "select exists (select 1 from line where id = ?1 and run = ?2)";
    let ticked: bool = tx.query_row(ticked, (line, run), |row| row.get(0))?;
    let run = match ticked {
        true => {
            tx.execute(include_str!("sql/run_go_on.sql"), (run, now.utc_us, now.mono_us))?;
            tx.last_insert_rowid()
        }
        // Nothing of this line is in this run yet.
        false => run,
    };
    tx.execute(include_str!("sql/layout_write.sql"), (line, run, devices))?;
    tx.commit()?;
    Ok(run)
}

fn us(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn prune(conn: &mut Connection, frames_us: i64, seconds_us: i64) -> rusqlite::Result<usize> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let lines: Vec<i64> = {
        let mut all = tx.prepare_cached("select id from line")?;
        all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
    };
    let mut most = 0;
    for line in lines {
        for (sql, before_us) in [
            (include_str!("sql/frames_prune.sql"), frames_us),
            (include_str!("sql/second_blocks_prune.sql"), seconds_us),
        ] {
            let mut delete = tx.prepare_cached(sql)?;
            most = most.max(delete.execute((line, before_us, PRUNE_FRAMES))?);
        }
    }
    tx.commit()?;
    Ok(most)
}

/// Opens a journal, brings it to the present schema and looks through it if it is not too large for that. Where there is
/// none, one is made only if it `may_be_new`.
fn sound(path: &Path, may_be_new: bool) -> Result<Connection, StoreError> {
    if !may_be_new && !path.exists() {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            finding: "it is gone".to_owned(),
        });
    }
    let mut conn = connect(path)?;
    schema::migrate(&mut conn, path)?;
    if bytes(path) <= CHECK_AT_START_BYTES || heal::is_suspect(path) {
        check(&conn, path)?;
        heal::is_sound(path);
    }
    Ok(conn)
}

pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let fail = |e| StoreError::from_sqlite(path, e);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
    // Nobody else writes; this only bounds the wait for readers while the log is cut.
    conn.busy_timeout(Duration::from_millis(250)).map_err(fail)?;
    conn.pragma_update(None, "page_size", PAGE_BYTES).map_err(fail)?;
    conn.pragma_update(None, "journal_mode", "wal").map_err(fail)?;
    conn.execute_batch(include_str!("sql/pragmas_writer.sql")).map_err(fail)?;
    Ok(conn)
}

/// Whether the file is sound, as far as SQLite can tell without reading every index entry.
pub(super) fn check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let finding: String = conn
        .query_row("pragma quick_check(1)", [], |row| row.get(0))
        .map_err(|e| StoreError::from_sqlite(path, e))?;
    match finding.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Damaged { path: path.to_owned(), finding }),
    }
}

/// Gives a journal its identity where it has none: the first start does, or a command before it.
pub(super) fn identify(conn: &Connection) -> rusqlite::Result<()> {
    let sql = "insert into meta (key, value) values ('uuid', ?1) on conflict (key) do nothing";
    conn.execute(sql, [Uuid::new_v4().to_string()]).map(drop)
}

fn begin_run(conn: &Connection, boot: &str, now: Moment) -> rusqlite::Result<i64> {
    identify(conn)?;
    conn.execute(
        "insert into run (boot, version, started_us, started_mono_us) values (?1, ?2, ?3, ?4)",
        (boot, env!("CARGO_PKG_VERSION"), now.utc_us, now.mono_us),
    )?;
    let run = conn.last_insert_rowid();
    let tx = conn.unchecked_transaction()?;
    audit::begin(&tx)?;
    tx.commit()?;
    Ok(run)
}

/// Size of a file, 0 where there is none.
pub(super) fn bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// Size of the log beside the database.
pub(super) fn wal_bytes(path: &Path) -> u64 {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    bytes(Path::new(&wal))
}
