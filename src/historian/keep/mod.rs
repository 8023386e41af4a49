//! Housekeeping beside the writer: a thread that goes its rounds and never stands in the way of a tick.

mod copies;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::error::StoreError;
use super::gauge::Gauge;
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
    /// Set when the round is to be broken off.
    pub(super) stop: Arc<AtomicBool>,
}

impl Keeper {
    /// Starts the thread.
    pub(super) fn start(dir: PathBuf, gauge: Arc<Gauge>) -> Result<Keeper, StoreError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (bell, waits) = sync_channel::<()>(1);
        let path = dir.clone();
        let mut rounds = Rounds { dir, gauge, stop: stop.clone() };
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
    /// One round. What fails is said and tried again in the next one.
    pub(super) fn go(&mut self, now_us: i64) {
        if let Err(error) = self.copy_if_due(now_us) {
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
