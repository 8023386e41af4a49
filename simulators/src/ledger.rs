//! The truth: what the plant really did, whatever its registers say.
//!
//! Every count here is a plain `u64` since plant time 0. Nothing wraps, resets or tears.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::stops::State;

/// Why the filler ejected a capsule as waste.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectClass {
    /// Cap and body did not part, so nothing was dosed.
    Unseparated,
    /// Dented or telescoped.
    Dented,
    /// Closed without powder.
    NoDose,
    /// A second cap on the capsule.
    DoubleCap,
    /// Discarded after a start, whatever its quality.
    Startup,
}

impl RejectClass {
    /// All classes, in the order of the counts in [`Totals`].
    pub const ALL: [RejectClass; 5] = [
        RejectClass::Unseparated,
        RejectClass::Dented,
        RejectClass::NoDose,
        RejectClass::DoubleCap,
        RejectClass::Startup,
    ];
}

/// A sample that was weighed capsule by capsule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SampleRecord {
    /// Counts samples from 1.
    pub sequence: u64,
    /// Bore from 1, and net weight in tenths of a milligram, as on the balance.
    pub weights: Vec<(u16, u16)>,
}

/// What the weigher tells of one minute of its good capsules, gross.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct IntervalRecord {
    /// Counts minutes from 1.
    pub sequence: u64,
    /// Good capsules.
    pub capsules: u32,
    /// Their mean in mg; 0 without any.
    pub mean_mg: f64,
    /// Their standard deviation in mg; 0 below two.
    pub std_dev_mg: f64,
}

/// What the filler has done since plant time 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) strokes: u64,
    pub(crate) infeed: u64,
    pub(crate) empty_pockets: u64,
    pub(crate) made: u64,
    pub(crate) rejects: [u64; RejectClass::ALL.len()],
    pub(crate) samples: u64,
}

impl Totals {
    pub(crate) fn rejected(&self) -> u64 {
        self.rejects.iter().sum()
    }

    pub(crate) fn of(&self, class: RejectClass) -> u64 {
        self.rejects[class as usize]
    }
}

/// The exact account of the plant at one plant time.
///
/// For the filler `infeed = made + Σ rejects + samples + in_process` after every stroke; for the
/// weigher `weighed = good + under + over` and `made = weighed + unweighed + on_the_way`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Plant time of this account, in microseconds.
    pub plant_us: i64,
    /// Strokes of the filler.
    pub strokes: u64,
    /// Capsules loaded into the filler.
    pub infeed: u64,
    /// Pockets that got no capsule. They are not product.
    pub empty_pockets: u64,
    /// Good capsules ejected by the filler.
    pub made: u64,
    /// Capsules rejected by the filler, by class.
    pub rejects: BTreeMap<RejectClass, u64>,
    /// Good capsules taken out for quality control.
    pub samples: u64,
    /// Capsules inside the filler, loaded and not yet ejected.
    pub in_process: u64,
    /// State of the filler.
    pub state: State,
    /// Reason of the present stop; 0 while there is none.
    pub stop_reason: u16,
    /// All stops of the filler in order of time; the last may still last.
    pub stops: Vec<StopRecord>,
    /// Time the filler spent in each state, in microseconds; the sum is `plant_us`.
    pub state_us: BTreeMap<State, i64>,
    /// Batch in the filler.
    pub batch_id: String,
    /// All batches in order of time; the last is the present one.
    pub batches: Vec<BatchRecord>,
    /// The checkweigher.
    pub weigher: WeigherLedger,
}

/// One stop of the filler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRecord {
    /// Stop reason, 1 to 8, 20 for cleaning, 21 for a changeover.
    pub code: u16,
    /// State the filler was in.
    pub state: State,
    /// Plant time at which the state changed, in microseconds; two strokes still follow.
    pub from_us: i64,
    /// Plant time of the restart, in microseconds; none while the stop lasts.
    pub to_us: Option<i64>,
}

/// What the filler made in one batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// Batch number as in the register `BatchId`.
    pub batch_id: String,
    /// Plant time of its first stroke, in microseconds.
    pub from_us: i64,
    /// Plant time at which its last capsule had left the filler; none for the present batch.
    pub to_us: Option<i64>,
    /// Capsules loaded.
    pub infeed: u64,
    /// Good capsules ejected.
    pub made: u64,
    /// Capsules rejected, all classes.
    pub rejected: u64,
    /// Capsules taken for quality control.
    pub samples: u64,
}

/// What the checkweigher did since plant time 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeigherLedger {
    /// Capsules with a weight: `good + under + over`.
    pub weighed: u64,
    /// Capsules within the limits.
    pub good: u64,
    /// Capsules below the lower limit.
    pub under: u64,
    /// Capsules above the upper limit.
    pub over: u64,
    /// Capsules too close to the next one to be weighed, and so rejected unseen.
    pub unweighed: u64,
    /// Capsules between the filler and the weigher.
    pub on_the_way: u64,
}

impl WeigherLedger {
    /// All capsules that passed the weigher, weighed or not.
    pub fn passed(&self) -> u64 {
        self.weighed + self.unweighed
    }
}
