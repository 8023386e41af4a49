//! How the store is doing: the figures behind [`StoreStats`].

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::StoreError;
use super::{Room, StoreStats};

/// Commits that the quantiles look back on: four minutes of one line.
const WINDOW: usize = 1_024;

/// Counters that the writer moves and anyone reads.
#[derive(Default)]
pub(super) struct Gauge(Mutex<Figures>);

#[derive(Default)]
struct Figures {
    commits: u64,
    ticks: u64,
    recent_us: VecDeque<u64>,
    max_us: u64,
    last_error: Option<StoreError>,
    /// Time of the newest tick, UTC microseconds.
    latest_us: i64,
    /// The plant database has the minutes up to there, UTC microseconds.
    sent_us: i64,
    room: Room,
    raw_bytes: u64,
    copy_bytes: u64,
    shed: u64,
}

impl Gauge {
    /// Notes a commit of some ticks. An error stays to be seen until a later commit has none.
    pub(super) fn commit(&self, took: Duration, n_ticks: usize, error: Option<StoreError>) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut figures = self.figures();
        figures.commits += 1;
        figures.ticks += n_ticks as u64;
        figures.max_us = figures.max_us.max(took_us);
        if figures.recent_us.len() == WINDOW {
            figures.recent_us.pop_front();
        }
        figures.recent_us.push_back(took_us);
        figures.last_error = error;
    }

    /// Notes an error outside of a commit.
    pub(super) fn fail(&self, error: StoreError) {
        tracing::error!(%error, "the journal needs attention");
        self.figures().last_error = Some(error);
    }

    /// Notes the time of the newest tick.
    pub(super) fn reached(&self, utc_us: i64) {
        let mut figures = self.figures();
        figures.latest_us = figures.latest_us.max(utc_us);
    }

    /// The time of the newest tick since the start; before the first one the beginning of time.
    pub(super) fn latest_us(&self) -> i64 {
        self.figures().latest_us
    }

    /// Notes that the plant database has the minutes up to a moment.
    pub(super) fn sent(&self, utc_us: i64) {
        self.figures().sent_us = utc_us;
    }

    /// Up to when the plant database has the minutes.
    pub(super) fn sent_us(&self) -> i64 {
        self.figures().sent_us
    }

    /// Notes the room, and what lies beside the journal.
    pub(super) fn room(&self, room: Room, raw_bytes: u64, copy_bytes: u64) {
        let mut figures = self.figures();
        let before = figures.room.rung();
        (figures.room, figures.raw_bytes, figures.copy_bytes) = (room, raw_bytes, copy_bytes);
        let rung = room.rung();
        if rung > before {
            tracing::warn!(free = room.free, of = room.of, "room for the journal: {}", rung.word());
        }
    }

    /// Notes that something was given up.
    pub(super) fn shed(&self) {
        self.figures().shed += 1;
    }

    /// The figures as they stand; sizes and depth are for the caller to fill in.
    pub(super) fn read(&self) -> StoreStats {
        let figures = self.figures();
        let mut sorted: Vec<u64> = figures.recent_us.iter().copied().collect();
        sorted.sort_unstable();
        StoreStats {
            commits: figures.commits,
            ticks: figures.ticks,
            commit_p50_us: quantile(&sorted, 50),
            commit_p99_us: quantile(&sorted, 99),
            commit_max_us: figures.max_us,
            room: figures.room,
            raw_bytes: figures.raw_bytes,
            copy_bytes: figures.copy_bytes,
            shed: figures.shed,
            last_error: figures.last_error.as_ref().map(ToString::to_string),
            ..StoreStats::default()
        }
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The nearest-rank quantile of sorted values, 0 of none.
fn quantile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}
