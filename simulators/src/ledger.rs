//! The truth: what the plant really did, whatever its registers say.
//!
//! Every count here is a plain `u64` since plant time 0. Nothing wraps, resets or tears.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use crate::{catalogue::Fault, machines::counter::PER_BOTTLE, stops::State};

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

    pub(crate) fn by_class(&self) -> BTreeMap<RejectClass, u64> {
        RejectClass::ALL.map(|class| (class, self.of(class))).into()
    }
}

/// The exact account of the plant at one plant time.
///
/// For the filler `infeed = made + Σ rejects + samples + in_process` after every stroke, and so for each machine: what
/// came in has left it in one of the ways it has, or is still inside. What a machine passed on has come to the next, or
/// is on the way. [`Ledger::unaccounted`] adds that up over the whole line.
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
    /// All stops of the filler in order of time; the last may still last. Those of every machine are in `machines`.
    pub stops: Vec<StopRecord>,
    /// Time the filler spent in each state, in microseconds; the sum is `plant_us`.
    pub state_us: BTreeMap<State, i64>,
    /// Batch in the filler.
    pub batch_id: String,
    /// All batches in order of time; the last is the present one.
    pub batches: Vec<BatchRecord>,
    /// The fillers beside the first, in their order. Everything above is of the first alone.
    pub beside: Vec<FillerLedger>,
    /// The polisher.
    pub polisher: PolisherLedger,
    /// The metal detector.
    pub detector: DetectorLedger,
    /// The checkweigher.
    pub weigher: WeigherLedger,
    /// The bottle counter.
    pub counter: CounterLedger,
    /// How every machine stands, why it stood and what it rejected, by its tag: `CF01`, `PS02`, …
    pub machines: BTreeMap<String, Standing>,
}

impl Ledger {
    /// Good capsules that all fillers ejected.
    pub fn made_by_all(&self) -> u64 {
        self.made + self.beside.iter().map(|filler| filler.made).sum::<u64>()
    }

    /// When the line stood: of one filler its stops, of several the times in which none of them ran. Such a time is of
    /// the filler that stopped last.
    pub fn line_stops(&self) -> Vec<StopRecord> {
        self.beside.iter().fold(self.stops.clone(), |line, filler| {
            let both = |stop: &StopRecord| {
                let of = filler.stops.iter().filter_map(|other| {
                    let to_us = [stop.to_us, other.to_us].into_iter().flatten().min();
                    let last = if other.from_us > stop.from_us { other } else { stop };
                    let stands = to_us.is_none_or(|to_us| last.from_us < to_us);
                    stands.then(|| StopRecord { to_us, ..last.clone() })
                });
                of.collect::<Vec<_>>()
            };
            line.iter().flat_map(both).collect()
        })
    }

    /// Capsules that all fillers loaded, less all that left the line in any way and all that are inside: 0.
    pub fn unaccounted(&self) -> i128 {
        let sum = |counts: &[u64]| counts.iter().map(|&n| i128::from(n)).sum::<i128>();
        let rejected: u64 = self.rejects.values().sum();
        let of_first = sum(&[self.infeed]) - sum(&[rejected, self.samples, self.in_process]);
        let of_others: i128 = self.beside.iter().map(FillerLedger::passed_on).sum();
        let PolisherLedger { on_the_way, empty, halves, in_process, .. } = self.polisher;
        let polisher = sum(&[on_the_way, empty, halves, in_process]);
        let DetectorLedger { on_the_way, dumped, .. } = self.detector;
        let detector = sum(&[on_the_way, dumped]);
        let WeigherLedger { on_the_way, under, over, unweighed, .. } = self.weigher;
        let weigher = sum(&[on_the_way, under, over, unweighed]);
        let CounterLedger { hopper, in_process, good_bottles, short_capsules, .. } = self.counter;
        let good = good_bottles * u64::from(PER_BOTTLE);
        let counter = sum(&[hopper, in_process, good, short_capsules]);
        of_first + of_others - polisher - detector - weigher - counter
    }
}

/// Cause of the rejects that nobody injected, in [`Standing::rejects_by_cause`].
pub const OWN: &str = "own";

/// How a machine stands, how long it stood so and why, and why it rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// Reason of its present stop; 0 while there is none.
    pub stop_reason: u16,
    /// Time it spent in each state, in microseconds; the sum is `plant_us`.
    pub state_us: BTreeMap<State, i64>,
    /// Its stops in order of time; the last may still last. Together they are the time in which it neither ran nor
    /// started.
    pub stops: Vec<StopRecord>,
    /// Capsules that it rejected, by the name of the fault that was injected to spoil them; `own` are all others. The sum
    /// is all that it rejected: of a filler its rejects, of the polisher `empty + halves`, of the detector `dumped`, of
    /// the weigher `under + over + unweighed`, of the bottle counter `short_capsules`.
    pub rejects_by_cause: BTreeMap<String, u64>,
}

/// What a filler beside the first did since plant time 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillerLedger {
    /// Strokes.
    pub strokes: u64,
    /// Capsules loaded: `made + Σ rejects + samples + in_process`.
    pub infeed: u64,
    /// Pockets that got no capsule.
    pub empty_pockets: u64,
    /// Good capsules ejected.
    pub made: u64,
    /// Capsules rejected, by class.
    pub rejects: BTreeMap<RejectClass, u64>,
    /// Good capsules taken out for quality control.
    pub samples: u64,
    /// Capsules loaded and not yet ejected.
    pub in_process: u64,
    /// Its stops in order of time; the last may still last.
    #[serde(default)]
    pub stops: Vec<StopRecord>,
}

impl FillerLedger {
    fn passed_on(&self) -> i128 {
        i128::from(self.infeed)
            - i128::from(self.rejects.values().sum::<u64>())
            - i128::from(self.samples)
            - i128::from(self.in_process)
    }
}

/// What the polisher did since plant time 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolisherLedger {
    /// Capsules between the fillers and the polisher.
    pub on_the_way: u64,
    /// Capsules that entered: `good + empty + halves + in_process`.
    pub infeed: u64,
    /// Capsules that left it for the detector.
    pub good: u64,
    /// Capsules without powder, sorted out.
    pub empty: u64,
    /// Halves and open capsules, sorted out; each pair of halves is a capsule.
    pub halves: u64,
    /// Capsules inside.
    pub in_process: u64,
}

/// What the metal detector did since plant time 0. Of all it counts, its registers show events only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetectorLedger {
    /// Capsules between the polisher and the detector.
    pub on_the_way: u64,
    /// Capsules that passed.
    pub passed: u64,
    /// Openings of the flap because of metal.
    pub events: u64,
    /// Capsules that went with them, 10 to 60 an opening.
    pub dumped: u64,
    /// Test pieces found; they are no product.
    pub test_pieces: u64,
}

/// What the bottle counter did since plant time 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterLedger {
    /// Capsules in the hopper before it.
    pub hopper: u64,
    /// Capsules counted into bottles: `60 · good_bottles + short_capsules + in_process`.
    pub infeed: u64,
    /// Bottles that hold 60 capsules.
    pub good_bottles: u64,
    /// Bottles that were rejected because they hold fewer.
    pub short_bottles: u64,
    /// Capsules in those.
    pub short_capsules: u64,
    /// Capsules in bottles that were not checked yet.
    pub in_process: u64,
}

/// One stop of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRecord {
    /// Stop reason, 1 to 9, 20 for cleaning, 21 for a changeover, 22 for a hand-over.
    pub code: u16,
    /// State the machine was in.
    pub state: State,
    /// Plant time at which the state changed, in microseconds; two strokes of a filler still follow.
    pub from_us: i64,
    /// Plant time of the restart, in microseconds; none while the stop lasts.
    pub to_us: Option<i64>,
    /// Tag of the machine that is to blame: this one, or the one that blocks or starves it. None where no machine of the
    /// line is: supplies that ran out, a planned stop, the line before its first capsule.
    pub by: Option<Cow<'static, str>>,
    /// The fault that was injected to bring it about, here or at the machine to blame; none for what came by itself.
    pub injected: Option<Fault>,
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
    /// Capsules between the detector and the weigher.
    pub on_the_way: u64,
}

impl WeigherLedger {
    /// All capsules that passed the weigher, weighed or not.
    pub fn passed(&self) -> u64 {
        self.weighed + self.unweighed
    }
}
