//! How long a subgroup should be: the same minutes, pooled.
//!
//! σz from moving ranges is short-term. Slow drift is shared by neighbouring minutes, so it hides there and shows
//! in the standard deviation of z and in the correlation of neighbours; longer subgroups bring it into σz, where
//! limits can allow for it.

use super::attribute::Dispersion;
use super::chart::Settings;
use super::p_prime::{PrimeChart, PrimeOptions};
use super::rules::{RuleId, RuleSet};
use crate::stats::overdispersion;

/// What one subgroup length gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LengthRow {
    /// Minutes (more exactly: basic subgroups) pooled.
    pub length: usize,
    /// How many subgroups that makes, stops included.
    pub subgroups: usize,
    /// The common rate.
    pub center: Option<f64>,
    /// How the z vary.
    pub dispersion: Dispersion,
    /// Index of dispersion over its degrees of freedom.
    pub chi2_ratio: Option<f64>,
    /// Signals of a plain p chart at three sigma.
    pub n1_p: usize,
    /// Signals of p′ at three sigma.
    pub n1_p_prime: usize,
}

/// The table of lengths. A length of zero is taken as one; the last subgroup may be shorter.
pub fn by_length(
    minutes: &[Option<(u64, u64)>],
    lengths: &[usize],
    settings: &Settings,
) -> Vec<LengthRow> {
    let settings = Settings { rules: RuleSet::standard(&[RuleId::N1]), ..settings.clone() };
    lengths.iter().map(|length| row(minutes, (*length).max(1), &settings)).collect()
}

fn row(minutes: &[Option<(u64, u64)>], length: usize, settings: &Settings) -> LengthRow {
    let pool = |minutes: &[Option<(u64, u64)>]| {
        let add = |(d, n): (u64, u64), (d_i, n_i): &(u64, u64)| {
            (d.saturating_add(*d_i), n.saturating_add(*n_i))
        };
        let (d, n) = minutes.iter().flatten().fold((0, 0), add);
        (n > 0).then_some((d, n))
    };
    let pooled: Vec<_> = minutes.chunks(length).map(pool).collect();
    let options = PrimeOptions { settings: settings.clone(), ..PrimeOptions::default() };
    let chart = PrimeChart::p(&pooled, &options);
    let counts: Vec<_> = pooled.iter().flatten().map(|(d, n)| (*d as f64, *n as f64)).collect();
    let n_hits = |points: &[super::chart::Point]| {
        points.iter().filter(|point| !point.hits.is_empty()).count()
    };
    let e = chart.estimates;
    LengthRow {
        length,
        subgroups: pooled.len(),
        center: e.center,
        dispersion: Dispersion {
            sigma_z_mr: e.sigma_z_mr,
            sigma_z_sd: e.sigma_z_sd,
            lag1_r: e.lag1_r,
            n_used: e.n_used,
        },
        chi2_ratio: overdispersion::binomial(&counts).map(|test| test.ratio),
        n1_p: n_hits(&chart.plain),
        n1_p_prime: n_hits(&chart.points),
    }
}

/// What the dispersion of z says about the chart, worst news first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Too few subgroups to say.
    Unknown,
    /// Neighbours resemble each other: p′ would signal the drift. Lengthen the subgroup or chart residuals
    /// (ISO 7870-9).
    LengthenSubgroup,
    /// Less variation than chance allows: look for double-booked counts.
    Underdispersed,
    /// The variation has a cause that a common limit hides: stratify by station or lot.
    Stratify,
    /// More variation than the law allows: p′, not p.
    UsePrime,
    /// The law holds; p and p′ agree.
    Plain,
}

impl Advice {
    /// The advice in one word, for results and pages.
    pub const fn name(self) -> &'static str {
        match self {
            Advice::Unknown => "unknown",
            Advice::LengthenSubgroup => "lengthen_subgroup",
            Advice::Underdispersed => "underdispersed",
            Advice::Stratify => "stratify",
            Advice::UsePrime => "use_prime",
            Advice::Plain => "plain",
        }
    }
}

/// Advice from the dispersion of a baseline and the ratio of its chi-square to its degrees of freedom.
///
/// The thresholds are those of the product's statistical study: drift from `σz(SD)/σz(MR) > 1.2` or lag-1
/// correlation above 0.25; below 0.8 underdispersed; above 2 stratify; above 1.2, or a ratio above 1.5, p′.
pub fn advise(dispersion: &Dispersion, chi2_ratio: Option<f64>) -> Advice {
    let (Some(mr), Some(sd), Some(lag1)) =
        (dispersion.sigma_z_mr, dispersion.sigma_z_sd, dispersion.lag1_r)
    else {
        return Advice::Unknown;
    };
    if sd > 1.2 * mr || lag1 > 0.25 {
        Advice::LengthenSubgroup
    } else if mr < 0.8 {
        Advice::Underdispersed
    } else if mr > 2.0 {
        Advice::Stratify
    } else if mr > 1.2 || chi2_ratio.is_some_and(|ratio| ratio > 1.5) {
        Advice::UsePrime
    } else {
        Advice::Plain
    }
}
