//! The set of bores and what it weighs out.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::{
    filler::BORES,
    weigher::{FILL_MG, LIMIT_HI_MG, LIMIT_LO_MG, TARE_MG},
};
use crate::{
    config::WeightModel,
    random::{self, Stream},
};

/// Spread of the bores' means and of the doses of one bore, as shares of the fill.
const BORE_SD: f64 = 0.007;
const DOSE_SD: f64 = 0.015;
const SHELL_SD_MG: f64 = 2.9;
/// Chance of a capsule that has not got all of its fill. All of these are underweight.
const P_OUTLIER: f64 = 1e-4;
/// What such a capsule has, as a share of the fill.
pub(super) const OUTLIER: std::ops::Range<f64> = 0.3..0.9;

/// Chance of a reject per capsule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chance {
    pub(super) under: f64,
    over: f64,
    /// What of both comes from the bore that wears.
    worn_under: f64,
    worn_over: f64,
}

impl Chance {
    pub(super) fn reject(self) -> f64 {
        self.under + self.over
    }

    /// The share of such rejects that a line without the worn bore would not have.
    pub(super) fn worn_share(self, is_under: bool) -> f64 {
        let (worn, all) = match is_under {
            true => (self.worn_under, self.under),
            false => (self.worn_over, self.over),
        };
        if all > 0.0 { (worn / all).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// A bore that doses off more and more, with up to twice its noise.
#[derive(Clone, Copy, Debug)]
struct Wears {
    from: u64,
    until: u64,
    bore: usize,
    /// Where it has ended, as a share of the fill.
    share: f64,
}

impl Wears {
    /// How far a bore has worn at a stroke: 0 not at all, 1 to its end.
    fn progress(&self, bore: usize, stroke: u64) -> f64 {
        if bore != self.bore || stroke < self.from {
            return 0.0;
        }
        let length = (self.until - self.from).max(1) as f64;
        (stroke.min(self.until) - self.from) as f64 / length
    }
}

/// The set of 50 bores: each has its own mean, fixed for the seed.
#[derive(Clone, Debug)]
pub(super) struct Tooling {
    bores: Vec<f64>,
    weights: WeightModel,
    wears: Option<Wears>,
    /// Chances on an even grid of drifts from `-DRIFT_END` to `DRIFT_END`.
    chances: Vec<Chance>,
}

const DRIFT_END: f64 = 0.04;
const DRIFT_STEPS: usize = 160;

impl Tooling {
    pub(super) fn new(seed: u64, weights: WeightModel) -> Tooling {
        let mut rng = random::stream(seed, Stream::Tooling);
        let bores: Vec<f64> =
            (0..BORES).map(|_| BORE_SD * rng.sample::<f64, _>(StandardNormal)).collect();
        let drift_of = |step| DRIFT_END * (2.0 * step as f64 / DRIFT_STEPS as f64 - 1.0);
        let sd_mg = single_sd_mg(1.0);
        let chances =
            (0..=DRIFT_STEPS).map(|step| chance_of(&bores, sd_mg, drift_of(step))).collect();
        Tooling { bores, weights, wears: None, chances }
    }

    /// Lets a bore wear between two strokes, down to this share of the fill. Unlike [`WeightModel::worn_bore`] it is
    /// seen in the rejects too.
    pub(super) fn wear(&mut self, bore: u16, (from, until): (u64, u64), share: f64) {
        let bore = usize::from(bore.clamp(1, BORES as u16)) - 1;
        self.wears = Some(Wears { from, until, bore, share });
    }

    /// The net weight of a capsule of a sample, whatever it is: a sample is not sorted.
    pub(super) fn net_weight(
        &self,
        bore: usize,
        stroke: u64,
        drift: f64,
        rng: &mut ChaCha8Rng,
    ) -> f64 {
        let mean = FILL_MG * (1.0 + self.offset(bore, stroke) + drift);
        let sd_mg = FILL_MG * DOSE_SD * self.noise(bore, stroke);
        mean + sd_mg * rng.sample::<f64, _>(StandardNormal)
    }

    /// The net weight of one of the few capsules of a sample that did not get all of their fill; none of the others.
    pub(super) fn outlier(rng: &mut ChaCha8Rng) -> Option<f64> {
        let share = rng.random_bool(P_OUTLIER).then(|| rng.random_range(OUTLIER));
        share.map(|share| FILL_MG * share)
    }

    /// Noise of a bore's doses, as a multiple of that of a sound one.
    fn noise(&self, bore: usize, stroke: u64) -> f64 {
        let bore = bore % self.bores.len();
        1.0 + self.wears.map_or(0.0, |wears| wears.progress(bore, stroke))
    }

    /// Deviation of a bore's doses, as a share of the fill.
    fn offset(&self, bore: usize, stroke: u64) -> f64 {
        let bore = bore % self.bores.len();
        let is_worn = |(from, number, _): &(u64, u16, f64)| {
            *from <= stroke && usize::from(*number) == bore + 1
        };
        let worn = self.weights.worn_bore.filter(is_worn);
        let wears = self.wears.map_or(0.0, |wears| wears.share * wears.progress(bore, stroke));
        self.bores[bore] + worn.map_or(0.0, |(_, _, share)| share) + wears
    }

    pub(super) fn chance(&self, drift: f64, stroke: u64) -> Chance {
        let step = (drift / DRIFT_END + 1.0) / 2.0 * DRIFT_STEPS as f64;
        let chance = self.chances[step.round().clamp(0.0, DRIFT_STEPS as f64) as usize];
        let Some(wears) = self.wears else { return chance };
        // One bore of all goes from where it was to where it is.
        let of_bore = |worn: f64| {
            let bore = self.bores[wears.bore] + wears.share * worn;
            chance_of(&[bore], single_sd_mg(1.0 + worn), drift)
        };
        let (before, after) = (of_bore(0.0), of_bore(wears.progress(wears.bore, stroke)));
        let n = self.bores.len() as f64;
        let moved = |all: f64, more: f64| (all + more).max(P_OUTLIER / 2.0);
        let worn_under = (after.under - before.under) / n;
        let worn_over = (after.over - before.over) / n;
        Chance {
            under: moved(chance.under, worn_under),
            over: moved(chance.over, worn_over),
            worn_under,
            worn_over,
        }
    }

    /// The weight of a capsule of which is known that it is within the limits.
    pub(super) fn good_weight(
        &self,
        bore: usize,
        stroke: u64,
        drift: f64,
        rng: &mut ChaCha8Rng,
    ) -> f64 {
        let mean = mean_mg(self.offset(bore, stroke), drift);
        let sd_mg = single_sd_mg(self.noise(bore, stroke));
        let mut draw = || mean + sd_mg * rng.sample::<f64, _>(StandardNormal);
        for _ in 0..TRIES {
            let weight = draw();
            if (LIMIT_LO_MG..=LIMIT_HI_MG).contains(&weight) {
                return weight;
            }
        }
        // What is good of a bore so far off lies at the limit.
        mean.clamp(LIMIT_LO_MG, LIMIT_HI_MG)
    }
}

/// A weight within the limits is drawn so often at most: a bore that is far off has hardly any.
const TRIES: u32 = 100;

/// Spread of single gross weights of one bore, dose and shell together, with so many times its noise.
fn single_sd_mg(noise: f64) -> f64 {
    (FILL_MG * DOSE_SD * noise).hypot(SHELL_SD_MG)
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
    Chance { under: normal * below + P_OUTLIER, over: normal * above, ..Chance::default() }
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
