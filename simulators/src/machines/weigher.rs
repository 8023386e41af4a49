//! CW04, the checkweigher, fed with the filler's good capsules after 30 s of polisher, detector and conveyors.
//!
//! Thirty seconds are 65 strokes at full speed. The lag is one of time, because the conveyors run
//! on when the filler stops.
//!
//! **No weight is drawn to decide about a capsule.** At 6,500 a minute that would be most of the
//! simulator's work. Instead the chance of an underweight and of an overweight capsule is computed
//! for the powder density of the stroke (exactly, over the 50 bores), and rejects strike as a
//! Poisson process of that intensity. Single weights exist only when somebody looks: those of the
//! last 1,000 good capsules are drawn from the seed and the stroke number, within the limits, so
//! the same stroke shows the same weights whenever it is asked for.
//!
//! Two records are published under a running number, as a checkweigher and a balance do it: statistics of every whole
//! minute, and the 20 weights of each sample that the filler takes out, with their bores. The bores of a sample follow
//! those of the sample before, so that five samples see every bore twice.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp1;

use super::{
    Parcel,
    belt::{Belt, Transit},
    detector,
    filler::{BORES, Taken},
    polisher,
    tooling::{OUTLIER, Tooling},
};
use crate::{
    config::WeightModel,
    ledger::{IntervalRecord, SampleRecord, WeigherLedger},
    random::{self, Rare, Stream},
};

/// From the filler's ejection through polisher and detector to the weigher, in microseconds, while nothing stands.
pub const LAG_US: i64 = 30_000_000;
/// The last part of it, from the detector on.
pub(crate) const FROM_DETECTOR_US: i64 =
    LAG_US - polisher::FEED_US - polisher::PASS_US - detector::LAG_US;
/// Average empty shell, in mg.
pub(crate) const TARE_MG: f64 = 96.0;
/// Nominal fill, in mg net.
pub(crate) const FILL_MG: f64 = 500.0;
/// Nominal weight, in mg gross.
const NOMINAL_MG: f64 = TARE_MG + FILL_MG;
/// Limits of the weigher, in mg gross: 7.5 % of the fill around the nominal weight.
pub(crate) const LIMIT_LO_MG: f64 = TARE_MG + FILL_MG * 0.925;
pub(crate) const LIMIT_HI_MG: f64 = TARE_MG + FILL_MG * 1.075;

const P_UNWEIGHED: f64 = 5e-5;
/// Capsules behind `CW04.Mean` and `CW04.StdDev`.
const WINDOW: u32 = 1_000;
/// Length of the intervals of which statistics are published.
const INTERVAL_US: i64 = 60_000_000;

/// A stroke's capsules after weighing.
#[derive(Clone, Debug)]
struct Weighed {
    filler: u8,
    stroke: u64,
    drift: f64,
    good: u32,
    under: u32,
    over: u32,
    /// Drawn when somebody looks for the first time.
    sums: OnceLock<Sums>,
}

/// What is known of a stroke's weights, as deviations from the nominal weight in mg.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    sum: f64,
    squares: f64,
    /// Of the last capsule, which is a reject if the stroke had one.
    last: f64,
}

/// Mean and spread of the last good weights, and the last weight of all, in mg gross.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Weights {
    pub(crate) mean_mg: f32,
    pub(crate) std_dev_mg: f32,
    pub(crate) last_mg: f32,
}

/// The weigher at one plant time.
#[derive(Clone, Debug)]
pub(crate) struct Weigher {
    pub(crate) transit: Transit,
    pub(crate) belt: Belt,
    totals: WeigherLedger,
    /// Rejects that there would not be without the worn bore, and what decides about each.
    pub(crate) worn_rejects: u64,
    causes: ChaCha8Rng,
    seed: u64,
    rng: ChaCha8Rng,
    tooling: Tooling,
    unweighed: Rare,
    /// Intensity still to pass before the next reject; the distance is exponential.
    to_next_reject: f64,
    recent: VecDeque<Arc<Weighed>>,
    /// Strokes of the interval that has not ended, and of the last one that has, with its number.
    filling: Vec<Arc<Weighed>>,
    ended: (u64, Vec<Arc<Weighed>>),
    sampled: (u64, Option<Taken>),
}

impl Weigher {
    pub(crate) fn new(seed: u64, weights: WeightModel, fillers: u32) -> Weigher {
        let mut rng = random::stream(seed, Stream::Weigher);
        Weigher {
            transit: Transit::new("CW04", fillers),
            belt: Belt::new(FROM_DETECTOR_US),
            totals: WeigherLedger::default(),
            worn_rejects: 0,
            causes: random::stream(seed, Stream::Causes),
            seed,
            tooling: Tooling::new(weights.tooling.unwrap_or(seed), weights),
            unweighed: Rare::new(P_UNWEIGHED, &mut rng),
            to_next_reject: rng.sample(Exp1),
            recent: VecDeque::new(),
            filling: Vec::new(),
            ended: (0, Vec::new()),
            sampled: (0, None),
            rng,
        }
    }

    /// A parcel sets out for it.
    pub(crate) fn send(&mut self, parcel: Parcel, now_us: i64) {
        self.belt.put(parcel, &self.transit.drive, now_us);
    }

    /// Weighs the next parcel; its good capsules.
    pub(crate) fn let_through(&mut self, now_us: i64) -> u32 {
        let Some(parcel) = self.belt.take() else { return 0 };
        self.transit.pass(now_us);
        self.end_intervals(now_us);
        self.weigh(parcel)
    }

    /// Ends every interval that is over by then.
    pub(crate) fn end_intervals(&mut self, now_us: i64) {
        let over = u64::try_from(now_us.div_euclid(INTERVAL_US)).unwrap_or(0);
        if over > self.ended.0 {
            let filled = std::mem::take(&mut self.filling);
            // Whatever was weighed belongs to the first interval that ends; those after it saw nothing.
            let last = if over == self.ended.0 + 1 { filled } else { Vec::new() };
            self.ended = (over, last);
        }
    }

    /// Weighs samples one by one; the last one is shown.
    pub(crate) fn inspect(&mut self, samples: &mut Vec<Taken>) {
        for taken in samples.drain(..) {
            self.sampled = (self.sampled.0 + 1, Some(taken));
        }
    }

    /// The last sample, drawn when somebody looks.
    pub(crate) fn sample(&self) -> Option<SampleRecord> {
        let (sequence, taken) = (self.sampled.0, self.sampled.1?);
        let mut rng = random::of_sample(self.seed, sequence);
        let mut outliers = random::of_outliers(self.seed, sequence);
        let first = (sequence - 1) * u64::from(taken.capsules);
        let weigh = |i: u64| {
            let bore = ((first + i) % u64::from(BORES)) as usize;
            let net_mg = self.tooling.net_weight(bore, taken.stroke, taken.drift, &mut rng);
            let net_mg = Tooling::outlier(&mut outliers).unwrap_or(net_mg);
            (bore as u16 + 1, (net_mg * 10.0).round().clamp(0.0, 65_535.0) as u16)
        };
        Some(SampleRecord {
            sequence,
            weights: (0..u64::from(taken.capsules)).map(weigh).collect(),
        })
    }

    /// Statistics of the last whole interval, drawn when somebody looks.
    pub(crate) fn interval(&self) -> Option<IntervalRecord> {
        let (sequence, strokes) = &self.ended;
        if *sequence == 0 {
            return None;
        }
        let (capsules, mean_mg, std_dev_mg) = self.statistics(strokes.iter());
        Some(IntervalRecord { sequence: *sequence, capsules, mean_mg, std_dev_mg })
    }

    /// Good capsules of these strokes, their mean and their standard deviation in mg gross.
    fn statistics<'a>(&self, strokes: impl Iterator<Item = &'a Arc<Weighed>>) -> (u32, f64, f64) {
        let (mut n, mut sum, mut squares) = (0, 0.0, 0.0);
        for weighed in strokes {
            let sums = weighed.sums.get_or_init(|| self.draw(weighed));
            n += weighed.good;
            sum += sums.sum;
            squares += sums.squares;
        }
        if n < 2 {
            return (n, if n == 0 { 0.0 } else { NOMINAL_MG + sum }, 0.0);
        }
        let count = f64::from(n);
        let variance = (squares - sum * sum / count) / (count - 1.0);
        (n, NOMINAL_MG + sum / count, variance.max(0.0).sqrt())
    }

    /// Lets a bore wear between two strokes, down to this share of the fill.
    pub(crate) fn wear(&mut self, bore: u16, strokes: (u64, u64), share: f64) {
        self.tooling.wear(bore, strokes, share);
    }

    /// The account, with what is still `on_the_way`.
    pub(crate) fn ledger(&self) -> WeigherLedger {
        WeigherLedger { on_the_way: self.belt.capsules(), ..self.totals }
    }

    /// Statistics of the last good capsules.
    pub(crate) fn weights(&self) -> Weights {
        let (n, mean_mg, std_dev_mg) = self.statistics(self.recent.iter());
        let last = self.recent.back().and_then(|weighed| weighed.sums.get());
        if n < 2 {
            return Weights::default();
        }
        Weights {
            mean_mg: mean_mg as f32,
            std_dev_mg: std_dev_mg as f32,
            last_mg: (NOMINAL_MG + last.map_or(0.0, |sums| sums.last)) as f32,
        }
    }

    fn weigh(&mut self, parcel: Parcel) -> u32 {
        let unweighed = self.unweighed.hits(parcel.capsules, &mut self.rng);
        let weighed = parcel.capsules - unweighed;
        let chance = self.tooling.chance(parcel.drift, parcel.stroke);
        let (mut under, mut over) = (0, 0);
        self.to_next_reject -= f64::from(weighed) * chance.reject();
        while self.to_next_reject < 0.0 {
            self.to_next_reject += self.rng.sample::<f64, _>(Exp1);
            let is_under = self.rng.random_bool(chance.under / chance.reject());
            // A Poisson process knows no number of capsules, so it is kept within the stroke.
            if under + over == weighed {
                continue;
            }
            *if is_under { &mut under } else { &mut over } += 1;
            let worn = chance.worn_share(is_under);
            self.worn_rejects += u64::from(worn > 0.0 && self.causes.random_bool(worn));
        }
        let good = weighed - under - over;
        self.totals.weighed += u64::from(weighed);
        self.totals.unweighed += u64::from(unweighed);
        self.totals.under += u64::from(under);
        self.totals.over += u64::from(over);
        self.totals.good += u64::from(good);
        let Parcel { filler, stroke, drift, .. } = parcel;
        let sums = OnceLock::new();
        let weighed = Arc::new(Weighed { filler, stroke, drift, good, under, over, sums });
        self.filling.push(weighed.clone());
        self.remember(weighed);
        good
    }

    fn remember(&mut self, weighed: Arc<Weighed>) {
        self.recent.push_back(weighed);
        // 50 capsules a stroke, so the window spans at least this many strokes.
        while self.recent.len() > (WINDOW / BORES) as usize {
            self.recent.pop_front();
        }
    }

    fn draw(&self, weighed: &Weighed) -> Sums {
        let mut rng = random::of_stroke(self.seed, weighed.filler, weighed.stroke);
        let mut sums = Sums::default();
        for capsule in 0..weighed.good {
            let (bore, stroke) = (capsule as usize, weighed.stroke);
            let weight = self.tooling.good_weight(bore, stroke, weighed.drift, &mut rng);
            sums.last = weight - NOMINAL_MG;
            sums.sum += sums.last;
            sums.squares += sums.last * sums.last;
        }
        if weighed.under > 0 {
            sums.last = FILL_MG * (rng.random_range(OUTLIER) - 1.0);
        } else if weighed.over > 0 {
            sums.last = LIMIT_HI_MG - NOMINAL_MG + 2.0 * rng.sample::<f64, _>(Exp1);
        }
        sums
    }
}
