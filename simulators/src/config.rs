//! What a plant is made from: how it runs, rejects and weighs, and what its counters show at plant time 0.

use serde::Deserialize;

use crate::stops::Preset;

/// Most fillers of one line: their Modbus units are 1, 12, 13, 14.
pub const MOST_FILLERS: u32 = 4;

/// What a plant is made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelConfig {
    /// Seed of all randomness: the same seed makes the same plant.
    pub seed: u64,
    /// How well the plant runs.
    pub preset: Preset,
    /// UTC of plant time 0, in microseconds since 1970.
    pub line_start_us: i64,
    /// What the counters of the PLCs show at plant time 0.
    pub start_counters: Counters,
    /// Fillers that work side by side, 1 to [`MOST_FILLERS`]; together they are as fast as one.
    pub fillers: u32,
    /// Good capsules of a filler after which a batch ends.
    pub batch_size: u64,
    /// Length of a shift in microseconds of plant time, where there are shifts: the fillers stand at each hand-over.
    pub shift_us: Option<i64>,
    /// Running number of the first batch.
    pub first_batch: u32,
    /// How rejects come about.
    pub rejects: RejectModel,
    /// What happens to the weights beside the powder's own drift.
    pub weights: WeightModel,
}

impl Default for ModelConfig {
    fn default() -> ModelConfig {
        ModelConfig {
            seed: 1,
            preset: Preset::Steady,
            // 2026-11-02 00:00 UTC, a Monday.
            line_start_us: 1_793_577_600_000_000,
            start_counters: Counters::default(),
            fillers: 1,
            batch_size: 1_500_000,
            shift_us: None,
            first_batch: 417,
            rejects: RejectModel::default(),
            weights: WeightModel::default(),
        }
    }
}

/// What happens to the weights of the capsules, as shares of the nominal fill. It moves single weights and what is told
/// of them; how many capsules the weigher rejects stays that of the powder's drift.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WeightModel {
    /// Seed of the set of bores; that of the plant without it. Two lines with the same tooling differ only by chance.
    pub tooling: Option<u64>,
    /// From this much running time on, in microseconds, every dose is off by so much.
    pub shift: Option<(i64, f64)>,
    /// From this much running time on, in microseconds, every dose moves by so much an hour.
    pub wear: Option<(i64, f64)>,
    /// From this stroke on, one bore doses off by so much: its number from 1, and the share.
    pub worn_bore: Option<(u64, u16, f64)>,
}

/// How rejects of the filler come about. The chances are per capsule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RejectModel {
    /// In good times and in a burst.
    pub p: [f64; 2],
    /// How long each lasts on average, in microseconds of running; a burst that never comes is infinity away.
    pub mean_us: [f64; 2],
    /// Relative standard deviation of the chance from minute to minute.
    pub wander_cv: f64,
    /// How slowly it wanders, in minutes of running: neighbours share what is slower than a minute.
    pub wander_minutes: f64,
    /// From this much running time on, in microseconds, the chance in good times is another one.
    pub shift: Option<(i64, f64)>,
    /// A burst from this much running time on, in microseconds, for so long, with this chance.
    pub burst: Option<(i64, i64, f64)>,
    /// From this much running time on, in microseconds, one bore spoils its capsule with this chance.
    pub worn_bore: Option<(i64, f64)>,
}

impl Default for RejectModel {
    /// Long good times with 0.08 %, short bursts with 3 %.
    fn default() -> RejectModel {
        RejectModel {
            p: [0.0008, 0.03],
            mean_us: [20.0 * 60e6, 25e6],
            wander_cv: 0.0,
            wander_minutes: 1.0,
            shift: None,
            burst: None,
            worn_bore: None,
        }
    }
}

impl RejectModel {
    /// Whether the chance depends on more than good times and bursts.
    pub(crate) fn changes(&self) -> bool {
        self.wander_cv > 0.0 || self.shift.is_some() || self.burst.is_some()
    }

    /// A line whose chance of a reject stays at `p` but for chance itself.
    pub fn steady(p: f64) -> RejectModel {
        RejectModel { p: [p, p], mean_us: [f64::INFINITY, 1.0], ..RejectModel::default() }
    }
}

/// Values of the PLC counters at plant time 0, to start near a roll-over or in the middle of a
/// batch. All are in capsules unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counters {
    /// `StrokeTotal`, in strokes.
    pub stroke_total: u32,
    /// `ProdConsumedCount[0].Count`.
    pub consumed: u32,
    /// `ProdProcessedCount[0].Count`; the first batch is that much shorter.
    pub processed: u32,
    /// `ProdProcessedCount[0].AccCount`, taken modulo 2³¹.
    pub processed_acc: u32,
    /// `Rej.Unseparated`.
    pub unseparated: u16,
    /// `Rej.EmptyPocket`, in pockets.
    pub empty_pocket: u16,
    /// `Rej.DentedTelescoped`.
    pub dented: u16,
    /// `Rej.Startup`.
    pub startup: u16,
    /// `Samples`.
    pub samples: u16,
    /// `Rej.NoDose`.
    pub no_dose: u16,
    /// `Rej.DoubleCap`.
    pub double_cap: u16,
    /// `PlcUptime` of every PLC, in seconds, from which its heartbeat goes on too; 0 for the fillers beside the first.
    pub uptime_s: u32,
    /// `CW04.Statistic.TotalPackages.ItemCount`.
    pub weigher_total: u32,
    /// `CW04.Statistic.TotalPackagesAccepted.ItemCount`.
    pub weigher_accepted: u32,
    /// `CW04.MasterTotal`.
    pub weigher_master: u64,
    /// `PS02.InCount`.
    pub polisher_in: u32,
    /// `PS02.GoodCount`.
    pub polisher_good: u32,
    /// `PS02.Rej.Empty`, below 10,000.
    pub polisher_empty: u16,
    /// `PS02.Rej.Halves`, below 10,000.
    pub polisher_halves: u16,
    /// `MD03.RejEvents`, in events.
    pub detector_events: u16,
    /// `MD03.TestEvents`, in test pieces.
    pub detector_tests: u16,
    /// `BC05.Admin.ProdConsumedCount[0].AccCount`, taken modulo 2³¹.
    pub counter_consumed: u32,
    /// `BC05.GoodBottles`, in bottles.
    pub counter_good: u32,
    /// `BC05.Admin.ProdDefectiveCount[0].AccCount`, in bottles.
    pub counter_defective: u32,
}

impl Counters {
    /// Counters of a plant that has been in use for about a year.
    pub fn in_use() -> Counters {
        Counters {
            stroke_total: 18_204_117,
            processed_acc: 902_114_350,
            uptime_s: 412_345,
            weigher_total: 871_002_114,
            weigher_accepted: 870_911_020,
            weigher_master: 871_002_114,
            polisher_in: 38_220_417,
            polisher_good: 38_208_950,
            polisher_empty: 7_644,
            polisher_halves: 3_823,
            detector_events: 871,
            detector_tests: 6_213,
            counter_consumed: 870_904_611,
            counter_good: 14_512_163,
            counter_defective: 2_903,
            ..Counters::default()
        }
    }
}
