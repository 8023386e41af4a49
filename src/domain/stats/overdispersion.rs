//! Whether counts vary more than their law allows.

use super::distribution::chi_square_sf;
use super::summary;

/// The index of dispersion test and Tarone's test of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overdispersion {
    /// The common rate.
    pub rate: f64,
    /// `Σ (observed - expected)² / variance`.
    pub chi2: f64,
    /// Subgroups less one.
    pub df: u64,
    /// `chi2 / df`: one when the law holds, the square of Laney's σz when it does not.
    pub ratio: f64,
    /// Probability of such a `chi2` or more under the law.
    pub p_value: f64,
    /// Tarone's Z (Biometrika 66, 1979) against beta-binomial counts; for binomial ones only. Positive: more variation.
    pub tarone_z: Option<f64>,
}

/// Tests binomial counts `(rejected, total)`; empty subgroups are left out. `None` below two of them, or when
/// nothing or everything was rejected.
pub fn binomial(groups: &[(f64, f64)]) -> Option<Overdispersion> {
    let (groups, p) = rated(groups)?;
    let variance = p * (1.0 - p);
    let mut result = test(&groups, p, variance)?;
    // Tarone weighs all capsules alike: E = Σ (d - n p)² / (p q), mean Σ n, variance 2 Σ n (n - 1).
    let excess = summary::sum(groups.iter().map(|(d, n)| (d - n * p).powi(2) / variance - n));
    let pairs = summary::sum(groups.iter().map(|(_, n)| n * (n - 1.0)));
    result.tarone_z = (pairs > 0.0).then(|| excess / (2.0 * pairs).sqrt());
    Some(result)
}

/// Tests Poisson counts `(faults, units)`. `None` below two subgroups or without a fault.
pub fn poisson(groups: &[(f64, f64)]) -> Option<Overdispersion> {
    let (groups, u) = rated(groups)?;
    test(&groups, u, u)
}

/// The usable groups and their common rate.
fn rated(groups: &[(f64, f64)]) -> Option<(Vec<(f64, f64)>, f64)> {
    let usable = |(count, size): &&(f64, f64)| {
        *count >= 0.0 && count.is_finite() && *size > 0.0 && size.is_finite()
    };
    let groups: Vec<_> = groups.iter().filter(usable).copied().collect();
    let size = summary::sum(groups.iter().map(|(_, n)| *n));
    let rate = summary::sum(groups.iter().map(|(d, _)| *d)) / size;
    (groups.len() > 1).then_some((groups, rate))
}

/// `unit_variance` is the variance of one unit's count.
fn test(groups: &[(f64, f64)], rate: f64, unit_variance: f64) -> Option<Overdispersion> {
    let chi2 =
        summary::sum(groups.iter().map(|(d, n)| (d - n * rate).powi(2) / (n * unit_variance)));
    let df = groups.len() as u64 - 1;
    let usable = unit_variance > 0.0 && chi2.is_finite();
    usable.then(|| Overdispersion {
        rate,
        chi2,
        df,
        ratio: chi2 / df as f64,
        p_value: chi_square_sf(chi2, df as f64),
        tarone_z: None,
    })
}
