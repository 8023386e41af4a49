//! Whether measurements follow the normal law: Anderson–Darling, Shapiro–Wilk, Jarque–Bera, and the moments.

use super::distribution::{normal_cdf, normal_sf};
use super::quantile::normal;
use super::summary::{self, Summary};

/// A test statistic and the probability of one as extreme from a normal sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// The statistic.
    pub statistic: f64,
    /// Its p-value.
    pub p: f64,
}

/// Skewness and excess kurtosis as moments (g) and with the corrections of SAS and Excel (G).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Moment skewness.
    pub g1: f64,
    /// Adjusted skewness `g1 √(n(n-1)) / (n-2)`.
    pub big_g1: f64,
    /// Moment excess kurtosis.
    pub g2: f64,
    /// Adjusted excess kurtosis `(n-1) / ((n-2)(n-3)) · ((n+1) g2 + 6)`.
    pub big_g2: f64,
}

/// The shape of a sample; `None` below four values or without dispersion.
pub fn shape(values: &[f64]) -> Option<Shape> {
    let summary = Summary::of(values);
    let n = summary.n() as f64;
    if n < 4.0 {
        return None;
    }
    let (g1, g2) = (summary.skewness()?, summary.excess_kurtosis()?);
    Some(Shape {
        g1,
        big_g1: g1 * (n * (n - 1.0)).sqrt() / (n - 2.0),
        g2,
        big_g2: (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * g2 + 6.0),
    })
}

/// Jarque–Bera: `n/6 (g1² + g2²/4)`, chi-square with two degrees of freedom in large samples.
pub fn jarque_bera(values: &[f64]) -> Option<Test> {
    let Shape { g1, g2, .. } = shape(values)?;
    let statistic = values.len() as f64 / 6.0 * (g1 * g1 + g2 * g2 / 4.0);
    Some(Test { statistic, p: (-statistic / 2.0).exp() })
}

/// Anderson–Darling with mean and standard deviation estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AndersonDarling {
    /// The statistic A².
    pub a2: f64,
    /// Corrected for the sample size: `A² (1 + 0.75/n + 2.25/n²)`.
    pub a2_star: f64,
    /// Its p-value, by the formulas of D'Agostino & Stephens 1986, table 4.9.
    pub p: f64,
}

/// The Anderson–Darling test; `None` below eight values, for which the formulas were not made, or without dispersion.
pub fn anderson_darling(values: &[f64]) -> Option<AndersonDarling> {
    let scores = sorted_scores(values)?;
    if scores.len() < 8 {
        return None;
    }
    let n = scores.len() as f64;
    let pairs = scores.iter().zip(scores.iter().rev()).enumerate();
    // Φ is bounded away from zero so that one wild value gives a large statistic and not an infinite one.
    let ln = |p: f64| p.max(f64::MIN_POSITIVE).ln();
    let term = |(i, (low, high)): (usize, (&f64, &f64))| {
        (2 * i + 1) as f64 * (ln(normal_cdf(*low)) + ln(normal_sf(*high)))
    };
    let a2 = -n - summary::sum(pairs.map(term)) / n;
    let a2_star = a2 * (1.0 + 0.75 / n + 2.25 / (n * n));
    Some(AndersonDarling { a2, a2_star, p: anderson_darling_p(a2_star) })
}

fn anderson_darling_p(a: f64) -> f64 {
    if a < 0.2 {
        1.0 - (-13.436 + 101.14 * a - 223.73 * a * a).exp()
    } else if a < 0.34 {
        1.0 - (-8.318 + 42.796 * a - 59.938 * a * a).exp()
    } else if a < 0.6 {
        (0.9177 - 4.279 * a - 1.38 * a * a).exp()
    } else if a < 10.0 {
        (1.2937 - 5.709 * a + 0.0186 * a * a).exp()
    } else {
        // The parabola turns upwards later on; its value here is all that can be said.
        3.7e-24
    }
}

/// The Shapiro–Wilk test by Royston's approximation (Appl. Statist. 44(4), 1995, AS R94); `None` outside 3 … 5000
/// values or without dispersion.
pub fn shapiro_wilk(values: &[f64]) -> Option<Test> {
    let sorted = sorted_scores(values)?;
    if !(3..=5000).contains(&sorted.len()) {
        return None;
    }
    let weights = royston_weights(sorted.len());
    // The scores are standardised, so that their sum of squares is n - 1 and the offset is gone.
    let projection = summary::sum(weights.iter().zip(&sorted).map(|(a, x)| a * x));
    let squares = summary::sum(sorted.iter().map(|x| x * x));
    let w = (projection * projection / squares).min(1.0);
    Some(Test { statistic: w, p: royston_p(w, sorted.len()) })
}

/// Antisymmetric weights: normal scores, with the outermost two corrected by polynomials in `1/√n`.
fn royston_weights(n: usize) -> Vec<f64> {
    const OUTER: [f64; 6] = [0.0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056];
    const NEXT: [f64; 6] = [0.0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633];
    if n == 3 {
        let a = std::f64::consts::FRAC_1_SQRT_2;
        return vec![-a, 0.0, a];
    }
    let size = n as f64;
    let scores: Vec<f64> =
        (1..=n).map(|i| normal((i as f64 - 0.375) / (size + 0.25)).unwrap_or_default()).collect();
    let squares: f64 = scores.iter().map(|m| m * m).sum();
    let u = 1.0 / size.sqrt();
    let last = scores[n - 1];
    let outer = last / squares.sqrt() + polynomial(&OUTER, u);
    let next = scores[n - 2] / squares.sqrt() + polynomial(&NEXT, u);
    let n_corrected = if n > 5 { 2 } else { 1 };
    let (kept, used) = if n > 5 {
        (
            squares - 2.0 * last * last - 2.0 * scores[n - 2].powi(2),
            1.0 - 2.0 * outer * outer - 2.0 * next * next,
        )
    } else {
        (squares - 2.0 * last * last, 1.0 - 2.0 * outer * outer)
    };
    let scale = (kept / used).sqrt();
    let mut weights: Vec<f64> = scores.iter().map(|m| m / scale).collect();
    for (i, corrected) in [outer, next].into_iter().take(n_corrected).enumerate() {
        weights[n - 1 - i] = corrected;
        weights[i] = -corrected;
    }
    weights
}

/// `ln(1 - W)` is normal with a mean and spread given as polynomials of the sample size.
fn royston_p(w: f64, n: usize) -> f64 {
    let size = n as f64;
    if n == 3 {
        // Exact: 6/π (asin √W - asin √¾).
        let p = 6.0 / std::f64::consts::PI * (w.sqrt().asin() - 0.75_f64.sqrt().asin());
        return p.clamp(0.0, 1.0);
    }
    if w >= 1.0 {
        return 1.0;
    }
    let (y, mean, ln_sd) = if n <= 11 {
        let gamma = 0.459 * size - 2.273;
        let y = (1.0 - w).ln();
        if y >= gamma {
            return 0.0;
        }
        (
            -(gamma - y).ln(),
            polynomial(&[0.544, -0.39978, 0.025054, -6.714e-4], size),
            polynomial(&[1.3822, -0.77857, 0.062767, -0.0020322], size),
        )
    } else {
        let ln_n = size.ln();
        (
            (1.0 - w).ln(),
            polynomial(&[-1.5861, -0.31082, -0.083751, 0.0038915], ln_n),
            polynomial(&[-0.4803, -0.082676, 0.0030302], ln_n),
        )
    };
    normal_sf((y - mean) / ln_sd.exp())
}

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The sample standardised and in rising order; `None` with a value that is not finite or without dispersion.
fn sorted_scores(values: &[f64]) -> Option<Vec<f64>> {
    let (mean, sd) = (summary::mean(values)?, summary::sd(values)?);
    if !(sd > 0.0 && sd.is_finite()) {
        return None;
    }
    let mut scores: Vec<f64> = values.iter().map(|v| (v - mean) / sd).collect();
    scores.sort_by(f64::total_cmp);
    Some(scores)
}
