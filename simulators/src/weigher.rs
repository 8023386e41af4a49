//! CW04, the checkweigher, fed with the filler's good capsules after a fixed 30 s.
//!
//! Thirty seconds are 65 strokes at full speed. The lag is one of time, because the conveyor runs
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
use rand_distr::{Exp1, StandardNormal};

use crate::{
    filler::{BORES, Parcel, Taken},
    ledger::{IntervalRecord, SampleRecord, WeigherLedger},
    model::WeightModel,
    random::{self, Rare, Stream},
    stops::State,
};

/// From the filler's ejection to the weigher, in microseconds.
pub const LAG_US: i64 = 30_000_000;
/// Average empty shell, in mg.
pub(crate) const TARE_MG: f64 = 96.0;
/// Nominal fill, in mg net.
pub(crate) const FILL_MG: f64 = 500.0;
/// Nominal weight, in mg gross.
const NOMINAL_MG: f64 = TARE_MG + FILL_MG;
/// Limits of the weigher, in mg gross: 7.5 % of the fill around the nominal weight.
pub(crate) const LIMIT_LO_MG: f64 = TARE_MG + FILL_MG * 0.925;
pub(crate) const LIMIT_HI_MG: f64 = TARE_MG + FILL_MG * 1.075;

/// Spread of the bores' means and of the doses of one bore, as shares of the fill.
const BORE_SD: f64 = 0.007;
const DOSE_SD: f64 = 0.015;
const SHELL_SD_MG: f64 = 2.9;
/// Chance of a capsule with 30 to 90 % of its fill. All of these are underweight.
const P_OUTLIER: f64 = 1e-4;
const P_UNWEIGHED: f64 = 5e-5;
/// Capsules behind `CW04.Mean` and `CW04.StdDev`.
const WINDOW: u32 = 1_000;
/// Length of the intervals of which statistics are published.
const INTERVAL_US: i64 = 60_000_000;
/// The belt counts as empty when nothing has come for this long.
const DRY_US: i64 = 2_000_000;

/// A stroke's capsules after weighing.
#[derive(Clone, Debug)]
struct Weighed {
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
    totals: WeigherLedger,
    seed: u64,
    rng: ChaCha8Rng,
    tooling: Tooling,
    unweighed: Rare,
    /// Intensity still to pass before the next reject; the distance is exponential.
    to_next_reject: f64,
    recent: VecDeque<Arc<Weighed>>,
    last_us: i64,
    /// Strokes of the interval that has not ended, and of the last one that has, with its number.
    filling: Vec<Arc<Weighed>>,
    ended: (u64, Vec<Arc<Weighed>>),
    sampled: (u64, Option<Taken>),
}

impl Weigher {
    pub(crate) fn new(seed: u64, weights: WeightModel) -> Weigher {
        let mut rng = random::stream(seed, Stream::Weigher);
        Weigher {
            totals: WeigherLedger::default(),
            seed,
            tooling: Tooling::new(weights.tooling.unwrap_or(seed), weights),
            unweighed: Rare::new(P_UNWEIGHED, &mut rng),
            to_next_reject: rng.sample(Exp1),
            recent: VecDeque::new(),
            last_us: i64::MIN / 2,
            filling: Vec::new(),
            ended: (0, Vec::new()),
            sampled: (0, None),
            rng,
        }
    }

    /// Weighs what has arrived by `now_us`.
    pub(crate) fn take(&mut self, conveyor: &mut VecDeque<Parcel>, now_us: i64) {
        while let Some(parcel) = conveyor.front()
            && parcel.ejected_us + LAG_US <= now_us
        {
            let parcel = *parcel;
            conveyor.pop_front();
            self.end_intervals(parcel.ejected_us + LAG_US);
            self.weigh(parcel);
        }
        self.end_intervals(now_us);
    }

    /// Ends every interval that is over by then.
    fn end_intervals(&mut self, now_us: i64) {
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
        let first = (sequence - 1) * u64::from(taken.capsules);
        let weigh = |i: u64| {
            let bore = ((first + i) % u64::from(BORES)) as usize;
            let net_mg = self.tooling.net_weight(bore, taken.stroke, taken.drift, &mut rng);
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

    /// Lets a bore wear between two strokes, down to this share of the fill. Unlike [`WeightModel::worn_bore`] it is
    /// seen in the rejects too.
    pub(crate) fn wear(&mut self, bore: u16, between: (u64, u64), share: f64) {
        let (from, until) = between;
        let bore = usize::from(bore.clamp(1, BORES as u16)) - 1;
        self.tooling.wears = Some(Wears { from, until, bore, share });
    }

    /// The account, with what is still `on_the_way`.
    pub(crate) fn ledger(&self, conveyor: &VecDeque<Parcel>) -> WeigherLedger {
        let on_the_way = conveyor.iter().map(|parcel| u64::from(parcel.capsules)).sum();
        WeigherLedger { on_the_way, ..self.totals }
    }

    /// Running while capsules come, starved otherwise.
    pub(crate) fn state(&self, now_us: i64) -> State {
        if now_us - self.last_us <= DRY_US { State::Running } else { State::Waiting }
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

    fn weigh(&mut self, parcel: Parcel) {
        let unweighed = self.unweighed.hits(parcel.capsules, &mut self.rng);
        let weighed = parcel.capsules - unweighed;
        let chance = self.tooling.chance(parcel.drift, parcel.stroke);
        let (mut under, mut over) = (0, 0);
        self.to_next_reject -= f64::from(weighed) * chance.reject();
        while self.to_next_reject < 0.0 {
            self.to_next_reject += self.rng.sample::<f64, _>(Exp1);
            let is_under = self.rng.random_bool(chance.under / chance.reject());
            // A Poisson process knows no number of capsules, so it is kept within the stroke.
            match (under + over < weighed, is_under) {
                (true, true) => under += 1,
                (true, false) => over += 1,
                (false, _) => {}
            }
        }
        let good = weighed - under - over;
        self.totals.weighed += u64::from(weighed);
        self.totals.unweighed += u64::from(unweighed);
        self.totals.under += u64::from(under);
        self.totals.over += u64::from(over);
        self.totals.good += u64::from(good);
        self.last_us = parcel.ejected_us + LAG_US;
        let Parcel { stroke, drift, .. } = parcel;
        let weighed = Arc::new(Weighed { stroke, drift, good, under, over, sums: OnceLock::new() });
        self.filling.push(weighed.clone());
        self.remember(weighed);
    }

    fn remember(&mut self, weighed: Arc<Weighed>) {
        self.recent.push_back(weighed);
        // 50 capsules a stroke, so the window spans at least this many strokes.
        while self.recent.len() > (WINDOW / BORES) as usize {
            self.recent.pop_front();
        }
    }

    fn draw(&self, weighed: &Weighed) -> Sums {
        let mut rng = random::of_stroke(self.seed, weighed.stroke);
        let mut sums = Sums::default();
        for capsule in 0..weighed.good {
            let (bore, stroke) = (capsule as usize, weighed.stroke);
            let weight = self.tooling.good_weight(bore, stroke, weighed.drift, &mut rng);
            sums.last = weight - NOMINAL_MG;
            sums.sum += sums.last;
            sums.squares += sums.last * sums.last;
        }
        if weighed.under > 0 {
            sums.last = FILL_MG * (rng.random_range(0.3..0.9) - 1.0);
        } else if weighed.over > 0 {
            sums.last = LIMIT_HI_MG - NOMINAL_MG + 2.0 * rng.sample::<f64, _>(Exp1);
        }
        sums
    }
}

/// Chance of a reject per capsule.
#[derive(Clone, Copy, Debug)]
struct Chance {
    under: f64,
    over: f64,
}

impl Chance {
    fn reject(self) -> f64 {
        self.under + self.over
    }
}

/// A bore that doses off more and more.
#[derive(Clone, Copy, Debug)]
struct Wears {
    from: u64,
    until: u64,
    bore: usize,
    /// Where it has ended, as a share of the fill.
    share: f64,
}

impl Wears {
    /// Share of the fill by which a bore is off at a stroke.
    fn off(&self, bore: usize, stroke: u64) -> f64 {
        if bore != self.bore || stroke < self.from {
            return 0.0;
        }
        let length = (self.until - self.from).max(1) as f64;
        self.share * (stroke.min(self.until) - self.from) as f64 / length
    }
}

/// The set of 50 bores: each has its own mean, fixed for the seed.
#[derive(Clone, Debug)]
struct Tooling {
    bores: Vec<f64>,
    /// Spread of single gross weights of one bore, dose and shell together.
    single_sd_mg: f64,
    weights: WeightModel,
    /// A bore that wears: from this stroke on, its number from 1, and its share a stroke up to the last.
    wears: Option<Wears>,
    /// Chances on an even grid of drifts from `-DRIFT_END` to `DRIFT_END`.
    chances: Vec<Chance>,
}

const DRIFT_END: f64 = 0.04;
const DRIFT_STEPS: usize = 160;

impl Tooling {
    fn new(seed: u64, weights: WeightModel) -> Tooling {
        let mut rng = random::stream(seed, Stream::Tooling);
        let bores: Vec<f64> =
            (0..BORES).map(|_| BORE_SD * rng.sample::<f64, _>(StandardNormal)).collect();
        let drift_of = |step| DRIFT_END * (2.0 * step as f64 / DRIFT_STEPS as f64 - 1.0);
        let single_sd_mg = (FILL_MG * DOSE_SD).hypot(SHELL_SD_MG);
        let chances =
            (0..=DRIFT_STEPS).map(|step| chance_of(&bores, single_sd_mg, drift_of(step))).collect();
        Tooling { bores, single_sd_mg, weights, wears: None, chances }
    }

    /// The net weight of a capsule of a sample, whatever it is: a sample is not sorted.
    fn net_weight(&self, bore: usize, stroke: u64, drift: f64, rng: &mut ChaCha8Rng) -> f64 {
        let mean = FILL_MG * (1.0 + self.offset(bore, stroke) + drift);
        mean + FILL_MG * DOSE_SD * rng.sample::<f64, _>(StandardNormal)
    }

    /// Deviation of a bore's doses, as a share of the fill.
    fn offset(&self, bore: usize, stroke: u64) -> f64 {
        let bore = bore % self.bores.len();
        let is_worn = |(from, number, _): &(u64, u16, f64)| {
            *from <= stroke && usize::from(*number) == bore + 1
        };
        let worn = self.weights.worn_bore.filter(is_worn);
        let wears = self.wears.map_or(0.0, |wears| wears.off(bore, stroke));
        self.bores[bore] + worn.map_or(0.0, |(_, _, share)| share) + wears
    }

    fn chance(&self, drift: f64, stroke: u64) -> Chance {
        let step = (drift / DRIFT_END + 1.0) / 2.0 * DRIFT_STEPS as f64;
        let chance = self.chances[step.round().clamp(0.0, DRIFT_STEPS as f64) as usize];
        let Some(wears) = self.wears else { return chance };
        // One bore of all goes from where it was to where it is.
        let of_bore = |off| chance_of(&[self.bores[wears.bore] + off], self.single_sd_mg, drift);
        let (before, after) = (of_bore(0.0), of_bore(wears.off(wears.bore, stroke)));
        let moved = |all: f64, before: f64, after: f64| {
            (all + (after - before) / self.bores.len() as f64).max(P_OUTLIER / 2.0)
        };
        Chance {
            under: moved(chance.under, before.under, after.under),
            over: moved(chance.over, before.over, after.over),
        }
    }

    /// The weight of a capsule of which is known that it is within the limits.
    fn good_weight(&self, bore: usize, stroke: u64, drift: f64, rng: &mut ChaCha8Rng) -> f64 {
        let mean = mean_mg(self.offset(bore, stroke), drift);
        loop {
            let weight = mean + self.single_sd_mg * rng.sample::<f64, _>(StandardNormal);
            if (LIMIT_LO_MG..=LIMIT_HI_MG).contains(&weight) {
                return weight;
            }
        }
    }
}

fn mean_mg(bore: f64, drift: f64) -> f64 {
    TARE_MG + FILL_MG * (1.0 + bore + drift)
}

fn chance_of(bores: &[f64], single_sd_mg: f64, drift: f64) -> Chance {
    let mean_over_bores = |tail: &dyn Fn(f64) -> f64| {
        bores.iter().map(|&bore| tail(mean_mg(bore, drift))).sum::<f64>() / bores.len() as f64
    };
    let below = mean_over_bores(&|mean| upper_tail((mean - LIMIT_LO_MG) / single_sd_mg));
    let above = mean_over_bores(&|mean| upper_tail((LIMIT_HI_MG - mean) / single_sd_mg));
    let normal = 1.0 - P_OUTLIER;
    Chance { under: normal * below + P_OUTLIER, over: normal * above }
}

/// P(Z > z) of the standard normal distribution, from the Chebyshev fit of erfc in Numerical
/// Recipes (1992, section 6.2), whose relative error is below 1.2e-7 also far out in the tail.
fn upper_tail(z: f64) -> f64 {
    const FIT: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    let polynomial = FIT.iter().rev().fold(0.0, |sum, &c| sum * t + c);
    let tail = 0.5 * t * (polynomial - x * x).exp();
    if z >= 0.0 { tail } else { 1.0 - tail }
}
