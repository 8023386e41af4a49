//! What the workbench gets: columns already in the unit of the chart and rounded. Nothing is estimated or judged here.

use domain::line::minute::Minute;
use domain::quality::characteristic::{Characteristic, ChartKind, Measure};
use domain::quality::limits::{Evidence, Fitted, Limits, LimitsLaw, Maturity};
use domain::quality::record::{StoredIncident, StoredPoint, Work, WorkKind};
use domain::quality::signal::Incident;
use domain::quality::stream::{Judged, display_factor};
use domain::quality::subgroup::subgroups;
use domain::quality::workbench::{Evaluation, Replay};
use domain::spc::capability::{Capability, Index};
use domain::spc::chart::{Point, Settings};
use domain::spc::rules::{Hits, RuleId};
use domain::spc::subgroup_length::by_length;
use serde::Serialize;
use utoipa::ToSchema;

/// Lengths of subgroups that are compared, in minutes.
const LENGTHS: [usize; 4] = [1, 5, 15, 60];

/// What can be charted.
#[derive(Serialize, ToSchema)]
pub(crate) struct CharacteristicView {
    /// Its name in addresses.
    id: String,
    /// `reject_fraction`, `reject`, `speed`, `weight` or `weight_deviation`.
    measure: &'static str,
    /// Where.
    station: String,
    /// Why, of rejects of one reason.
    reason: Option<String>,
    /// Of weights: `sample` for single weights, `interval` for all that was weighed.
    series: Option<&'static str>,
    /// `p_prime`, `p`, `u_prime`, `u`, `i_mr`, `i_mr_s` or `ewma`.
    chart: &'static str,
    /// Unit of all its numbers: `%`, `‰`, `capsules/min` or `mg`.
    unit: &'static str,
    /// Minutes of a subgroup that is judged.
    subgroup_minutes: u32,
    /// A stop longer than this breaks runs, seconds.
    break_after_s: i64,
    /// Running time after it that neither estimates nor signals, seconds.
    startup_s: i64,
    /// Rules that judge.
    rules: Vec<&'static str>,
}

/// A chart in columns, oldest first; null is what is not known.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkbenchView {
    /// What is charted.
    characteristic: CharacteristicView,
    /// Minutes in a subgroup of this answer.
    subgroup_minutes: u32,
    /// Whether these are the subgroups that are judged for alarms.
    judged_live: bool,
    /// Start of the span, UTC milliseconds.
    from_ms: i64,
    /// End of the span, UTC milliseconds.
    to_ms: i64,
    /// Starts of subgroups, UTC milliseconds.
    t: Vec<i64>,
    /// Capsules judged.
    n: Vec<u64>,
    /// Rejects, best value.
    x: Vec<u64>,
    /// How far rejects can be below and above, none where the count is exact.
    doubt: Vec<Option<[u64; 2]>>,
    /// What is plotted.
    p: Vec<Option<f64>>,
    /// Centre line.
    cl: Vec<Option<f64>>,
    /// Lower limits.
    lcl: Vec<Option<f64>>,
    /// Upper limits.
    ucl: Vec<Option<f64>>,
    /// Distance from the centre in sigma.
    z: Vec<Option<f64>>,
    /// `whole`, `empty`, `incomplete` or `start_up`.
    fitness: Vec<&'static str>,
    /// `on`, `break` or `stage`.
    follows: Vec<&'static str>,
    /// Known share of the time, percent.
    coverage: Vec<f64>,
    /// Version of the limits that judged; 0 for none.
    version: Vec<u32>,
    /// Signals: position and rule.
    sig: Vec<(usize, &'static str)>,
    /// The chart beside it.
    companion: CompanionView,
    /// Standard deviations within subgroups, on a three-way chart.
    within: Option<CompanionView>,
    /// The same points under a plain p or u chart; none for measurements.
    plain: Option<PlainView>,
    /// Which limits were asked for: `in_force`, `version` or `trial`.
    by: &'static str,
    /// The limits of the newest point.
    limits: Option<LimitsView>,
    /// All versions, oldest first.
    versions: Vec<LimitsView>,
    /// What the shown span itself would give.
    fitted: FittedView,
    /// Expected and observed false alarms.
    budget: BudgetView,
    /// Whether capability means anything.
    gate: GateView,
    /// Capability of a fraction.
    capability: Option<CapabilityView>,
    /// Capability of weights, where a tolerance is configured.
    indices: Option<IndicesView>,
    /// What each rule says, for those that can signal here.
    rules: Vec<RuleView>,
    /// Incidents of the span as the shown limits give them.
    shown_incidents: Vec<ShownIncident>,
    /// Incidents of the record, newest first, with the work on them.
    incidents: Vec<IncidentView>,
    /// The same minutes in subgroups of other lengths; empty for measurements and long spans.
    lengths: Vec<LengthView>,
}

/// The chart beside.
#[derive(Serialize, ToSchema)]
pub(crate) struct CompanionView {
    /// `ewma`, `mr` or `s`.
    name: &'static str,
    /// What is plotted.
    y: Vec<Option<f64>>,
    /// Centre line.
    cl: Option<f64>,
    /// Lower limits.
    lcl: Vec<Option<f64>>,
    /// Upper limits.
    ucl: Vec<Option<f64>>,
    /// Signals: position and rule.
    sig: Vec<(usize, &'static str)>,
}

/// A plain chart of the same points.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlainView {
    /// `p` or `u`.
    chart: &'static str,
    /// Lower limits.
    lcl: Vec<Option<f64>>,
    /// Upper limits.
    ucl: Vec<Option<f64>>,
    /// Points beyond its limits.
    signals: usize,
    /// Points beyond the limits of the chart itself.
    ours: usize,
}

/// A version of limits.
#[derive(Serialize, ToSchema)]
pub(crate) struct LimitsView {
    /// Version.
    pub(crate) version: u32,
    /// `proposed`, `provisional`, `approved` or `rejected`.
    state: &'static str,
    /// Centre line.
    center: f64,
    /// Laney's factor, for counts.
    sigma_z: Option<f64>,
    /// Standard deviation of a value, for measurements.
    sigma: Option<f64>,
    /// Standard deviation within subgroups, on a three-way chart.
    sigma_within: Option<f64>,
    /// Distance of the EWMA's limits, in sigma.
    ewma_l: f64,
    /// Rules.
    rules: Vec<&'static str>,
    /// Start of the baseline, UTC milliseconds.
    from_ms: i64,
    /// End of the baseline, UTC milliseconds.
    to_ms: i64,
    /// Whole subgroups that estimate.
    n_used: usize,
    /// `forming`, `provisional`, `freezable` or `firm`.
    maturity: &'static str,
    /// Whether signals may page.
    may_page: bool,
    /// Subgroups left out: start and reason.
    excluded: Vec<(i64, String)>,
    /// How the baseline varied.
    evidence: EvidenceView,
    /// Who made it.
    author: String,
    /// Why.
    reason: String,
    /// When, UTC milliseconds.
    made_ms: i64,
    /// Who decided.
    decided_by: Option<String>,
    /// Why so.
    decided_reason: Option<String>,
    /// When, UTC milliseconds.
    decided_ms: Option<i64>,
    /// SHA-256 of the record.
    sha256: String,
}

/// How a baseline varied.
#[derive(Serialize, ToSchema)]
pub(crate) struct EvidenceView {
    /// σz by moving ranges.
    sigma_z_mr: Option<f64>,
    /// σz by the standard deviation.
    sigma_z_sd: Option<f64>,
    /// Correlation of neighbours.
    lag1: Option<f64>,
    /// Index of dispersion over its degrees of freedom.
    chi2_ratio: Option<f64>,
    /// Its probability under the law.
    chi2_p: Option<f64>,
    /// `plain`, `use_prime`, `stratify`, `lengthen_subgroup`, `underdispersed` or `unknown`.
    advice: &'static str,
    /// Whether a plain chart would do.
    plain_suffices: bool,
}

/// What a span gives.
#[derive(Serialize, ToSchema)]
pub(crate) struct FittedView {
    /// Whole subgroups.
    n_used: usize,
    /// How far they carry.
    maturity: &'static str,
    /// Centre line, if it can be told.
    center: Option<f64>,
    /// How they vary.
    evidence: EvidenceView,
    /// Subgroups still missing before limits can be approved.
    missing_to_freeze: usize,
}

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
    /// Whole subgroups; at least 100.
    n: usize,
    /// Signals among the last hundred points; none.
    n_signals: usize,
    /// Whether the chart drifts; not.
    drifts: bool,
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

/// An incident as the shown limits give it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShownIncident {
    /// Start of the first subgroup, UTC milliseconds.
    opened_ms: i64,
    /// Start of the last subgroup, UTC milliseconds.
    last_ms: i64,
    /// Rules on the chart and on its companion.
    rules: Vec<&'static str>,
    /// Subgroups with a signal.
    points: u32,
    /// `study`, `notice` or `page`.
    level: &'static str,
}

/// An incident of the record.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentView {
    /// Its number.
    id: i64,
    /// Of what.
    characteristic: String,
    /// Version of the limits that judged.
    version: u32,
    /// What it is.
    #[serde(flatten)]
    what: ShownIncident,
    /// Whether it has ended.
    over: bool,
    /// Whether somebody acknowledged it.
    acknowledged: bool,
    /// Who has it, the last one named.
    owner: Option<String>,
    /// What was done, oldest first.
    work: Vec<WorkView>,
}

/// Something that was done.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkView {
    /// When, UTC milliseconds.
    at_ms: i64,
    /// By whom.
    author: String,
    /// `acknowledge`, `cause`, `action`, `owner` or `note`.
    kind: &'static str,
    /// In words.
    text: String,
}

/// What another length of subgroup gives.
#[derive(Serialize, ToSchema)]
pub(crate) struct LengthView {
    /// Minutes.
    minutes: usize,
    /// Subgroups.
    n: usize,
    /// σz by moving ranges.
    sigma_z_mr: Option<f64>,
    /// σz by the standard deviation.
    sigma_z_sd: Option<f64>,
    /// Correlation of neighbours.
    lag1: Option<f64>,
    /// Points beyond the limits of a plain chart.
    n1_plain: usize,
    /// Points beyond the limits of a primed chart.
    n1_prime: usize,
}

/// What a proposal would change.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplayView {
    /// Points that would signal and did not: start and rules.
    appear: Vec<(i64, Vec<&'static str>)>,
    /// Points that signalled and would not: start and rules.
    vanish: Vec<(i64, Vec<&'static str>)>,
    /// Points that signal both ways.
    stay: usize,
    /// Points judged.
    judged: usize,
}

/// A point as it was told at the time.
#[derive(Serialize, ToSchema)]
pub(crate) struct ToldView {
    /// Start, UTC milliseconds.
    t: i64,
    /// 0 for what was said first; more for each correction.
    rev: u32,
    /// Version of the limits that judged.
    version: u32,
    /// Whether it could be judged.
    fitness: String,
    /// Rejects.
    x: u64,
    /// Capsules.
    n: u64,
    /// Distance from the centre in sigma.
    z: Option<f64>,
    /// Rules completed, separated by commas.
    rules: String,
    /// When it was told, UTC milliseconds.
    told_ms: i64,
}

fn ms(us: i64) -> i64 {
    us.div_euclid(1_000)
}

fn rounded(x: f64, decimals: i32) -> Option<f64> {
    let scale = 10f64.powi(decimals);
    x.is_finite().then(|| (x * scale).round() / scale)
}

/// Numbers of a chart in its unit, six digits behind the point: enough for a table of limits.
struct Scale(f64);

impl Scale {
    fn of(kind: ChartKind) -> Scale {
        Scale(display_factor(kind))
    }

    fn show(&self, x: Option<f64>) -> Option<f64> {
        x.and_then(|x| rounded(x * self.0, 6))
    }
}

impl CharacteristicView {
    /// The view of a characteristic.
    pub(crate) fn of(characteristic: &Characteristic) -> CharacteristicView {
        let (measure, reason) = match &characteristic.measure {
            Measure::RejectFraction { .. } => ("reject_fraction", None),
            Measure::Reject { reason, .. } => ("reject", Some(reason.to_string())),
            Measure::Speed { .. } => ("speed", None),
            Measure::Weight { .. } => ("weight", None),
            Measure::WeightDeviation { .. } => ("weight_deviation", None),
        };
        CharacteristicView {
            id: characteristic.id.to_string(),
            measure,
            station: characteristic.measure.station().to_string(),
            reason,
            series: characteristic.measure.series().map(|series| series.word()),
            chart: characteristic.kind.word(),
            unit: characteristic.unit(),
            subgroup_minutes: characteristic.subgroup_minutes,
            break_after_s: characteristic.break_after_us / 1_000_000,
            startup_s: characteristic.startup_us / 1_000_000,
            rules: characteristic.rules.iter().map(|rule| rule.name()).collect(),
        }
    }
}

/// What a chart is made from.
pub(crate) struct Shown<'a> {
    pub(crate) configured: &'a Characteristic,
    pub(crate) characteristic: &'a Characteristic,
    pub(crate) span: (i64, i64),
    pub(crate) evaluation: &'a Evaluation,
    pub(crate) by: &'static str,
    pub(crate) limits: Option<&'a Limits>,
    pub(crate) versions: &'a [Limits],
    pub(crate) incidents: &'a [StoredIncident],
    pub(crate) lengths: Vec<LengthView>,
}

impl WorkbenchView {
    /// The view of a judged span.
    pub(crate) fn of(shown: Shown<'_>) -> WorkbenchView {
        let Shown { configured, characteristic, evaluation, .. } = shown;
        let judged = &evaluation.judged;
        let scale = Scale::of(characteristic.kind);
        let column = |get: fn(&Point) -> Option<f64>| {
            judged.iter().map(|j| scale.show(get(&j.point))).collect::<Vec<_>>()
        };
        let budget = evaluation.budget(characteristic, shown.limits);
        let gate = evaluation.gate();
        WorkbenchView {
            subgroup_minutes: characteristic.subgroup_minutes,
            judged_live: characteristic.subgroup_minutes == configured.subgroup_minutes,
            characteristic: CharacteristicView::of(configured),
            from_ms: ms(shown.span.0),
            to_ms: ms(shown.span.1),
            t: judged.iter().map(|j| ms(j.subgroup.start_us)).collect(),
            n: judged.iter().map(|j| j.subgroup.size.best()).collect(),
            x: judged.iter().map(|j| j.subgroup.count.best()).collect(),
            doubt: judged.iter().map(doubt).collect(),
            p: column(|p| p.stat),
            cl: column(|p| p.cl),
            lcl: column(|p| p.lcl),
            ucl: column(|p| p.ucl),
            z: judged.iter().map(|j| j.point.z.and_then(|z| rounded(z, 3))).collect(),
            fitness: judged.iter().map(|j| j.subgroup.fitness.word()).collect(),
            follows: judged.iter().map(|j| j.subgroup.follows.word()).collect(),
            coverage: judged.iter().map(|j| share(j.subgroup.coverage)).collect(),
            version: judged.iter().map(|j| j.version).collect(),
            sig: signals(judged.iter().map(|j| j.point.hits)),
            companion: CompanionView::of(judged, characteristic.kind),
            within: CompanionView::within(judged),
            plain: PlainView::of(judged, characteristic.kind),
            by: shown.by,
            limits: shown.limits.map(LimitsView::of),
            versions: shown.versions.iter().map(LimitsView::of).collect(),
            fitted: FittedView::of(&evaluation.fitted, &scale),
            budget: BudgetView {
                per_week: budget.per_week,
                arl_rules: budget.arl_rules.and_then(|x| rounded(x, 1)),
                arl_ewma: budget.arl_ewma.and_then(|x| rounded(x, 1)),
                expected: budget.expected.and_then(|x| rounded(x, 2)),
                observed: budget.observed,
                n_judged: budget.n_judged,
            },
            gate: GateView {
                open: gate.is_open(),
                n: gate.n,
                n_signals: gate.n_signals,
                drifts: gate.drifts,
            },
            capability: evaluation.capability().map(|capability| CapabilityView {
                rejected: capability.defectives,
                inspected: capability.inspected,
                ppm: rounded(capability.p * 1e6, 1).unwrap_or(0.0),
                ppm_interval: [capability.clopper_pearson.0, capability.clopper_pearson.1]
                    .map(|p| rounded(p * 1e6, 1).unwrap_or(0.0)),
                process_z: capability.process_z.and_then(|z| rounded(z, 3)),
            }),
            indices: IndicesView::of(evaluation, characteristic),
            rules: rules(configured),
            shown_incidents: evaluation.incidents.iter().map(ShownIncident::of).collect(),
            incidents: shown.incidents.iter().map(IncidentView::of).collect(),
            lengths: shown.lengths,
        }
    }
}

fn doubt(judged: &Judged) -> Option<[u64; 2]> {
    let count = judged.subgroup.count;
    (!count.is_exact()).then(|| [count.low(), count.high()])
}

fn signals(hits: impl Iterator<Item = Hits>) -> Vec<(usize, &'static str)> {
    hits.enumerate().flat_map(|(i, hits)| hits.iter().map(move |rule| (i, rule.name()))).collect()
}

/// A share as percent; only a share of one is shown as 100.
fn share(share: f64) -> f64 {
    let percent = (share * 1_000.0).round() / 10.0;
    if share < 1.0 { percent.min(99.9) } else { percent }
}

fn rules(characteristic: &Characteristic) -> Vec<RuleView> {
    let has_ewma = characteristic.kind.counts() || characteristic.kind == ChartKind::Ewma;
    let own = characteristic.rules.iter().copied();
    let own = own.filter(|_| characteristic.kind != ChartKind::Ewma);
    let all = own.chain(has_ewma.then_some(RuleId::Limit));
    all.map(|rule| RuleView { id: rule.name(), words: rule.meaning() }).collect()
}

impl IndicesView {
    fn of(evaluation: &Evaluation, characteristic: &Characteristic) -> Option<IndicesView> {
        let Capability { within, overall, .. } = evaluation.weight_capability(characteristic)?;
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
            cp: index(within.both),
            cpk: index(within.worst),
            pp: index(overall.both),
            ppk: index(overall.worst),
            ppm: rounded(overall.expected.ppm_total, 1),
        })
    }
}

impl CompanionView {
    fn within(judged: &[Judged]) -> Option<CompanionView> {
        judged.iter().find(|j| j.within.is_some())?;
        let round = |x: Option<f64>| x.and_then(|x| rounded(x, 4));
        let column = |get: fn(&Point) -> Option<f64>| {
            judged.iter().map(|j| round(j.within.as_ref().and_then(get))).collect::<Vec<_>>()
        };
        Some(CompanionView {
            name: "s",
            y: column(|p| p.stat),
            cl: judged.iter().rev().find_map(|j| round(j.within?.cl)),
            lcl: column(|p| p.lcl),
            ucl: column(|p| p.ucl),
            sig: signals(judged.iter().map(|j| j.within.map_or(Hits::NONE, |p| p.hits))),
        })
    }

    fn of(judged: &[Judged], kind: ChartKind) -> CompanionView {
        // The mean of z has no unit; a moving range has that of the chart.
        let round = |x: Option<f64>| x.and_then(|x| rounded(x, 4));
        let column = |get: fn(&Point) -> Option<f64>| {
            judged.iter().map(|j| round(get(&j.companion))).collect::<Vec<_>>()
        };
        CompanionView {
            name: if kind.counts() { "ewma" } else { "mr" },
            y: column(|p| p.stat),
            cl: judged.iter().rev().find_map(|j| round(j.companion.cl)),
            lcl: column(|p| p.lcl),
            ucl: column(|p| p.ucl),
            sig: signals(judged.iter().map(|j| j.companion.hits)),
        }
    }
}

impl PlainView {
    fn of(judged: &[Judged], kind: ChartKind) -> Option<PlainView> {
        let chart = match kind {
            ChartKind::PPrime => "p",
            ChartKind::UPrime => "u",
            _ => return None,
        };
        let scale = Scale::of(kind);
        let beyond = |hits: Hits| usize::from(hits.contains(RuleId::N1));
        Some(PlainView {
            chart,
            lcl: judged.iter().map(|j| scale.show(j.plain.and_then(|p| p.lcl))).collect(),
            ucl: judged.iter().map(|j| scale.show(j.plain.and_then(|p| p.ucl))).collect(),
            signals: judged.iter().filter_map(|j| j.plain).map(|p| beyond(p.hits)).sum(),
            ours: judged.iter().map(|j| beyond(j.point.hits)).sum(),
        })
    }
}

impl LimitsView {
    /// The view of a version.
    pub(crate) fn of(limits: &Limits) -> LimitsView {
        let scale = Scale::of(limits.kind);
        let (center, sigma_z, sigma, within) = match limits.law {
            LimitsLaw::Rate { center, sigma_z } => (center, Some(sigma_z), None, None),
            LimitsLaw::Individuals { center, sigma } => (center, None, Some(sigma), None),
            LimitsLaw::ThreeWay { center, sigma, sigma_within } => {
                (center, None, Some(sigma), Some(sigma_within))
            }
        };
        let decision = limits.decision.as_ref();
        LimitsView {
            version: limits.version,
            state: decision.map_or("proposed", |decision| decision.verdict.word()),
            center: scale.show(Some(center)).unwrap_or(0.0),
            sigma_z: sigma_z.and_then(|s| rounded(s, 4)),
            sigma: scale.show(sigma),
            sigma_within: scale.show(within),
            ewma_l: rounded(limits.ewma_l, 4).unwrap_or(0.0),
            rules: limits.rules.iter().map(|rule| rule.name()).collect(),
            from_ms: ms(limits.baseline.from_us),
            to_ms: ms(limits.baseline.to_us),
            n_used: limits.baseline.n_used,
            maturity: limits.maturity().word(),
            may_page: limits.may_page(),
            excluded: limits
                .baseline
                .excluded
                .iter()
                .map(|out| (ms(out.start_us), out.reason.clone()))
                .collect(),
            evidence: EvidenceView::of(&limits.evidence),
            author: limits.author.clone(),
            reason: limits.reason.clone(),
            made_ms: ms(limits.made_us),
            decided_by: decision.map(|decision| decision.by.clone()),
            decided_reason: decision.map(|decision| decision.reason.clone()),
            decided_ms: decision.map(|decision| ms(decision.at_us)),
            sha256: limits.hash(),
        }
    }
}

impl EvidenceView {
    fn of(evidence: &Evidence) -> EvidenceView {
        let round = |x: Option<f64>| x.and_then(|x| rounded(x, 3));
        EvidenceView {
            sigma_z_mr: round(evidence.sigma_z_mr),
            sigma_z_sd: round(evidence.sigma_z_sd),
            lag1: round(evidence.lag1),
            chi2_ratio: round(evidence.chi2_ratio),
            chi2_p: evidence.chi2_p.and_then(|p| rounded(p, 6)),
            advice: evidence.advice().name(),
            plain_suffices: evidence.plain_suffices(),
        }
    }
}

impl FittedView {
    fn of(fitted: &Fitted, scale: &Scale) -> FittedView {
        let center = fitted.law.map(|law| match law {
            LimitsLaw::Rate { center, .. }
            | LimitsLaw::Individuals { center, .. }
            | LimitsLaw::ThreeWay { center, .. } => center,
        });
        let n_used = fitted.baseline.n_used;
        FittedView {
            n_used,
            maturity: Maturity::of(n_used).word(),
            center: scale.show(center),
            evidence: EvidenceView::of(&fitted.evidence),
            missing_to_freeze: domain::quality::limits::FREEZE_FROM.saturating_sub(n_used),
        }
    }
}

impl ShownIncident {
    fn of(incident: &Incident) -> ShownIncident {
        let rules = incident.rules.iter().chain(incident.companion.iter());
        ShownIncident {
            opened_ms: ms(incident.opened_us),
            last_ms: ms(incident.last_us),
            rules: rules.map(|rule| rule.name()).collect(),
            points: incident.n_points,
            level: incident.level.word(),
        }
    }
}

impl IncidentView {
    /// The view of an incident of the record.
    pub(crate) fn of(stored: &StoredIncident) -> IncidentView {
        let is = |kind| move |work: &&Work| work.kind == kind;
        let owner = stored.work.iter().rev().find(is(WorkKind::Owner));
        IncidentView {
            id: stored.id,
            characteristic: stored.incident.characteristic.to_string(),
            version: stored.incident.version,
            what: ShownIncident::of(&stored.incident),
            over: stored.incident.over,
            acknowledged: stored.work.iter().any(|work| work.kind == WorkKind::Acknowledge),
            owner: owner.map(|work| work.text.clone()),
            work: stored.work.iter().map(WorkView::of).collect(),
        }
    }
}

impl WorkView {
    fn of(work: &Work) -> WorkView {
        WorkView {
            at_ms: ms(work.at_us),
            author: work.author.clone(),
            kind: work.kind.word(),
            text: work.text.clone(),
        }
    }
}

impl ReplayView {
    /// The view of a replay.
    pub(crate) fn of(replay: &Replay) -> ReplayView {
        let point = |judged: &Judged| {
            let beside = judged.beside();
            let hits = judged.point.hits.iter().chain(beside.iter());
            (ms(judged.subgroup.start_us), hits.map(|rule| rule.name()).collect())
        };
        ReplayView {
            appear: replay.appear.iter().map(point).collect(),
            vanish: replay.vanish.iter().map(point).collect(),
            stay: replay.n_stay,
            judged: replay.n_judged,
        }
    }
}

impl ToldView {
    /// The view of a point of the record.
    pub(crate) fn of(point: StoredPoint) -> ToldView {
        ToldView {
            t: ms(point.start_us),
            rev: point.rev,
            version: point.version,
            fitness: point.fitness,
            x: point.rejected,
            n: point.size,
            z: point.z.and_then(|z| rounded(z, 3)),
            rules: point.rules,
            told_ms: ms(point.told_us),
        }
    }
}

/// The same minutes pooled in other lengths, for counts.
pub(crate) fn lengths(characteristic: &Characteristic, minutes: &[Minute]) -> Vec<LengthView> {
    if !characteristic.kind.counts() {
        return Vec::new();
    }
    let single = subgroups(&characteristic.with_subgroup(1), minutes, &[]);
    let counts: Vec<Option<(u64, u64)>> =
        single.iter().map(|s| s.is_whole().then_some((s.count.best(), s.size.best()))).collect();
    let round = |x: Option<f64>| x.and_then(|x| rounded(x, 2));
    let rows = by_length(&counts, &LENGTHS, &Settings::default());
    rows.iter()
        .map(|row| LengthView {
            minutes: row.length,
            n: row.subgroups,
            sigma_z_mr: round(row.dispersion.sigma_z_mr),
            sigma_z_sd: round(row.dispersion.sigma_z_sd),
            lag1: round(row.dispersion.lag1_r),
            n1_plain: row.n1_p,
            n1_prime: row.n1_p_prime,
        })
        .collect()
}
