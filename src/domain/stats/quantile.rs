//! Quantiles: of the distributions behind limits and intervals, and of a sample.
//!
//! Each answers `None` for a probability outside the open interval `(0, 1)` or a parameter that is not positive
//! and finite; a caller who wants the ends of the support knows them without us.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::function::erf::erfc_inv;

use super::distribution::{beta_density, beta_tails, normal_cdf, normal_pdf, shape};

/// The standard normal quantile.
pub fn normal(p: f64) -> Option<f64> {
    if !open_unit(p) {
        return None;
    }
    let x = -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p);
    // One Newton step on the nearer tail: `erfc_inv` alone stops at 1e-12 in the far tails.
    let excess = if x < 0.0 { normal_cdf(x) - p } else { (1.0 - p) - normal_cdf(-x) };
    let step = excess / normal_pdf(x);
    Some(if step.is_finite() { x - step } else { x })
}

/// The chi-square quantile with `df` degrees of freedom, not necessarily an integer.
pub fn chi_square(p: f64, df: f64) -> Option<f64> {
    // Beyond this the series of `statrs` would need thousands of terms, while the Wilson–Hilferty cube
    // is exact to its own rounding: its relative error falls with df^-3/2.
    const WILSON_HILFERTY_FROM: f64 = 1e8;
    if !(open_unit(p) && positive(df)) {
        return None;
    }
    if df >= WILSON_HILFERTY_FROM {
        let v = 2.0 / (9.0 * df);
        return Some(df * (1.0 - v + normal(p)? * v.sqrt()).powi(3));
    }
    ChiSquared::new(df).ok().map(|law| law.inverse_cdf(p)).filter(|q| q.is_finite())
}

/// Student's t quantile.
pub fn student_t(p: f64, df: f64) -> Option<f64> {
    if !(open_unit(p) && positive(df)) {
        return None;
    }
    if p == 0.5 {
        return Some(0.0);
    }
    let x = beta(2.0 * p.min(1.0 - p), df / 2.0, 0.5)?;
    let t = (df * (1.0 - x) / x).sqrt();
    Some(if p < 0.5 { -t } else { t })
}

/// Fisher's F quantile with `d1` and `d2` degrees of freedom.
pub fn fisher_f(p: f64, d1: f64, d2: f64) -> Option<f64> {
    if !(positive(d1) && positive(d2)) {
        return None;
    }
    let x = beta(p, d1 / 2.0, d2 / 2.0)?;
    Some(d2 * x / (d1 * (1.0 - x)))
}

/// The beta quantile with shapes `a` and `b`.
///
/// Newton steps on the nearer tail, kept inside a shrinking bracket. The inverse of `statrs` 0.19 stops
/// 5e-9 … 2e-7 short at the low-ppm shapes of a reject fraction, which is a visible digit of an interval.
pub fn beta(p: f64, a: f64, b: f64) -> Option<f64> {
    // Shapes from here on leave a law so narrow that it is normal to more digits than a double has to place it.
    const NORMAL_FROM: f64 = 1e12;
    if !(open_unit(p) && shape(a) && shape(b)) {
        return None;
    }
    if a.min(b) >= NORMAL_FROM {
        let mean = a / (a + b);
        return Some(mean + normal(p)? * (mean * (b / (a + b)) / (a + b + 1.0)).sqrt());
    }
    let (mut low, mut high) = (0.0, 1.0);
    let mut x = (a / (a + b)).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON);
    for _ in 0..300 {
        let (lower, upper) = beta_tails(a, b, x)?;
        let excess = if p < 0.5 { lower - p } else { (1.0 - p) - upper };
        if excess > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let newton = x - excess / beta_density(a, b, x);
        let next = if newton > low && newton < high { newton } else { middle(low, high) };
        let moved = (next - x).abs();
        x = next;
        if moved <= 2.0 * f64::EPSILON * x {
            break;
        }
    }
    Some(x)
}

/// The middle of a bracket on `[0, 1]`: geometric, so that a quantile near 1e-9 is reached in few halvings.
fn middle(low: f64, high: f64) -> f64 {
    if low == 0.0 {
        high / 64.0
    } else if high > 4.0 * low {
        (low * high).sqrt()
    } else {
        0.5 * (low + high)
    }
}

fn open_unit(p: f64) -> bool {
    p > 0.0 && p < 1.0
}

fn positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

/// The middle of a sample, between the two middle values of an even one; `None` of nothing or with a NaN.
pub fn median(values: &[f64]) -> Option<f64> {
    sample(values, 0.5)
}

/// The `p`-quantile of a sample by linear interpolation between order statistics (type 7 of Hyndman & Fan 1996,
/// the default of R and NumPy). `None` of nothing, with a NaN, or for `p` outside `[0, 1]`.
pub fn sample(values: &[f64], p: f64) -> Option<f64> {
    if values.is_empty() || !(0.0..=1.0).contains(&p) || values.iter().any(|v| v.is_nan()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(of_sorted(&sorted, p))
}

/// As [`sample`], of values in order of which there is at least one, for `p` within `[0, 1]`.
pub(crate) fn of_sorted(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let below = sorted[place.floor() as usize];
    let above = sorted[place.ceil() as usize];
    below + (above - below) * (place - place.floor())
}
