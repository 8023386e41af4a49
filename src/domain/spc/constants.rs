//! The constants of control charts by their definitions, for any subgroup size, and as the books print them.
//!
//! With `W` the range and `S` the standard deviation of `n` standard normal values:
//! `d2 = E W`, `d3 = sd W`, `c4 = E S`, `c5 = sd S = √(1 - c4²)` (ASTM MNL 7; Montgomery, App. VI).
//! The factors A2, A3, B3, B4, D3, D4 follow from these four.

use std::sync::OnceLock;

use libm::lgamma;

use crate::stats::distribution::{normal_cdf, normal_pdf, normal_sf};
use crate::stats::quadrature::composite;

/// Median of `|Z1 - Z2|`, which is `√2 Φ⁻¹(3/4)`: turns a median moving range of two into a sigma.
pub const MEDIAN_RANGE_OF_TWO: f64 = 0.953_872_552_408_939_8;

/// Which constants a chart uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Constants {
    /// By definition, to full precision.
    #[default]
    Exact,
    /// Rounded to three decimals as in the printed tables (1.128, 3.267): Laney, Minitab and the books use them,
    /// 0.03 % away from the exact ones. Choose them to reproduce a published chart to its last digit.
    Table,
}

impl Constants {
    /// Expected range of `n` standard normal values; `None` below two.
    pub fn d2(self, n: usize) -> Option<f64> {
        Some(self.printed(range_moments(n)?.0))
    }

    /// Standard deviation of that range, so that `D4 = 1 + 3 d3 / d2` keeps the printed D4 in table mode.
    pub fn d3(self, n: usize) -> Option<f64> {
        match self {
            Constants::Exact => Some(range_moments(n)?.1),
            Constants::Table => Some((self.big_d4(n)? - 1.0) * self.d2(n)? / 3.0),
        }
    }

    /// Upper 3-sigma factor of a range chart: `1 + 3 d3 / d2`.
    pub fn big_d4(self, n: usize) -> Option<f64> {
        let (d2, d3) = range_moments(n)?;
        Some(self.printed(1.0 + 3.0 * d3 / d2))
    }

    fn printed(self, value: f64) -> f64 {
        match self {
            Constants::Exact => value,
            Constants::Table => (value * 1000.0).round() / 1000.0,
        }
    }
}

/// Expected standard deviation of `n` standard normal values: `√(2/(n-1)) Γ(n/2) / Γ((n-1)/2)`; `None` below two.
pub fn c4(n: f64) -> Option<f64> {
    // From here on the difference of two log-gammas has fewer digits than the first terms of its expansion.
    const EXPAND_FROM: f64 = 1e4;
    if !(n >= 2.0 && n.is_finite()) {
        return None;
    }
    if n >= EXPAND_FROM {
        let m = n - 1.0;
        return Some(1.0 - 1.0 / (4.0 * m) + 1.0 / (32.0 * m * m) + 5.0 / (128.0 * m * m * m));
    }
    Some((2.0 / (n - 1.0)).sqrt() * (lgamma(n / 2.0) - lgamma((n - 1.0) / 2.0)).exp())
}

/// Standard deviation of that standard deviation: `√(1 - c4²)`.
pub fn c5(n: f64) -> Option<f64> {
    c4(n).map(|c4| (1.0 - c4 * c4).max(0.0).sqrt())
}

/// One row of the printed table, exact: the factors of a chart with `n` values a subgroup.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are those of ASTM MNL 7 and every textbook")]
pub struct Factors {
    pub d2: f64,
    pub d3: f64,
    pub c4: f64,
    pub a2: f64,
    pub a3: f64,
    pub big_d3: f64,
    pub big_d4: f64,
    pub b3: f64,
    pub b4: f64,
}

/// All factors for subgroups of `n`; `None` below two.
pub fn factors(n: usize) -> Option<Factors> {
    let (d2, d3) = range_moments(n)?;
    let (c4, c5, root) = (c4(n as f64)?, c5(n as f64)?, (n as f64).sqrt());
    Some(Factors {
        d2,
        d3,
        c4,
        a2: 3.0 / (d2 * root),
        a3: 3.0 / (c4 * root),
        big_d3: (1.0 - 3.0 * d3 / d2).max(0.0),
        big_d4: 1.0 + 3.0 * d3 / d2,
        b3: (1.0 - 3.0 * c5 / c4).max(0.0),
        b4: 1.0 + 3.0 * c5 / c4,
    })
}

/// `(d2, d3)` of `n`. The integrals take milliseconds, so the sizes in use are computed once.
fn range_moments(n: usize) -> Option<(f64, f64)> {
    static KNOWN: [OnceLock<(f64, f64)>; 1001] = [const { OnceLock::new() }; 1001];
    if n < 2 {
        return None;
    }
    let compute = || (mean_range(n as f64), sd_range(n as f64));
    Some(KNOWN.get(n).map_or_else(compute, |known| *known.get_or_init(compute)))
}

/// Where the largest of any countable number of normal values has no probability left in double precision.
const FAR: f64 = 13.0;

/// `E W = 2 ∫₀^∞ [1 - Φ(x)^n - Φ(-x)^n] dx`.
fn mean_range(n: f64) -> f64 {
    let missing = |x: f64| -(n * (-normal_sf(x)).ln_1p()).exp_m1() - normal_sf(x).powf(n);
    2.0 * composite(26, 0.0, FAR).iter().map(|&(x, w)| w * missing(x)).sum::<f64>()
}

/// `sd W` from `E W² = ∫ 2w (1 - F(w)) dw` with `F(w) = n ∫ φ(x) [Φ(x+w) - Φ(x)]^(n-1) dx`.
fn sd_range(n: f64) -> f64 {
    // The smallest value is hardly ever above +9, and its density is smooth on the scale of one panel.
    let smallest: Vec<_> = composite(22, -FAR, 9.0)
        .into_iter()
        .map(|(x, w)| (x, normal_cdf(x), w * n * normal_pdf(x)))
        .collect();
    let range_cdf = |w: f64| -> f64 {
        let others = |&(x, below, weight): &(f64, f64, f64)| {
            weight * (normal_cdf(x + w) - below).max(0.0).powf(n - 1.0)
        };
        smallest.iter().map(others).sum()
    };
    let second = composite(20, 0.0, 20.0)
        .iter()
        .map(|&(w, dw)| dw * 2.0 * w * (1.0 - range_cdf(w)))
        .sum::<f64>();
    let mean = mean_range(n);
    (second - mean * mean).max(0.0).sqrt()
}
