//! Housekeeping beside the writer: a thread that goes its rounds and never stands in the way of a tick.

mod compact;
mod copies;
mod shed;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Options;
use super::error::StoreError;
use super::gauge::Gauge;
use super::space::{self, Room};
use super::writer::Hand;
use crate::clock::Clock;

#[cfg(test)]
pub(super) use copies::every_us;

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(10);

/// The thread. It ends with this value.
pub(super) struct Keeper {
    stop: Arc<AtomicBool>,
    bell: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a round needs.
pub(super) struct Rounds {
    /// Directory of the journal.
    pub(super) dir: PathBuf,
    /// Where figures and errors go.
    pub(super) gauge: Arc<Gauge>,
    /// The writer, for what is written.
    pub(super) hand: Hand,
    /// How long raw readings are kept, in microseconds.
    pub(super) keep_raw_us: i64,
    /// Readings stay in the journal for so long, where a reader finds them as frames, in microseconds.
    pub(super) hot_us: i64,
    /// Bytes that the directory may take, none for the whole disk.
    pub(super) budget: Option<u64>,
    /// Tells the room on the disk of a directory.
    pub(super) room: fn(&Path) -> io::Result<Room>,
    /// Set when the round is to be broken off.
    pub(super) stop: Arc<AtomicBool>,
}

impl Keeper {
    /// Starts the thread.
    pub(super) fn start(mut rounds: Rounds) -> Result<Keeper, StoreError> {
        let stop = rounds.stop.clone();
        let (bell, waits) = sync_channel::<()>(1);
        let path = rounds.dir.clone();
        let thread = std::thread::Builder::new()
            .name("keeper".to_owned())
            .spawn(move || {
                while waits.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
                    rounds.go(Clock::real().now().utc_us);
                }
            })
            .map_err(|e| StoreError::unwritable(&path, e))?;
        Ok(Keeper { stop, bell: Some(bell), thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.bell.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed by it; nothing rests on how it ended.
            let _ = thread.join();
        }
    }
}

impl Rounds {
    /// Rounds in a directory.
    pub(super) fn new(dir: &Path, gauge: Arc<Gauge>, hand: Hand, options: Options) -> Rounds {
        Rounds {
            dir: dir.to_owned(),
            gauge,
            hand,
            keep_raw_us: i64::try_from(options.keep_raw.as_micros()).unwrap_or(i64::MAX),
            hot_us: compact::HOT_US,
            budget: options.budget,
            room: space::of_disk,
            stop: Arc::new(AtomicBool::new(false)),
        }
    }

    /// One round. What fails is said and tried again in the next one.
    pub(super) fn go(&mut self, now_us: i64) {
        let done = [
            self.make_room(now_us).map(drop),
            self.compact(),
            self.expire(),
            self.copy_if_due(now_us),
        ];
        for error in done.into_iter().filter_map(Result::err) {
            self.fail(error);
        }
    }

    fn fail(&self, error: StoreError) {
        // Broken off, because this is the end.
        if !matches!(error, StoreError::Closed) {
            self.gauge.fail(error);
        }
    }
}
