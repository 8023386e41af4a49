//! Laney's p′ and u′ with the plain chart beside them: what the live pages show for reject fractions.
//!
//! At 6,500 capsules a minute the binomial error of a fraction is so small that a plain p chart signals the normal
//! wandering of a good line, hundreds of times a day. p′ judges each fraction against that wandering. Both are
//! computed, because the difference between them is the argument.

use super::attribute::{Attribute, Family, Fit, Frozen, Laney, Prime, SigmaZ, Subgroup, chart};
use super::chart::{Point, Settings, Status};

/// How a primed chart is estimated and judged.
#[derive(Clone, Debug, Default)]
pub struct PrimeOptions {
    /// Limits, rules, baseline, exclusions, stages, gap policy, constants and screening.
    pub settings: Settings,
    /// The law of an earlier baseline: nothing is estimated.
    pub frozen: Option<Frozen>,
    /// Which σz widens the limits.
    pub sigma_z: SigmaZ,
    /// Whether an estimated σz below one is taken as one.
    pub floor_at_one: bool,
}

/// A primed chart and the plain one of the same subgroups.
#[derive(Clone, Debug)]
pub struct PrimeChart {
    /// The primed chart, one point for each subgroup.
    pub points: Vec<Point>,
    /// The plain chart of the same centre and rules.
    pub plain: Vec<Point>,
    /// What was estimated; of several stages the last.
    pub estimates: PrimeEstimates,
    /// The same for each stage.
    pub stages: Vec<PrimeEstimates>,
    /// How far it could be estimated.
    pub status: Status,
}

/// The law of a primed chart and the evidence for it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PrimeEstimates {
    /// The rate: rejects over capsules.
    pub center: Option<f64>,
    /// The σz that widens the limits: estimated as asked, or frozen.
    pub sigma_z: Option<f64>,
    /// σz by moving ranges of the subgroups that estimate.
    pub sigma_z_mr: Option<f64>,
    /// σz by their standard deviation; more than 1.2 times the one above means drift.
    pub sigma_z_sd: Option<f64>,
    /// Correlation of neighbouring z; above 0.25 the subgroups are too short.
    pub lag1_r: Option<f64>,
    /// How many subgroups have a z and estimate.
    pub n_used: usize,
}

impl PrimeChart {
    /// p′ of `(rejected, total)` subgroups; `None`, or a total of zero, is a gap.
    pub fn p(subgroups: &[Option<(u64, u64)>], options: &PrimeOptions) -> PrimeChart {
        let as_subgroup =
            |(count, size): (u64, u64)| Subgroup { count: count as f64, size: size as f64 };
        let data: Vec<_> = subgroups.iter().map(|subgroup| subgroup.map(as_subgroup)).collect();
        PrimeChart::of(Family::P, &data, options)
    }

    /// u′ of faults among units of opportunity; `None`, or a size that is not positive, is a gap.
    pub fn u(subgroups: &[Option<Subgroup>], options: &PrimeOptions) -> PrimeChart {
        PrimeChart::of(Family::U, subgroups, options)
    }

    fn of(family: Family, data: &[Option<Subgroup>], options: &PrimeOptions) -> PrimeChart {
        let PrimeOptions { settings, frozen, sigma_z, floor_at_one } = options;
        let prime = Prime { method: *sigma_z, floor_at_one: *floor_at_one };
        let primed =
            chart(data, Attribute { family, prime: Some(prime), frozen: *frozen }, settings);
        let plain = chart(data, Attribute { family, prime: None, frozen: *frozen }, settings);
        let stages: Vec<_> = primed.fits.iter().map(PrimeEstimates::of).collect();
        PrimeChart {
            points: primed.points,
            plain: plain.points,
            estimates: stages.last().copied().unwrap_or_default(),
            stages,
            status: primed.status,
        }
    }
}

impl PrimeEstimates {
    fn of(fit: &Fit) -> PrimeEstimates {
        let sigma_z = match fit.law.laney {
            Laney::On(sigma_z) => sigma_z,
            Laney::Off => None,
        };
        PrimeEstimates {
            center: fit.law.center,
            sigma_z,
            sigma_z_mr: fit.dispersion.sigma_z_mr,
            sigma_z_sd: fit.dispersion.sigma_z_sd,
            lag1_r: fit.dispersion.lag1_r,
            n_used: fit.dispersion.n_used,
        }
    }
}
