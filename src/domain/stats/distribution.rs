//! Distribution functions that `statrs` lacks or computes too coarsely for the tails of a filling line.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use libm::{erfc, lgamma};
use statrs::function::gamma::checked_gamma_ur;

/// `P(Z <= x)` of the standard normal distribution.
///
/// The error function is that of `libm`, right to the last digit. The one of `statrs` 0.19 stops at ten digits, because
/// the offsets of its rational pieces are cut (0.3440242112 for the intended 0.34402421116828918…), and the constants
/// of range charts show it.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * FRAC_1_SQRT_2)
}

/// `P(Z > x)`, exact in the upper tail where `1 - normal_cdf(x)` has no digits left.
pub fn normal_sf(x: f64) -> f64 {
    normal_cdf(-x)
}

/// Density of the standard normal distribution.
pub fn normal_pdf(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// `P(X > x)` of the chi-square distribution with `df` degrees of freedom.
pub fn chi_square_sf(x: f64, df: f64) -> f64 {
    // From here on the series of `statrs` needs too many terms; the cube root is normal to many digits
    // (Wilson & Hilferty 1931).
    const WILSON_HILFERTY_FROM: f64 = 1e8;
    if x <= 0.0 {
        return 1.0;
    }
    if df >= WILSON_HILFERTY_FROM || x >= 1e12 {
        let v = 2.0 / (9.0 * df);
        return normal_sf(((x / df).cbrt() - (1.0 - v)) / v.sqrt());
    }
    checked_gamma_ur(df / 2.0, x / 2.0).unwrap_or(f64::NAN)
}

/// Both tails of the beta distribution with shapes `a` and `b` at `x`: `(P(X <= x), P(X > x))`.
///
/// Continued fraction of Numerical Recipes 6.4 (modified Lentz). The factor before it comes from
/// [`beta_density`] instead of three log-gammas: at 1,000 rejects among nine million capsules those are of the
/// order 10⁸ and their difference keeps eight digits only. `None` unless both shapes are positive and below 2e20
/// and `x` lies in `[0, 1]`.
pub fn beta_tails(a: f64, b: f64, x: f64) -> Option<(f64, f64)> {
    if !(shape(a) && shape(b) && (0.0..=1.0).contains(&x)) {
        return None;
    }
    if x == 0.0 || x == 1.0 {
        return Some((x, 1.0 - x));
    }
    let factor = beta_density(a, b, x) * x * (1.0 - x);
    // The fraction converges fast on the near side of the mean only; the far side is its mirror image.
    let (lower, upper) = if x < (a + 1.0) / (a + b + 2.0) {
        let lower = (factor * beta_fraction(a, b, x) / a).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (factor * beta_fraction(b, a, 1.0 - x) / b).min(1.0);
        (1.0 - upper, upper)
    };
    Some((lower, upper))
}

/// Density of the beta distribution by Loader's saddle-point form of the binomial probability
/// (C. Loader 2000, "Fast and accurate computation of binomial probabilities").
///
/// The caller has checked that the shapes are positive and that `0 < x < 1`.
pub(super) fn beta_density(a: f64, b: f64, x: f64) -> f64 {
    let n = a + b;
    let ln_binomial = stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * (1.0 - x));
    let spread = (2.0 * PI * a * (b / n)).sqrt();
    ln_binomial.exp() / spread * a * (b / n) / (x * (1.0 - x))
}

/// Whether a number can be a shape of a beta law: above zero and below ten times the largest 64-bit count, where the
/// differences between its factors still have digits.
pub(super) fn shape(value: f64) -> bool {
    value > 0.0 && value < 2e20
}

/// `ln Γ(n + 1)` minus Stirling's approximation of it.
fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        return lgamma(n + 1.0) - (n + 0.5) * n.ln() + n - 0.5 * (2.0 * PI).ln();
    }
    let nn = n * n;
    (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / nn) / nn) / nn) / nn)
        / n
}

/// `x ln(x / m) + m - x`, by a series where the two terms nearly cancel.
fn deviance(x: f64, m: f64) -> f64 {
    let difference = x - m;
    if difference.abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() - difference;
    }
    let v = difference / (x + m);
    let (mut sum, mut term) = (difference * v, 2.0 * x * v);
    for j in 1..1000 {
        term *= v * v;
        let next = sum + term / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// The continued fraction of the incomplete beta function, without the factor before it.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    // It needs about √max(a, b) terms near the mean; the bound only stops counts no line can reach.
    const MAX_TERMS: u32 = 200_000;
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..MAX_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a - 1.0 + 2.0 * m) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 1.0 + 2.0 * m));
        let mut step = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + coefficient * d);
            c = away_from_zero(1.0 + coefficient / c);
            step = c * d;
            fraction *= step;
        }
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}
