//! Confidence intervals of a reject fraction and of a count.
//!
//! `confidence` is two-sided, in the open interval `(0, 1)`: 0.95 leaves 2.5 % on either side.
//! `None` means that the interval is not defined: nothing was inspected, more rejects than capsules,
//! or a confidence that is not one.

use super::comparison::Dispersion;
use super::quantile;

/// Wilson's score interval of `x` among `n` (Wilson 1927): the default of the pages, short and never empty.
pub fn wilson(x: u64, n: u64, confidence: f64) -> Option<(f64, f64)> {
    wilson_widened(x, n, confidence, None)
}

/// The same where parts vary more than the binomial law allows: the normal quantile is replaced by [`Dispersion::factor`], which
/// is an interval of `n / φ` capsules (quasi-likelihood, as the comparison of two fractions has it). An interval of chance alone
/// would promise what the next hour breaks.
pub fn wilson_widened(
    x: u64,
    n: u64,
    confidence: f64,
    dispersion: Option<Dispersion>,
) -> Option<(f64, f64)> {
    let chance = quantile::normal(upper_tail(x, n, confidence)?)?;
    let widened = dispersion.and_then(|dispersion| dispersion.factor(confidence));
    let z = widened.map_or(chance, |z| z.max(chance));
    let (n_f, p) = (n as f64, x as f64 / n as f64);
    let scale = 1.0 / (1.0 + z * z / n_f);
    let middle = scale * (p + z * z / (2.0 * n_f));
    let half = scale * z * (p * (1.0 - p) / n_f + z * z / (4.0 * n_f * n_f)).sqrt();
    // At the ends the formula gives exactly 0 and 1, which rounding would miss.
    let low = if x == 0 { 0.0 } else { middle - half };
    let high = if x == n { 1.0 } else { middle + half };
    Some((low.clamp(0.0, 1.0), high.clamp(0.0, 1.0)))
}

/// The exact interval of `x` among `n` by beta quantiles (Clopper & Pearson 1934): never covers less than it says.
pub fn clopper_pearson(x: u64, n: u64, confidence: f64) -> Option<(f64, f64)> {
    let upper = upper_tail(x, n, confidence)?;
    let (hits, misses) = (x as f64, (n - x) as f64);
    let low = if x == 0 { 0.0 } else { quantile::beta(1.0 - upper, hits, misses + 1.0)? };
    let high = if x == n { 1.0 } else { quantile::beta(upper, hits + 1.0, misses)? };
    Some((low, high))
}

/// The exact interval of a Poisson rate after `x` events in `exposure` units (Garwood 1936), in events per unit.
pub fn garwood(x: u64, exposure: f64, confidence: f64) -> Option<(f64, f64)> {
    if !(exposure > 0.0 && exposure.is_finite()) {
        return None;
    }
    let upper = upper_tail(0, 1, confidence)?;
    let twice = 2.0 * x as f64;
    let low = if x == 0 { 0.0 } else { quantile::chi_square(1.0 - upper, twice)? / 2.0 };
    let high = quantile::chi_square(upper, twice + 2.0)? / 2.0;
    Some((low / exposure, high / exposure))
}

/// What a fraction can be at most, with one-sided `confidence`, when `n` capsules showed no reject:
/// the solution of `(1 - p)^n = 1 - confidence`.
pub fn upper_bound_without_rejects(n: u64, confidence: f64) -> Option<f64> {
    upper_tail(0, n, confidence)?;
    Some(-((-confidence).ln_1p() / n as f64).exp_m1())
}

/// The upper probability of a two-sided interval, once the counts make sense.
fn upper_tail(x: u64, n: u64, confidence: f64) -> Option<f64> {
    let sensible = n > 0 && x <= n && confidence > 0.0 && confidence < 1.0;
    sensible.then_some(1.0 - (1.0 - confidence) / 2.0)
}
