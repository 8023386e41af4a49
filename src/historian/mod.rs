//! Historian: what is kept. One writer, one transaction a tick, readers beside it.
//!
//! The store is one SQLite file; readings as read move after some minutes into compressed files of a day beside it, and a
//! copy of it lies there too. A tick (raw readings, baselines, minutes, events) is stored whole or not at all, in
//! order, and once: that is what lets a line go on after any kind of end without losing or doubling a capsule.
//! Nothing in here counts, judges or waits for a device.

mod accounts;
mod andon;
pub mod archive;
pub mod audit;
pub mod backup;
mod copy;
mod digest;
mod error;
pub mod extract;
pub mod forward;
mod frame;
mod gauge;
mod heal;
mod hours;
mod journal;
mod keep;
mod lines;
mod mark;
mod place;
mod quality;
mod raw;
mod read;
mod rebirth;
pub mod reconcile;
mod record;
mod reports;
mod schema;
mod space;
mod tick;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::audit::Actor;
use domain::line::batch::hand::Entry;
use domain::line::chronicle::{CounterRecord, StopRecord};
use domain::line::event::{Event, EventKind};
use domain::line::minute::Minute;
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::second::Seconds;
use domain::line::stop::revision::{Refusal, Revision};
use domain::line::weight::WeightTally;
use domain::reading::Snapshot;
use domain::units::{LineId, TagId};
use tokio::sync::mpsc;

pub use accounts::{AccountBook, Login, StoredSession};
pub use digest::digest_file;
pub use error::StoreError;
pub use mark::PlantMark;
pub use space::{Room, Rung};
pub use tick::{DeviceTags, Readings, Resume, StoredState, Tick};
pub use writer::{Busy, NotStored, Pending};

use crate::clock::Clock;
use gauge::Gauge;
use journal::Journal;
use keep::{Keeper, Rounds};
use read::Readers;
use writer::Writer;

/// How long a query may take. A reader that stays longer keeps the log from being moved into the database.
const READ_DEADLINE: Duration = Duration::from_secs(5);

/// The store. A handle: cloning is cheap, and all clones are the same store.
#[derive(Clone)]
pub struct Historian(Arc<Inner>);

struct Inner {
    // First: the thread must be gone before the directory is given free.
    keeper: Mutex<Option<Keeper>>,
    writer: Writer,
    readers: Arc<Readers>,
    gauge: Arc<Gauge>,
    look: audit::Look,
    path: std::path::PathBuf,
}

/// What there is to choose.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long raw readings are kept.
    pub keep_raw: Duration,
    /// How long seconds are kept. Minutes and everything else stay.
    pub keep_seconds: Duration,
    /// Bytes that the directory of the journal may take; without it the disk is the bound. When little is left, raw
    /// readings are given up before they are old, never minutes or events.
    pub budget: Option<u64>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            keep_raw: Duration::from_secs(30 * 86_400),
            keep_seconds: Duration::from_secs(8 * 86_400),
            budget: None,
        }
    }
}

/// How the store is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Commits since the start.
    pub commits: u64,
    /// Ticks in these commits.
    pub ticks: u64,
    /// Median time of the last thousand commits, in microseconds.
    pub commit_p50_us: u64,
    /// 99 of 100 of them took less than this, in microseconds.
    pub commit_p99_us: u64,
    /// The longest since the start, in microseconds.
    pub commit_max_us: u64,
    /// Size of the database and its log.
    pub bytes: u64,
    /// Size of the log alone. Beyond 64 MiB a reader is holding it.
    pub wal_bytes: u64,
    /// Ticks that wait to be stored.
    pub queued: usize,
    /// Size of the files of raw readings beside the journal.
    pub raw_bytes: u64,
    /// Size of the copy beside the journal, 0 where there is none yet.
    pub copy_bytes: u64,
    /// The room on the disk or in the budget, the narrower of the two; nothing of nothing before the first look.
    pub room: Room,
    /// How often something was given up because there was no room.
    pub shed: u64,
    /// The error of the last commit or of housekeeping, none when all is well.
    pub last_error: Option<String>,
}

impl Historian {
    /// Opens the journal in a directory and starts its writer. The directory belongs to this process until the last
    /// handle is gone.
    pub fn open(dir: &Path, options: Options) -> Result<Historian, StoreError> {
        let boot = boot_id();
        let mut journal = Journal::open(dir, options.keep_raw, &boot, Clock::real().now())?;
        journal.keep_seconds(options.keep_seconds);
        let path = journal.path().to_owned();
        let gauge = Arc::new(Gauge::default());
        let readers = Arc::new(Readers::new(&path, &boot, READ_DEADLINE));
        let writer = Writer::start(journal, gauge.clone())?;
        if journal::bytes(&path) > journal::CHECK_AT_START_BYTES {
            check_beside(&path, &gauge);
        }
        let rounds = Rounds::new(dir, gauge.clone(), writer.hand(), options);
        let keeper = Mutex::new(Some(Keeper::start(rounds)?));
        Ok(Historian(Arc::new(Inner {
            keeper,
            writer,
            readers,
            gauge,
            look: audit::Look::default(),
            path,
        })))
    }

    /// Hands a tick to the writer and never blocks. The tick is durable when [`Pending`] says so; a full queue or a
    /// failed commit gives it back.
    pub fn append(&self, tick: Tick) -> Result<Pending, Busy> {
        self.0.writer.append(tick)
    }

    /// What a line goes on from: its last tick, and its minutes and gaps since a moment. A line that was never
    /// stored goes on from nothing.
    pub fn resume(&self, line: &LineId, since_us: i64) -> Result<Resume, StoreError> {
        self.0.readers.resume(line, since_us)
    }

    /// Minutes that started in `[from_us, to_us)`, oldest first. Blocks: call it where blocking is allowed.
    pub fn minutes(
        &self,
        line: &LineId,
        from_us: i64,
        to_us: i64,
        limit: usize,
    ) -> Result<Vec<Minute>, StoreError> {
        self.0.readers.minutes(line, (from_us, to_us), limit)
    }

    /// The seconds of minutes that started in `[from_us, to_us)`, oldest first, as far as they are kept. Blocks.
    pub fn seconds(
        &self,
        line: &LineId,
        from_us: i64,
        to_us: i64,
        limit: usize,
    ) -> Result<Vec<Seconds>, StoreError> {
        self.0.readers.seconds(line, (from_us, to_us), limit)
    }

    /// Weights of minutes that started in `[from_us, to_us)`, each with the start of its minute, in the order of
    /// [`domain::line::minute::join_weights`]. [`Historian::minutes`] leaves them out: most readers want counts. Blocks.
    pub fn weights(
        &self,
        line: &LineId,
        span: (i64, i64),
    ) -> Result<Vec<(i64, WeightTally)>, StoreError> {
        self.0.readers.weights(line, span)
    }

    /// Events that ended in `[from_us, to_us)` with their sequence numbers, newest first. Blocks.
    pub fn events(
        &self,
        line: &LineId,
        from_us: i64,
        to_us: i64,
        kinds: Option<&[EventKind]>,
        limit: usize,
    ) -> Result<Vec<(i64, Event)>, StoreError> {
        self.0.readers.events(line, (from_us, to_us), kinds, limit)
    }

    /// Stops that were going on in `[from_us, to_us)`, oldest first, with what people said about them. Blocks.
    pub fn stops(
        &self,
        line: &LineId,
        from_us: i64,
        to_us: i64,
        limit: usize,
    ) -> Result<StopRecord, StoreError> {
        self.0.readers.stops(line, (from_us, to_us), limit)
    }

    /// One stop as recorded, with what people said about it; empty if there is none of that number. Blocks.
    pub fn stop(&self, line: &LineId, number: u64) -> Result<StopRecord, StoreError> {
        self.0.readers.stop(line, number)
    }

    /// Adds a revision of stops if it can be made, and returns it with its number; durable on return. The stops as
    /// recorded are not changed. With `seen`, the last revision that its author knew of, it is refused where a later one
    /// has touched the same stops. Blocks.
    pub fn revise_stops(
        &self,
        line: &LineId,
        revision: Revision,
        seen: Option<u64>,
        by: &Actor,
    ) -> Result<Result<Revision, Refusal>, StoreError> {
        let (line, (told, outcome)) = (line.clone(), std::sync::mpsc::sync_channel(1));
        let by = by.clone();
        self.0.writer.perform(move |journal| {
            let made = journal.revise_stops(&line, revision, seen, &by)?;
            // Whoever asked waits for it; if not, nobody wants the answer.
            let _ = told.send(made);
            Ok(())
        })?;
        outcome.recv().map_err(|_| StoreError::Closed)
    }

    /// What people did by hand with batches that began in `[from_us, to_us)`, oldest first. Blocks.
    pub fn batch_entries(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.0.readers.batch_entries(line, (from_us, to_us), limit)
    }

    /// Hours, shifts or batches that overlap `[from_us, to_us)`, oldest first. Blocks.
    pub fn rollups(
        &self,
        line: &LineId,
        kind: PeriodKind,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Rollup>, StoreError> {
        self.0.readers.rollups(line, kind, (from_us, to_us), limit)
    }

    /// A counter as last stored and its ledger entries of `[from_us, to_us)` that were more than an ordinary step; none
    /// if it was never read. Blocks.
    pub fn counter(
        &self,
        line: &LineId,
        tag: &TagId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Option<CounterRecord>, StoreError> {
        self.0.readers.counter(line, tag, (from_us, to_us), limit)
    }

    /// The original record of `[from_us, to_us)` as it was read, in order of arrival. Blocks.
    pub fn raw(
        &self,
        line: &LineId,
        from_us: i64,
        to_us: i64,
        limit: usize,
    ) -> Result<Vec<Snapshot>, StoreError> {
        self.0.readers.raw(line, (from_us, to_us), limit)
    }

    /// The same, each part with what the positions in its snapshots meant when they were stored: a map may have changed in
    /// the span. Blocks.
    pub fn readings(
        &self,
        line: &LineId,
        from_us: i64,
        to_us: i64,
        limit: usize,
    ) -> Result<Vec<Readings>, StoreError> {
        self.0.readers.readings(line, (from_us, to_us), limit)
    }

    /// Keeps what the positions in a line's snapshots mean, in the order of its devices: to be said at each start,
    /// before the first tick. Without it the original record cannot be read once a map has changed. Blocks.
    pub fn describe(&self, line: &LineId, devices: &[DeviceTags]) -> Result<(), StoreError> {
        let (line, devices) = (line.clone(), record::devices_json(devices));
        self.0.writer.perform(move |journal| journal.describe(&line, &devices))
    }

    /// The same while the service runs, for a line whose positions change: readings from now on belong to a new run of the
    /// service in the record. Nothing is written while they stay the same. Blocks.
    pub fn describe_anew(&self, line: &LineId, devices: &[DeviceTags]) -> Result<(), StoreError> {
        let (line, devices) = (line.clone(), record::devices_json(devices));
        let now = Clock::real().now();
        self.0.writer.perform(move |journal| journal.describe_anew(&line, &devices, now))
    }

    /// What the positions in snapshots of that moment mean, empty where nobody said. Blocks.
    pub fn described(&self, line: &LineId, at_us: i64) -> Result<Vec<DeviceTags>, StoreError> {
        self.0.readers.described(line, at_us)
    }

    /// A small text that an earlier run kept. Blocks.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.0.readers.setting(key)
    }

    /// Keeps a small text for later runs; durable on return. Blocks.
    pub fn set_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.0.writer.perform(move |journal| journal.set(&key, &value))
    }

    /// The identity of this journal: another one after a fresh start, the same in a copy. Blocks.
    pub fn uuid(&self) -> Result<String, StoreError> {
        self.0.readers.uuid()
    }

    /// Starts to forward what is stored to a plant database, in a task of its own that holds nothing up. What a
    /// person should hear of comes through the receiver.
    pub fn forward(
        &self,
        settings: archive::Settings,
    ) -> Result<(forward::Forwarder, mpsc::Receiver<String>), StoreError> {
        forward::Forwarder::start(&self.0.path, &self.uuid()?, settings, self.0.gauge.clone())
    }

    /// Lets this journal, which was restored from a backup, take over from the one it was restored from: what a person
    /// decides who knows that this one is gone. The plant database goes on from what both have; what only the other one
    /// had is moved to its table `superseded`. Nothing must be forwarding meanwhile.
    ///
    /// # Errors
    /// In words: the database cannot be reached, or another journal altogether writes there under this name.
    pub async fn adopt(
        &self,
        settings: &archive::Settings,
    ) -> Result<Vec<forward::Adopted>, String> {
        let uuid = self.uuid().map_err(|error| error.to_string())?;
        let hand = self.0.writer.hand();
        let requeue: forward::Requeue = Arc::new(move |sql, since_us| {
            hand.perform(move |journal| {
                journal.transact(|conn| conn.execute(sql, [since_us]).map(drop))
            })
        });
        forward::Forwarder::adopt(&self.0.path, &requeue, &uuid, settings).await
    }

    /// Bytes and snapshots of raw readings: in the journal, and in files of a day. Blocks.
    pub fn raw_sizes(&self) -> Result<[(u64, u64); 2], StoreError> {
        let hot = self.0.readers.frame_sizes()?;
        let packed = raw::sizes(self.0.path.parent().unwrap_or(Path::new(".")))?;
        Ok([hot, packed])
    }

    /// Puts all raw readings into files of a day now, for measurements: by itself that happens after ten minutes.
    pub fn pack_raw(&self) -> Result<(), StoreError> {
        let dir = self.0.path.parent().unwrap_or(Path::new("."));
        let (gauge, hand) = (self.0.gauge.clone(), self.0.writer.hand());
        let mut rounds = Rounds::new(dir, gauge, hand, Options::default());
        rounds.hot_us = i64::MIN / 2;
        while self.0.readers.frame_sizes()?.1 > 0 {
            rounds.compact()?;
        }
        Ok(())
    }

    /// How the store is doing.
    pub fn stats(&self) -> StoreStats {
        let wal_bytes = journal::wal_bytes(&self.0.path);
        StoreStats {
            bytes: journal::bytes(&self.0.path) + wal_bytes,
            wal_bytes,
            queued: self.0.writer.depth(),
            ..self.0.gauge.read()
        }
    }

    /// Stores what is queued, moves the log into the database and gives the directory free. Blocks. Ticks that other
    /// handles append afterwards come back.
    pub fn close(self) -> Result<(), StoreError> {
        drop(self.0.keeper.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.0.writer.close()
    }
}

/// Which boot of the machine this is: boot times of two boots must not be compared. Where the system does not tell,
/// every start counts as a boot of its own.
fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_else(|_| uuid::Uuid::new_v4().to_string())
}

/// Checks a large file while the line is already running.
fn check_beside(path: &Path, gauge: &Arc<Gauge>) {
    let (path, gauge) = (path.to_owned(), gauge.clone());
    std::thread::spawn(move || {
        if let Err(error) = read::check(&path) {
            if heal::is_damage(&error) {
                heal::suspect(&path);
            }
            gauge.fail(error);
        }
    });
}
