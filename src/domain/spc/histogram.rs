//! How often values fall where, and how often a normal law would have them there.
//!
//! Bins are as wide as Freedman & Diaconis (1981) advise, `2 · IQR · n^(-1/3)`, rounded up to 1, 2 or 5 times a power of
//! ten, and begin at a multiple of that width: their edges can be read. A value on an edge belongs to the bin above.

use crate::stats::distribution::normal_cdf;
use crate::stats::quantile::of_sorted;
use crate::stats::summary;

/// No histogram has more bins: beyond that single values are drawn, not a shape.
const MOST_BINS: i64 = 60;
/// Standard deviations to both sides of the mean that a fitted curve reaches.
const REACH: f64 = 4.0;
/// Points of a fitted curve.
const CURVE: u32 = 80;
/// How near to the bin above a value may lie to be one on its edge: decimal weights are no binary fractions.
const ON_EDGE: f64 = 1e-9;

/// Bins of one width that lie side by side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bins {
    /// Their width.
    pub width: f64,
    /// Number of the first one: it begins at `first · width`.
    first: i64,
    n: usize,
}

impl Bins {
    /// Bins for these values; `None` below two values or where all are the same.
    pub fn of(values: &[f64]) -> Option<Bins> {
        let mut sorted: Vec<f64> =
            values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let sd = summary::sd(&sorted).filter(|sd| *sd > 0.0)?;
        let root = (sorted.len() as f64).cbrt();
        let quartiles = of_sorted(&sorted, 0.75) - of_sorted(&sorted, 0.25);
        // Where half of the values are the same, the width of Scott (1979).
        let width = if quartiles > 0.0 { 2.0 * quartiles / root } else { 3.49 * sd / root };
        Bins::between(low, high, width)
    }

    /// Bins of about that width from `low` to `high`; `None` where there is nothing between, or too little or too much.
    pub fn between(low: f64, high: f64, width: f64) -> Option<Bins> {
        if !(high > low && width > 0.0 && (high - low).is_finite()) {
            return None;
        }
        let width = round_up(width.max((high - low) / (MOST_BINS - 1) as f64));
        // Narrower than the numbers are exact, its edges would be no numbers of their own.
        if !(width.is_normal() && width > f64::EPSILON * low.abs().max(high.abs())) {
            return None;
        }
        let (first, last) = (place(low, width), place(high, width));
        Some(Bins { width, first, n: usize::try_from(last - first + 1).ok()? })
    }

    /// Where bins begin, and where the last one ends.
    pub fn edges(&self) -> Vec<f64> {
        (0..=self.n as i64).map(|i| (self.first + i) as f64 * self.width).collect()
    }

    /// How many of these values lie in each; what lies in none is not counted.
    pub fn count(&self, values: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; self.n];
        for value in values.iter().filter(|value| value.is_finite()) {
            let at = usize::try_from(place(*value, self.width).saturating_sub(self.first));
            if let Some(count) = at.ok().and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        }
        counts
    }
}

/// A normal law of `n` values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalLaw {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation, above zero.
    pub sigma: f64,
    /// How many values it stands for.
    pub n: f64,
}

impl NormalLaw {
    /// From where to where its curve is drawn.
    pub fn reach(&self) -> (f64, f64) {
        (self.mean - REACH * self.sigma, self.mean + REACH * self.sigma)
    }

    /// How many of its values are expected in each bin.
    pub fn expected(&self, bins: &Bins) -> Vec<f64> {
        let below: Vec<f64> =
            bins.edges().iter().map(|edge| normal_cdf((edge - self.mean) / self.sigma)).collect();
        below.windows(2).map(|pair| self.n * (pair[1] - pair[0])).collect()
    }

    /// Its curve over bins of that width: value and height, in values a bin.
    pub fn curve(&self, width: f64) -> Vec<(f64, f64)> {
        let (from, to) = self.reach();
        let top = self.n * width / (self.sigma * std::f64::consts::TAU.sqrt());
        let at = |i: u32| from + (to - from) * f64::from(i) / f64::from(CURVE);
        let height = |x: f64| top * (-((x - self.mean) / self.sigma).powi(2) / 2.0).exp();
        (0..=CURVE).map(|i| (at(i), height(at(i)))).collect()
    }
}

/// Number of the bin that a value lies in.
fn place(value: f64, width: f64) -> i64 {
    (value / width + ON_EDGE).floor() as i64
}

/// The next of 1, 2, 5 times a power of ten.
fn round_up(width: f64) -> f64 {
    let unit = 10_f64.powf(width.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * unit);
    steps.into_iter().find(|step| *step >= width * (1.0 - ON_EDGE)).unwrap_or(10.0 * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::normality::anderson_darling;

    /// Twenty weights of a sample in milligrams. What is expected was computed with 50 digits by another program.
    const WEIGHTS: [f64; 20] = [
        496.2, 498.7, 500.1, 501.9, 499.4, 503.3, 497.8, 500.6, 502.2, 499.0, 500.0, 505.1, 498.1,
        501.2, 499.7, 500.8, 497.1, 502.7, 501.5, 499.9,
    ];

    fn near(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            "{found} is not {expected}"
        );
    }

    /// Width, counts, expected counts and A² of a sample, against numbers that were computed elsewhere.
    #[test]
    fn a_sample_of_twenty_weights_has_the_reference_histogram() {
        let bins = Bins::of(&WEIGHTS).expect("a histogram");
        assert_eq!(
            (bins.width, bins.edges()),
            (2.0, vec![496.0, 498.0, 500.0, 502.0, 504.0, 506.0])
        );
        let counts = bins.count(&WEIGHTS);
        assert_eq!(counts, [3, 6, 7, 3, 1]);
        let mean = summary::mean(&WEIGHTS).expect("a mean");
        let sigma = summary::sd(&WEIGHTS).expect("a deviation");
        near(mean, 500.265);
        near(sigma, 2.181_084_954_546_101);
        let law = NormalLaw { mean, sigma, n: 20.0 };
        let expected = [
            2.485_193_187_185_8,
            6.042_462_389_480_637,
            6.703_674_613_558_84,
            3.395_231_811_803_851,
            0.782_607_495_717_344,
        ];
        let found = law.expected(&bins);
        assert_eq!(found.len(), expected.len());
        found.iter().zip(expected).for_each(|(found, expected)| near(*found, expected));
        let test = anderson_darling(&WEIGHTS).expect("a test");
        near(test.a2, 0.082_350_119_036_699_9);
        // The curve is highest at the mean, and what lies below it is all of the values but those beyond four sigma.
        let curve = law.curve(bins.width);
        let area: f64 = curve.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum();
        assert!((area / bins.width - 20.0).abs() < 0.01, "{area}");
        near(curve[40].0, mean);
    }

    #[test]
    fn a_value_on_an_edge_belongs_to_the_bin_above_and_none_is_lost() {
        let bins = Bins::between(0.0, 1.0, 0.2).expect("bins");
        let on = bins.edges();
        let counts = bins.count(&on[..on.len() - 1]);
        assert_eq!(counts, vec![1; counts.len()]);
        for n in [2_usize, 9, 400] {
            let values: Vec<f64> = (0..n).map(|i| ((i * 37) % 101) as f64 * 0.1 + 0.05).collect();
            let counts = Bins::of(&values).expect("bins").count(&values);
            assert_eq!(counts.iter().sum::<u64>(), n as u64);
            assert!(counts.len() <= 60);
        }
    }

    #[test]
    fn what_has_no_spread_has_no_histogram() {
        assert_eq!(Bins::of(&[]), None);
        assert_eq!(Bins::of(&[500.0]), None);
        assert_eq!(Bins::of(&[500.0; 30]), None);
        assert_eq!(Bins::of(&[f64::NAN, 500.0]), None);
        // Half of them alike and one far away: still not more bins than can be told apart.
        let mut values = vec![500.0; 30];
        values.extend([500.1, 9_000.0]);
        assert!(Bins::of(&values).expect("bins").count(&values).len() <= 60);
    }

    #[test]
    fn no_values_are_too_far_apart_or_too_near_together() {
        let tiny = f64::from_bits(1);
        for (low, high) in [
            (0.0, tiny),
            (-tiny, tiny),
            (1.0, 1.0 + f64::EPSILON),
            (-1e15, -1e15 + 0.125),
            (1e300, 1.5e300),
            (-8e307, 8e307),
            (-1e308, 1e308),
            (f64::MIN_POSITIVE, 1e308),
        ] {
            let values = [low, low, low, high];
            for bins in [Bins::of(&values), Bins::between(low, high, tiny)].into_iter().flatten() {
                let counts = bins.count(&values);
                assert_eq!(counts.iter().sum::<u64>(), 4, "{low} {high}: {bins:?}");
                assert!(counts.len() <= 60, "{low} {high}: {bins:?}");
                assert!(bins.edges().iter().all(|edge| edge.is_finite()), "{low} {high}");
            }
        }
        // What lies in no bin, however far away, is in none.
        let bins = Bins::between(-1.0, 1.0, 0.5).expect("bins");
        assert_eq!(bins.count(&[-1e300, 1e300, 0.0, f64::INFINITY]).iter().sum::<u64>(), 1);
    }
}
