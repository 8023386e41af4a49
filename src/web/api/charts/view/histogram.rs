//! Where single weights lie beside their tolerance, in bins and in the figures that the words are made of.

use domain::quality::weights::WeightHistogram;
use domain::spc::capability::Tolerance;
use serde::Serialize;
use utoipa::ToSchema;

use super::file::Table;
use super::rounded;

/// Below this probability the weights are not taken for normal.
const LEVEL: f64 = 0.05;

/// Weights of the whole subgroups of the span, all in milligrams.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistogramView {
    /// How many were weighed.
    n: u64,
    /// How many of them are known one by one: these are counted in the bins.
    n_single: u64,
    /// Mean of all.
    mean: f64,
    /// Standard deviation of all.
    sigma: f64,
    /// Standard deviation within subgroups.
    sigma_within: Option<f64>,
    /// Lower specification limit.
    lower_spec: Option<f64>,
    /// The value aimed at.
    target: Option<f64>,
    /// Upper specification limit.
    upper_spec: Option<f64>,
    /// Width of a bin.
    width: f64,
    /// Where the bins begin, and where the last one ends.
    edges: Vec<f64>,
    /// Whether each bin lies outside the tolerance, wholly or in part.
    bins_outside: Vec<bool>,
    /// Single weights in each bin; null where none is known.
    counts: Option<Vec<u64>>,
    /// What the normal law expects in each bin, of as many weights as are counted.
    expected: Vec<f64>,
    /// The curve of that law: weight, and weights a bin.
    curve: Vec<[f64; 2]>,
    /// Single weights below the tolerance.
    below: Option<u64>,
    /// Single weights above it.
    above: Option<u64>,
    /// Both together; null where there is no limit to be outside of.
    outside: Option<u64>,
    /// Anderson–Darling statistic A².
    a2: Option<f64>,
    /// Probability of such a one, were the weights normal.
    p: Option<f64>,
    /// `fits`, `differs`, `too_few` or `unknown`: whether the single weights follow the normal law.
    normal: &'static str,
}

impl HistogramView {
    /// The view of a histogram; none where a figure is no number.
    pub(super) fn of(found: &WeightHistogram, tolerance: &Tolerance) -> Option<HistogramView> {
        let (counted, test) = (found.counts.is_some(), found.normality);
        let point = |(x, y): &(f64, f64)| Some([rounded(*x, 4)?, rounded(*y, 4)?]);
        let edges = found.bins.edges();
        let edges: Vec<f64> = edges.iter().map(|x| rounded(*x, 6)).collect::<Option<_>>()?;
        Some(HistogramView {
            n: found.n,
            n_single: found.n_single,
            mean: rounded(found.mean, 4)?,
            sigma: rounded(found.sigma, 4)?,
            sigma_within: found.sigma_within.and_then(|sigma| rounded(sigma, 4)),
            lower_spec: tolerance.lsl,
            target: tolerance.target,
            upper_spec: tolerance.usl,
            width: rounded(found.bins.width, 6)?,
            bins_outside: bins_outside(&edges, tolerance),
            edges,
            counts: found.counts.clone(),
            expected: found.expected.iter().map(|n| rounded(*n, 4)).collect::<Option<_>>()?,
            curve: found.curve.iter().map(point).collect::<Option<_>>()?,
            below: found.outside.0,
            above: found.outside.1,
            outside: outside(found.outside),
            a2: test.and_then(|test| rounded(test.a2, 4)),
            p: test.map(|test| test.p),
            normal: match test {
                Some(test) if test.p < LEVEL => "differs",
                Some(_) => "fits",
                None if counted => "too_few",
                None => "unknown",
            },
        })
    }
}

/// One of the figures of a histogram that are of all weights.
type Figure = fn(&HistogramView) -> Option<f64>;

/// The bins as rows; none where there is no histogram.
pub(super) fn file(found: Option<&HistogramView>) -> Table {
    let n = found.map_or(0, |found| found.expected.len());
    let edges = || found.into_iter().flat_map(|found| found.edges.iter().copied().map(Some));
    let counts = found.into_iter().flat_map(|found| found.counts.iter().flatten().copied());
    let expected = found.into_iter().flat_map(|found| found.expected.iter().copied());
    let mut table = Table::default();
    table.reals("from_mg", edges().take(n));
    table.reals("to_mg", edges().skip(1).take(n));
    table.counts("weights", counts.map(Some));
    table.reals("expected_normal", expected.map(Some));
    // What is of all of them stands in each row, so that a part of the file still says what it is of.
    let all: [(&str, Figure); 8] = [
        ("lsl_mg", |found| found.lower_spec),
        ("target_mg", |found| found.target),
        ("usl_mg", |found| found.upper_spec),
        ("mean_mg", |found| Some(found.mean)),
        ("sigma_mg", |found| Some(found.sigma)),
        ("sigma_within_mg", |found| found.sigma_within),
        ("anderson_darling_a2", |found| found.a2),
        ("p", |found| found.p),
    ];
    for (name, of) in all {
        table.reals(name, std::iter::repeat_n(found.and_then(of), n));
    }
    table.counts("n", std::iter::repeat_n(found.map(|found| found.n), n));
    table.counts("n_single", std::iter::repeat_n(found.map(|found| found.n_single), n));
    table
}

/// Which of the bins between these edges reach beyond a limit that there is.
fn bins_outside(edges: &[f64], tolerance: &Tolerance) -> Vec<bool> {
    let bins = edges.iter().zip(edges.iter().skip(1));
    let below = |from: f64| tolerance.lsl.is_some_and(|lsl| from < lsl);
    let above = |to: f64| tolerance.usl.is_some_and(|usl| to > usl);
    bins.map(|(from, to)| below(*from) || above(*to)).collect()
}

/// What lies outside of the limits that there are.
fn outside((below, above): (Option<u64>, Option<u64>)) -> Option<u64> {
    [below, above].into_iter().flatten().reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_is_outside_that_reaches_beyond_a_limit() {
        let edges = [90.0, 95.0, 100.0, 105.0];
        let tolerance = |lsl, usl| Tolerance { lsl, usl, target: None };
        let of = |lsl, usl| bins_outside(&edges, &tolerance(lsl, usl));
        assert_eq!(
            of(Some(95.0), Some(105.0)),
            [true, false, false],
            "an edge on a limit is inside"
        );
        assert_eq!(of(Some(90.0), Some(104.0)), [false, false, true], "a part is enough");
        assert_eq!(of(None, Some(94.0)), [true; 3]);
        assert_eq!(of(None, None), [false; 3], "without a limit nothing is outside");
        assert!(bins_outside(&[], &tolerance(Some(1.0), None)).is_empty());
    }

    #[test]
    fn outside_of_no_limit_is_nothing_that_could_be_counted() {
        assert_eq!(outside((None, None)), None);
        assert_eq!(outside((Some(0), None)), Some(0));
        assert_eq!(outside((Some(2), Some(3))), Some(5));
    }
}
