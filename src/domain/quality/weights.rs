//! Single weights of a span beside their tolerance: where they lie, the normal law of their mean and standard deviation,
//! and whether they follow it.

use super::characteristic::{Characteristic, Measure};
use super::workbench::Evaluation;
use crate::spc::histogram::{Bins, NormalLaw};
use crate::stats::normality::{AndersonDarling, anderson_darling};

/// A fitted law without single weights that differ has a bin each fifth of a standard deviation.
const BINS_A_SIGMA: f64 = 5.0;

/// Where the weights of the whole subgroups of a span lie, all in milligrams.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightHistogram {
    /// Their mean.
    pub mean: f64,
    /// Standard deviation of all of them.
    pub sigma: f64,
    /// Standard deviation within subgroups.
    pub sigma_within: Option<f64>,
    /// How many were weighed.
    pub n: u64,
    /// How many of them are known one by one.
    pub n_single: u64,
    /// The bins.
    pub bins: Bins,
    /// Single weights in each bin; none where no single weight is known.
    pub counts: Option<Vec<u64>>,
    /// What the normal law of mean and standard deviation expects in each bin, of as many weights as are counted.
    pub expected: Vec<f64>,
    /// The curve of that law: weight, and weights a bin.
    pub curve: Vec<(f64, f64)>,
    /// Single weights below and above the tolerance.
    pub outside: (Option<u64>, Option<u64>),
    /// Whether the single weights follow the normal law.
    pub normality: Option<AndersonDarling>,
}

impl WeightHistogram {
    /// The histogram of an evaluation of weights; none for anything else, and below two weights that differ. `singles` are
    /// the weights that are known one by one, each with the start of its minute, oldest first; those of subgroups that
    /// are not whole are left out, as they are from every estimate.
    pub fn of(
        evaluation: &Evaluation,
        characteristic: &Characteristic,
        singles: &[(i64, f64)],
    ) -> Option<WeightHistogram> {
        if !matches!(characteristic.measure, Measure::Weight { .. }) {
            return None;
        }
        let all = evaluation.weights()?;
        let sigma = all.sigma_overall.filter(|sigma| *sigma > 0.0)?;
        let known = in_whole(evaluation, characteristic.subgroup_us(), singles);
        let counted = if known.is_empty() { all.n } else { known.len() as f64 };
        let law = NormalLaw { mean: all.mean, sigma, n: counted };
        // Of weights that are not known one by one, or of single ones that are all the same, the law has a shape.
        let of_law = || {
            let wider = |(from, to): (f64, f64), mg: &f64| (from.min(*mg), to.max(*mg));
            let (from, to) = known.iter().fold(law.reach(), wider);
            Bins::between(from, to, sigma / BINS_A_SIGMA)
        };
        let bins = Bins::of(&known).or_else(of_law)?;
        let beyond = |limit: Option<f64>, is_beyond: fn(f64, f64) -> bool| {
            let n = |limit: f64| known.iter().filter(|mg| is_beyond(**mg, limit)).count() as u64;
            limit.filter(|_| !known.is_empty()).map(n)
        };
        let tolerance = characteristic.tolerance;
        Some(WeightHistogram {
            mean: all.mean,
            sigma,
            sigma_within: all.sigma_within,
            n: all.n as u64,
            n_single: known.len() as u64,
            counts: (!known.is_empty()).then(|| bins.count(&known)),
            expected: law.expected(&bins),
            curve: law.curve(bins.width),
            outside: (
                beyond(tolerance.lsl, |mg, lsl| mg < lsl),
                beyond(tolerance.usl, |mg, usl| mg > usl),
            ),
            normality: anderson_darling(&known),
            bins,
        })
    }
}

/// Weights of minutes that belong to whole subgroups.
fn in_whole(evaluation: &Evaluation, length_us: i64, singles: &[(i64, f64)]) -> Vec<f64> {
    let subgroups = &evaluation.judged;
    let is_in = |minute_us: i64| {
        let after = subgroups.partition_point(|judged| judged.subgroup.start_us <= minute_us);
        let own = after.checked_sub(1).and_then(|at| subgroups.get(at));
        own.is_some_and(|judged| {
            judged.subgroup.is_whole() && minute_us < judged.subgroup.start_us + length_us
        })
    };
    singles.iter().filter(|(minute_us, _)| is_in(*minute_us)).map(|(_, mg)| *mg).collect()
}
