//! Whether a process can keep its tolerance: normal, by percentiles of another law, and for fractions.
//!
//! Cpm is published in three versions that differ in the third digit; each has its name here. Indices of a short
//! sample are guesses, so each comes with its interval.

use super::variables::Within;
use crate::stats::distribution::normal_sf;
use crate::stats::interval::{clopper_pearson, wilson};
use crate::stats::quantile::{chi_square, normal};
use crate::stats::summary::{self, Summary};

/// The tolerance; either side may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// Lower specification limit.
    pub lsl: Option<f64>,
    /// Upper specification limit.
    pub usl: Option<f64>,
    /// The value aimed at.
    pub target: Option<f64>,
}

/// What capability is computed from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessSummary {
    /// Mean of all values.
    pub mean: f64,
    /// Standard deviation within subgroups: what the process could do.
    pub sigma_within: Option<f64>,
    /// Standard deviation of all values: what it did.
    pub sigma_overall: Option<f64>,
    /// How many values.
    pub n: f64,
    /// Degrees of freedom of `sigma_within`.
    pub df_within: f64,
}

/// An index with its two-sided confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Index {
    /// The estimate.
    pub value: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
}

/// Indices for one standard deviation: Cp … for the one within, Pp … for the one overall.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Indices {
    /// `(USL - LSL) / 6σ`.
    pub both: Option<Index>,
    /// `(mean - LSL) / 3σ`.
    pub lower: Option<f64>,
    /// `(USL - mean) / 3σ`.
    pub upper: Option<f64>,
    /// The smaller of the two.
    pub worst: Option<Index>,
    /// What a normal process would make outside the tolerance.
    pub expected: Expected,
}

/// Parts per million expected outside the tolerance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expected {
    /// Below LSL.
    pub ppm_below: Option<f64>,
    /// Above USL.
    pub ppm_above: Option<f64>,
    /// Both.
    pub ppm_total: f64,
}

/// Capability of a normal process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capability {
    /// By the standard deviation within subgroups.
    pub within: Indices,
    /// By the overall one.
    pub overall: Indices,
    /// Cpm with `s² + (mean - T)²` (Montgomery, JMP, qcc).
    pub cpm: Option<f64>,
    /// Cpm with `Σ (x - T)² / (n - 1)` (Minitab).
    pub cpm_n_minus_1: Option<f64>,
    /// Cpm with `Σ (x - T)² / n` (Boyles 1991).
    pub cpm_n: Option<f64>,
    /// The distance in sigma that would make the overall expected fraction on one side.
    pub z_bench_overall: Option<f64>,
}

/// Capability of a process with this summary at two-sided `confidence`. Cpm is left out when only the summary is
/// known to the caller, by leaving out the target.
pub fn capability(process: &ProcessSummary, tolerance: &Tolerance, confidence: f64) -> Capability {
    let within = indices(process, process.sigma_within, process.df_within, tolerance, confidence);
    let overall = indices(process, process.sigma_overall, process.n - 1.0, tolerance, confidence);
    let fraction = process.sigma_overall.map(|_| overall.expected.ppm_total / 1e6);
    Capability {
        within,
        overall,
        cpm: cpm(process, tolerance, |s2, d2, _| s2 + d2),
        cpm_n_minus_1: cpm(process, tolerance, |s2, d2, n| s2 + d2 * n / (n - 1.0)),
        cpm_n: cpm(process, tolerance, |s2, d2, n| s2 * (n - 1.0) / n + d2),
        z_bench_overall: fraction.and_then(normal).map(|z| -z),
    }
}

fn indices(
    process: &ProcessSummary,
    sigma: Option<f64>,
    df: f64,
    tolerance: &Tolerance,
    confidence: f64,
) -> Indices {
    let Some(sigma) = sigma.filter(|s| *s > 0.0) else { return Indices::default() };
    let tail = (1.0 - confidence) / 2.0;
    let Tolerance { lsl, usl, .. } = *tolerance;
    let both = lsl.zip(usl).map(|(lsl, usl)| (usl - lsl) / (6.0 * sigma));
    let lower = lsl.map(|lsl| (process.mean - lsl) / (3.0 * sigma));
    let upper = usl.map(|usl| (usl - process.mean) / (3.0 * sigma));
    let worst = lower.into_iter().chain(upper).reduce(f64::min);
    // Cp: chi-square of the variance. Cpk: the normal approximation of Bissell 1990.
    let chi = |value: f64| {
        let at = |p: f64| chi_square(p, df).map(|q| value * (q / df).sqrt());
        at(tail).zip(at(1.0 - tail))
    };
    let bissell = |value: f64| {
        let half =
            normal(1.0 - tail)? * (1.0 / (9.0 * process.n) + value * value / (2.0 * df)).sqrt();
        half.is_finite().then_some((value - half, value + half))
    };
    Indices {
        both: both.map(|value| Index { value, interval: chi(value) }),
        lower,
        upper,
        worst: worst.map(|value| Index { value, interval: bissell(value) }),
        expected: Expected::of(lower, upper),
    }
}

impl Expected {
    fn of(lower: Option<f64>, upper: Option<f64>) -> Expected {
        let ppm = |index: f64| 1e6 * normal_sf(3.0 * index);
        let (below, above) = (lower.map(ppm), upper.map(ppm));
        Expected {
            ppm_below: below,
            ppm_above: above,
            ppm_total: below.unwrap_or(0.0) + above.unwrap_or(0.0),
        }
    }
}

/// `(USL - LSL) / 6τ` with the version's `τ²` from the variance, the squared distance from the target and `n`.
fn cpm(
    process: &ProcessSummary,
    tolerance: &Tolerance,
    square: impl Fn(f64, f64, f64) -> f64,
) -> Option<f64> {
    let distance = process.mean - tolerance.target?;
    let tau = square(process.sigma_overall?.powi(2), distance * distance, process.n).sqrt();
    Some((tolerance.usl? - tolerance.lsl?) / (6.0 * tau)).filter(|cpm| cpm.is_finite())
}

/// Degrees of freedom of a sigma within `k` subgroups, as Minitab counts them.
pub fn df_within(groups: &[Summary], within: Within) -> f64 {
    let pooled: u64 = groups.iter().map(|group| group.n().saturating_sub(1)).sum();
    match within {
        Within::Pooled => pooled as f64,
        // The range is nine tenths as efficient as the standard deviation.
        Within::Range => 0.9 * pooled as f64,
        Within::StandardDeviation => {
            let efficiency = |n: u64| {
                super::constants::c4(n as f64).map_or(0.0, |c4| c4 * c4 / (2.0 * (1.0 - c4 * c4)))
            };
            groups.iter().map(|group| efficiency(group.n())).sum()
        }
    }
}

/// Capability by the percentiles of a fitted law (ISO 22514-2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PercentileCapability {
    /// What 0.135 % do not exceed.
    pub p00135: f64,
    /// The median.
    pub p50: f64,
    /// What 99.865 % do not exceed.
    pub p99865: f64,
    /// `(USL - LSL)` over the distance of the outer percentiles.
    pub pp: Option<f64>,
    /// `(median - LSL)` over the distance of the lower percentile.
    pub ppl: Option<f64>,
    /// `(USL - median)` over the distance of the upper percentile.
    pub ppu: Option<f64>,
    /// The smaller of the two.
    pub ppk: Option<f64>,
}

/// Capability of a law with this quantile function; `None` when it does not answer.
pub fn by_percentiles(
    quantile: impl Fn(f64) -> Option<f64>,
    tolerance: &Tolerance,
) -> Option<PercentileCapability> {
    let at = |p: f64| quantile(p).filter(|q| q.is_finite());
    let (low, middle, high) = (at(0.00135)?, at(0.5)?, at(0.99865)?);
    let ratio = |tolerance: Option<f64>, spread: f64| {
        tolerance.map(|t| t / spread).filter(|r| r.is_finite())
    };
    let ppl = ratio(tolerance.lsl.map(|lsl| middle - lsl), middle - low);
    let ppu = ratio(tolerance.usl.map(|usl| usl - middle), high - middle);
    let pp = ratio(tolerance.lsl.zip(tolerance.usl).map(|(lsl, usl)| usl - lsl), high - low);
    let ppk = ppl.into_iter().chain(ppu).reduce(f64::min);
    Some(PercentileCapability { p00135: low, p50: middle, p99865: high, pp, ppl, ppu, ppk })
}

/// Capability of a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinomialCapability {
    /// Rejects.
    pub defectives: u64,
    /// Capsules.
    pub inspected: u64,
    /// Their ratio.
    pub p: f64,
    /// Exact interval of `p`.
    pub clopper_pearson: (f64, f64),
    /// Score interval of `p`.
    pub wilson: (f64, f64),
    /// The distance in sigma that would make this fraction on one side; `None` for 0 and 1, where it is infinite.
    pub process_z: Option<f64>,
    /// Its interval, from the exact one.
    pub process_z_interval: (Option<f64>, Option<f64>),
}

/// Capability of `defectives` among `inspected`; `None` when nothing was inspected or the counts contradict.
pub fn binomial_capability(
    defectives: u64,
    inspected: u64,
    confidence: f64,
) -> Option<BinomialCapability> {
    let exact = clopper_pearson(defectives, inspected, confidence)?;
    let p = defectives as f64 / inspected as f64;
    let z = |p: f64| normal(p).map(|z| 0.0 - z);
    Some(BinomialCapability {
        defectives,
        inspected,
        p,
        clopper_pearson: exact,
        wilson: wilson(defectives, inspected, confidence)?,
        process_z: z(p),
        process_z_interval: (z(exact.1), z(exact.0)),
    })
}

/// The summary of values without subgroups, with the within-sigma of an individuals chart.
pub fn summarise_individuals(
    values: &[f64],
    sigma_within: Option<f64>,
    df_within: f64,
) -> Option<ProcessSummary> {
    let sigma_overall = summary::sd(values);
    Some(ProcessSummary {
        mean: summary::mean(values)?,
        sigma_within,
        sigma_overall,
        n: values.len() as f64,
        df_within,
    })
}
