//! What stands behind a chart: false alarms, the gate before capability, rules in words, other lengths of subgroup.

use domain::line::minute::Minute;
use domain::quality::characteristic::{Characteristic, ChartKind};
use domain::quality::limits::{FREEZE_FROM, fit};
use domain::quality::signal::Budget;
use domain::quality::subgroup::subgroups;
use domain::quality::workbench::{By, Evaluation, Gate, evaluate, outside};
use domain::spc::capability::{BinomialCapability, Capability, Index};
use domain::spc::rules::RuleId;
use serde::Serialize;
use utoipa::ToSchema;

use super::rounded;

/// Decimals of σz and ρ₁, as those of the panel above them.
const DECIMALS: i32 = 3;

/// Lengths of subgroups that are compared, in minutes.
const LENGTHS: [u32; 4] = [1, 5, 15, 60];

/// Expected and observed false alarms.
#[derive(Serialize, ToSchema)]
pub(crate) struct BudgetView {
    /// Accepted a week.
    per_week: f64,
    /// Points between two false alarms of the rules.
    arl_rules: Option<f64>,
    /// The same of the EWMA.
    arl_ewma: Option<f64>,
    /// Expected in the span if nothing changed.
    expected: Option<f64>,
    /// Incidents in the span.
    observed: u32,
    /// Points judged.
    n_judged: u32,
}

/// Whether capability means anything.
#[derive(Serialize, ToSchema)]
pub(crate) struct GateView {
    /// Whether all of the following hold.
    open: bool,
    /// Whole subgroups.
    n: usize,
    /// How many of them there must be.
    n_least: usize,
    /// Whether there are as many.
    enough: bool,
    /// Judged points that were looked at for signals: the last hundred, or all there are.
    n_recent: usize,
    /// Signals among them, of which there must be none; null where no point is judged.
    n_signals: Option<usize>,
    /// Whether the chart drifts, which it must not; null where that cannot be told.
    drifts: Option<bool>,
}

/// Capability of a fraction.
#[derive(Serialize, ToSchema)]
pub(crate) struct CapabilityView {
    /// Rejects.
    rejected: u64,
    /// Capsules.
    inspected: u64,
    /// Parts per million.
    ppm: f64,
    /// Exact 95 % interval in parts per million, of chance alone.
    ppm_interval: [f64; 2],
    /// Process Z.
    process_z: Option<f64>,
}

/// Capability of weights at 95 %: by what varies within subgroups, and by all single weights.
#[derive(Serialize, ToSchema)]
pub(crate) struct IndicesView {
    /// Lower specification limit.
    lower_spec: Option<f64>,
    /// Upper specification limit.
    upper_spec: Option<f64>,
    /// Weights.
    n: u64,
    /// Mean of all of them.
    mean: f64,
    /// Standard deviation within subgroups, of Cp and Cpk.
    sigma_within: Option<f64>,
    /// Standard deviation of all, of Pp and Ppk.
    sigma: Option<f64>,
    /// Cp with its interval.
    cp: Option<[f64; 3]>,
    /// Cpk with its interval.
    cpk: Option<[f64; 3]>,
    /// Pp with its interval.
    pp: Option<[f64; 3]>,
    /// Ppk with its interval.
    ppk: Option<[f64; 3]>,
    /// Parts per million outside, if the weights were normal.
    ppm: Option<f64>,
}

/// A rule in words.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleView {
    /// Name.
    id: &'static str,
    /// What it says.
    words: &'static str,
}

/// What another length of subgroup gives.
#[derive(Serialize, ToSchema)]
pub(crate) struct LengthView {
    /// Minutes.
    minutes: u32,
    /// Whole subgroups.
    n: usize,
    /// Whether this is the length of the chart, judged as it is; others are judged by what they give themselves.
    shown: bool,
    /// σz by moving ranges.
    sigma_z_mr: Option<f64>,
    /// σz by the standard deviation.
    sigma_z_sd: Option<f64>,
    /// Correlation of neighbours.
    lag1: Option<f64>,
    /// Judged points outside the limits of a plain chart.
    n1_plain: usize,
    /// Judged points outside the limits of a primed chart.
    n1_prime: usize,
}

impl BudgetView {
    /// The budget of an evaluation.
    pub(super) fn of(budget: &Budget) -> BudgetView {
        BudgetView {
            per_week: budget.per_week,
            arl_rules: budget.arl_rules.and_then(|x| rounded(x, 1)),
            arl_ewma: budget.arl_ewma.and_then(|x| rounded(x, 1)),
            expected: budget.expected.and_then(|x| rounded(x, 2)),
            observed: budget.observed,
            n_judged: budget.n_judged,
        }
    }
}

impl GateView {
    /// The gate of an evaluation.
    pub(super) fn of(gate: Gate) -> GateView {
        GateView {
            open: gate.is_open(),
            n: gate.n,
            n_least: FREEZE_FROM,
            enough: gate.has_enough(),
            n_recent: gate.n_recent,
            n_signals: gate.n_signals,
            drifts: gate.drifts,
        }
    }
}

impl CapabilityView {
    /// The capability of an evaluation, in parts per million.
    pub(super) fn of(capability: &BinomialCapability) -> CapabilityView {
        let ppm = |p: f64| rounded(p * 1e6, 1).unwrap_or(0.0);
        CapabilityView {
            rejected: capability.defectives,
            inspected: capability.inspected,
            ppm: ppm(capability.p),
            ppm_interval: [capability.clopper_pearson.0, capability.clopper_pearson.1].map(ppm),
            process_z: capability.process_z.and_then(|z| rounded(z, 3)),
        }
    }
}

impl IndicesView {
    /// The indices; none without a tolerance.
    pub(super) fn of(
        evaluation: &Evaluation,
        characteristic: &Characteristic,
    ) -> Option<IndicesView> {
        let Capability { within, overall, .. } = evaluation.weight_capability(characteristic)?;
        let weights = evaluation.weights()?;
        let whole = evaluation.judged.iter().map(|j| &j.subgroup).filter(|s| s.is_whole());
        let index = |index: Option<Index>| {
            let Index { value, interval } = index?;
            let (low, high) = interval?;
            Some([rounded(value, 3)?, rounded(low, 3)?, rounded(high, 3)?])
        };
        Some(IndicesView {
            lower_spec: characteristic.tolerance.lsl,
            upper_spec: characteristic.tolerance.usl,
            n: whole.map(|subgroup| subgroup.moments.n()).sum(),
            mean: rounded(weights.mean, 4)?,
            sigma_within: weights.sigma_within.and_then(|sigma| rounded(sigma, 4)),
            sigma: weights.sigma_overall.and_then(|sigma| rounded(sigma, 4)),
            cp: index(within.both),
            cpk: index(within.worst),
            pp: index(overall.both),
            ppk: index(overall.worst),
            ppm: rounded(overall.expected.ppm_total, 1),
        })
    }
}

/// What each rule says, of those that judge here and of the EWMA beside them.
pub(super) fn rules(characteristic: &Characteristic, judging: &[RuleId]) -> Vec<RuleView> {
    let has_ewma = characteristic.kind.counts() || characteristic.kind == ChartKind::Ewma;
    let own = judging.iter().copied().filter(|_| characteristic.kind != ChartKind::Ewma);
    let all = own.chain(has_ewma.then_some(RuleId::Limit));
    all.map(|rule| RuleView { id: rule.name(), words: rule.meaning() }).collect()
}

/// The same minutes in subgroups of other lengths, for counts. All are subgroups as a chart has them: they begin at multiples of
/// their length, and a start-up, a break or a doubtful minute leaves them out. The length of the chart is what the chart says.
pub(crate) fn lengths(
    characteristic: &Characteristic,
    evaluation: &Evaluation,
    minutes: &[Minute],
    batches_us: &[i64],
) -> Vec<LengthView> {
    if !characteristic.kind.counts() {
        return Vec::new();
    }
    let own = characteristic.subgroup_minutes;
    let mut lengths = LENGTHS.to_vec();
    lengths.push(own);
    lengths.sort_unstable();
    lengths.dedup();
    let row = |length: u32| {
        if length == own {
            return LengthView::of(length, true, evaluation);
        }
        let other = characteristic.with_subgroup(length);
        let found = subgroups(&other, minutes, batches_us);
        let limits = fit(&other, &found, (i64::MIN, i64::MAX), &[]).limits(&other);
        let limits = limits.map(|limits| limits.of_neighbours(&other));
        let by = limits.as_ref().map_or(By::Nothing, By::Version);
        LengthView::of(length, false, &evaluate(&other, &found, by))
    };
    lengths.into_iter().map(row).collect()
}

impl LengthView {
    fn of(minutes: u32, shown: bool, evaluation: &Evaluation) -> LengthView {
        let (evidence, outside) = (&evaluation.fitted.evidence, outside(&evaluation.judged));
        let round = |x: Option<f64>| x.and_then(|x| rounded(x, DECIMALS));
        LengthView {
            minutes,
            n: evaluation.fitted.baseline.n_used,
            shown,
            sigma_z_mr: round(evidence.sigma_z_mr),
            sigma_z_sd: round(evidence.sigma_z_sd),
            lag1: round(evidence.lag1),
            n1_plain: outside.plain,
            n1_prime: outside.ours,
        }
    }
}
