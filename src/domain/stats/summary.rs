//! Mean, standard deviation, higher moments and autocorrelation of a sample.
//!
//! [`Summary`] takes one value at a time and two summaries make the summary of both; the functions below go twice
//! over the values and keep the NIST StRD certified digits where a single pass cannot.

/// Running moments of a series (Welford 1962; Pébay 2008 for the higher ones and for [`Summary::combine`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    n: u64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
    min: f64,
    max: f64,
}

impl Default for Summary {
    fn default() -> Summary {
        Summary {
            n: 0,
            mean: 0.0,
            m2: 0.0,
            m3: 0.0,
            m4: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Summary {
    /// The summary of these values; those that are not finite are left out.
    pub fn of(values: &[f64]) -> Summary {
        let mut summary = Summary::default();
        values.iter().for_each(|&value| summary.push(value));
        summary
    }

    /// Adds a value; one that is not finite is left out, because a single NaN would hide all others.
    pub fn push(&mut self, value: f64) {
        if value.is_finite() {
            let one = Summary { n: 1, mean: value, min: value, max: value, ..Summary::default() };
            *self = self.combine(&one);
        }
    }

    /// The summary of both samples together.
    #[must_use]
    pub fn combine(&self, other: &Summary) -> Summary {
        if self.n == 0 || other.n == 0 {
            return if self.n == 0 { *other } else { *self };
        }
        let (a, b) = (self.n as f64, other.n as f64);
        let n = a + b;
        let delta = other.mean - self.mean;
        let (step, cross) = (delta / n, delta * delta * a * b / n);
        Summary {
            n: self.n + other.n,
            mean: self.mean + step * b,
            m2: self.m2 + other.m2 + cross,
            m3: self.m3
                + other.m3
                + cross * step * (a - b)
                + 3.0 * step * (a * other.m2 - b * self.m2),
            m4: self.m4
                + other.m4
                + cross * step * step * (a * a - a * b + b * b)
                + 6.0 * step * step * (a * a * other.m2 + b * b * self.m2)
                + 4.0 * step * (a * other.m3 - b * self.m3),
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// How many values there are.
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// The mean; `None` of nothing.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then_some(self.mean)
    }

    /// The sample variance (divisor `n - 1`); `None` below two values.
    pub fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.m2 / (self.n - 1) as f64)
    }

    /// The sample standard deviation; `None` below two values.
    pub fn sd(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// The smallest value.
    pub fn min(&self) -> Option<f64> {
        (self.n > 0).then_some(self.min)
    }

    /// The largest value.
    pub fn max(&self) -> Option<f64> {
        (self.n > 0).then_some(self.max)
    }

    /// Moment skewness g1 (divisor `n`); `None` without dispersion.
    pub fn skewness(&self) -> Option<f64> {
        (self.m2 > 0.0).then(|| (self.n as f64).sqrt() * self.m3 / self.m2.powf(1.5))
    }

    /// Moment excess kurtosis g2 (divisor `n`); `None` without dispersion.
    pub fn excess_kurtosis(&self) -> Option<f64> {
        (self.m2 > 0.0).then(|| self.n as f64 * self.m4 / (self.m2 * self.m2) - 3.0)
    }
}

/// The mean by compensated summation (Neumaier 1974), correct to the last digit for all practical samples;
/// `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| sum(values.iter().copied()) / values.len() as f64)
}

/// The sample standard deviation in two passes; `None` below two values.
pub fn sd(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    if values.len() < 2 {
        return None;
    }
    // The second sum would be zero with an exact mean; it corrects for the digits the mean lost.
    let squares = sum(values.iter().map(|v| (v - mean) * (v - mean)));
    let rest = sum(values.iter().map(|v| v - mean));
    let n = values.len() as f64;
    Some(((squares - rest * rest / n).max(0.0) / (n - 1.0)).sqrt())
}

/// The correlation of each value with the one before it, about the mean of all:
/// `Σ (x_i - m)(x_(i-1) - m) / Σ (x_i - m)²`. `None` below two values or without dispersion.
pub fn lag1(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares = sum(values.iter().map(|v| (v - mean) * (v - mean)));
    let products = sum(values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)));
    (values.len() > 1 && squares > 0.0).then(|| products / squares)
}

/// A sum that keeps the digits a plain sum would lose.
pub fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    // With infinities the correction is not a number; the plain sum says what there is to say.
    if lost.is_finite() { sum + lost } else { sum }
}
