//! The account of one poll group: what fell due, what was done, what was missed and why. Plain atomics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use domain::reading::Miss;
use domain::units::{LineId, StationId};

/// Upper bounds of the lateness buckets in microseconds; what is later falls into one more without a bound.
const BOUNDS_US: [u64; 21] = [
    10, 20, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000,
    20_000, 50_000, 100_000, 1_000_000,
];

/// How a poll group keeps its pace, since the start.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupPace {
    /// Its line.
    pub line: LineId,
    /// Number of the device in its line.
    pub device: u16,
    /// The machine.
    pub station: StationId,
    /// Name of the group in the map.
    pub group: Arc<str>,
    /// Poll period, or publishing interval, in microseconds of real time.
    pub period_us: i64,
    /// Polls that fell due. Equals `done` and all of `missed`, but for one that may be under way while it is read.
    pub planned: u64,
    /// Polls that brought readings, or for OPC UA intervals that the server vouched for.
    pub done: u64,
    /// Polls that brought nothing, by [`Miss::word`].
    pub missed: Vec<(&'static str, u64)>,
    /// Snapshots dropped because the line's queue was full.
    pub dropped: u64,
    /// Reads that were torn and done once more. The polls they belong to count once, as done or as missed.
    pub rereads: u64,
    /// How late polls began. Empty for OPC UA, where the server paces.
    pub lateness: Lateness,
    /// Round trip of the last poll in microseconds.
    pub round_trip_us: u32,
}

/// Distribution of the time from when a poll was due to when its request was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// Median in microseconds, interpolated in its bucket.
    pub p50_us: u64,
    /// 99th percentile in microseconds.
    pub p99_us: u64,
    /// The latest ever.
    pub max_us: u64,
    /// Sum of all, for a mean.
    pub sum_us: u64,
    /// Upper bound of each bucket in microseconds and how many fell into it (not cumulative); the last bound is
    /// `u64::MAX`.
    pub buckets: Vec<(u64, u64)>,
}

impl Lateness {
    /// Polls that began.
    pub fn n(&self) -> u64 {
        self.buckets.iter().map(|(_, n)| n).sum()
    }
}

/// The accounts of all groups, readable beyond the end of the sources.
#[derive(Clone, Default)]
pub struct Paces(Vec<Arc<Account>>);

impl Paces {
    pub(super) fn new(accounts: Vec<Arc<Account>>) -> Paces {
        Paces(accounts)
    }

    /// How every group keeps its pace.
    pub fn read(&self) -> Vec<GroupPace> {
        self.0.iter().map(|account| account.pace()).collect()
    }
}

/// Counters of one group, written by its task and read by anyone.
#[derive(Debug)]
pub(super) struct Account {
    line: LineId,
    device: u16,
    station: StationId,
    group: Arc<str>,
    period_us: i64,
    planned: AtomicU64,
    done: AtomicU64,
    missed: [AtomicU64; MISSES.len()],
    dropped: AtomicU64,
    rereads: AtomicU64,
    lateness: Histogram,
    round_trip_us: AtomicU32,
}

/// One of each kind, in the order of the counters.
const MISSES: [Miss; 9] = [
    Miss::Skipped,
    Miss::Disconnected,
    Miss::ConnectFailed,
    Miss::Timeout,
    Miss::Broken,
    Miss::Mismatch,
    Miss::Refused { code: 0 },
    Miss::Torn,
    Miss::Frozen,
];

fn position(miss: Miss) -> usize {
    match miss {
        Miss::Skipped => 0,
        Miss::Disconnected => 1,
        Miss::ConnectFailed => 2,
        Miss::Timeout => 3,
        Miss::Broken => 4,
        Miss::Mismatch => 5,
        Miss::Refused { .. } => 6,
        Miss::Torn => 7,
        Miss::Frozen => 8,
    }
}

impl Account {
    pub(super) fn new(
        (line, device): (LineId, u16),
        station: StationId,
        group: Arc<str>,
        period_us: i64,
    ) -> Account {
        Account {
            line,
            device,
            station,
            group,
            period_us,
            planned: AtomicU64::new(0),
            done: AtomicU64::new(0),
            missed: Default::default(),
            dropped: AtomicU64::new(0),
            rereads: AtomicU64::new(0),
            lateness: Histogram::default(),
            round_trip_us: AtomicU32::new(0),
        }
    }

    pub(super) fn planned(&self, polls: u32) {
        self.planned.fetch_add(polls.into(), Relaxed);
    }

    pub(super) fn done(&self, polls: u32, round_trip_us: u32) {
        self.done.fetch_add(polls.into(), Relaxed);
        self.round_trip_us.store(round_trip_us, Relaxed);
    }

    pub(super) fn missed(&self, miss: Miss, polls: u32) {
        self.missed[position(miss)].fetch_add(polls.into(), Relaxed);
    }

    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn reread(&self) {
        self.rereads.fetch_add(1, Relaxed);
    }

    pub(super) fn late(&self, us: i64) {
        self.lateness.add(u64::try_from(us).unwrap_or(0));
    }

    pub(super) fn pace(&self) -> GroupPace {
        GroupPace {
            line: self.line.clone(),
            device: self.device,
            station: self.station.clone(),
            group: self.group.clone(),
            period_us: self.period_us,
            planned: self.planned.load(Relaxed),
            done: self.done.load(Relaxed),
            missed: MISSES
                .iter()
                .zip(&self.missed)
                .map(|(m, n)| (m.word(), n.load(Relaxed)))
                .collect(),
            dropped: self.dropped.load(Relaxed),
            rereads: self.rereads.load(Relaxed),
            lateness: self.lateness.read(),
            round_trip_us: self.round_trip_us.load(Relaxed),
        }
    }
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum: AtomicU64,
    max: AtomicU64,
}

impl Histogram {
    fn add(&self, us: u64) {
        let bucket = BOUNDS_US.partition_point(|&bound| bound < us);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(us, Relaxed);
        self.max.fetch_max(us, Relaxed);
    }

    fn read(&self) -> Lateness {
        let bounds = BOUNDS_US.iter().copied().chain([u64::MAX]);
        let buckets: Vec<(u64, u64)> =
            bounds.zip(&self.buckets).map(|(bound, n)| (bound, n.load(Relaxed))).collect();
        let max_us = self.max.load(Relaxed);
        Lateness {
            p50_us: quantile(&buckets, 50, max_us),
            p99_us: quantile(&buckets, 99, max_us),
            max_us,
            sum_us: self.sum.load(Relaxed),
            buckets,
        }
    }
}

/// The value below which `percent` of the counts lie, taken as evenly spread within their bucket and never above
/// the largest value seen.
fn quantile(buckets: &[(u64, u64)], percent: u64, max: u64) -> u64 {
    let total: u64 = buckets.iter().map(|(_, n)| n).sum();
    let rank = (total * percent).div_ceil(100);
    let (mut below, mut lower) = (0, 0);
    for &(bound, n) in buckets {
        if n > 0 && below + n >= rank {
            let width = bound.min(max).saturating_sub(lower);
            return lower + width * (rank - below) / n;
        }
        below += n;
        lower = bound;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_in_the_bucket_of_their_rank() {
        let histogram = Histogram::default();
        for us in 1..=1_000 {
            histogram.add(us);
        }
        let read = histogram.read();
        assert_eq!((read.p50_us, read.max_us, read.sum_us), (500, 1_000, 500_500));
        assert!((985..=995).contains(&read.p99_us), "{}", read.p99_us);
        assert_eq!(read.buckets.iter().map(|(_, n)| n).sum::<u64>(), 1_000);
        assert_eq!(read.buckets[4], (100, 25), "76 to 100");
    }

    #[test]
    fn nothing_and_the_far_end_are_no_special_cases() {
        let histogram = Histogram::default();
        assert_eq!((histogram.read().p99_us, histogram.read().max_us), (0, 0));
        histogram.add(0);
        histogram.add(9_000_000);
        assert_eq!(histogram.read().p99_us, 9_000_000);
        assert_eq!(histogram.read().buckets.last(), Some(&(u64::MAX, 1)));
    }

    #[test]
    fn every_kind_of_miss_has_its_own_counter() {
        let account =
            Account::new((LineId::new("L1"), 0), StationId::new("CF01"), "fast".into(), 10_000);
        for (i, miss) in MISSES.into_iter().enumerate() {
            account.missed(miss, i as u32 + 1);
        }
        for (i, (word, n)) in account.pace().missed.into_iter().enumerate() {
            assert_eq!((word, n), (MISSES[i].word(), i as u64 + 1));
        }
    }
}
