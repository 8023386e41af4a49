//! What the workbench gets: columns already in the unit of the chart and rounded. Nothing is estimated or judged here.

mod columns;
mod evidence;
mod file;
mod histogram;
mod incidents;
mod limits;

use domain::audit::Signature;
use domain::quality::characteristic::{Characteristic, ChartKind, Measure};
use domain::quality::limits::Limits;
use domain::quality::record::StoredIncident;
use domain::quality::stream::{Judged, display_factor};
use domain::quality::subgroup::Subgroup;
use domain::quality::weights::WeightHistogram;
use domain::quality::workbench::Evaluation;
use domain::spc::chart::Point;
use domain::spc::rules::{Hits, RuleId};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use columns::MarkView;
use columns::{CompanionView, FillingView, PlainView};
use evidence::{BudgetView, CapabilityView, GateView, IndicesView, RuleView, rules};
pub(crate) use evidence::{LengthView, lengths};
use histogram::HistogramView;
use incidents::ShownIncident;
pub(crate) use incidents::{IncidentView, ToldView};
use limits::FittedView;
pub(crate) use limits::{LimitsView, ReplayView, SignatureView};

use crate::web::view::{ms, rounded};

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
    /// What is counted where that is no capsule, in the word of the map, such as `bottles`; null for capsules.
    counted_in: Option<String>,
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
    /// Capsules judged, or what is counted instead.
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
    /// Where the weights lie beside their tolerance; none for anything but weights.
    histogram: Option<HistogramView>,
    /// What each rule says, for those that can signal here.
    rules: Vec<RuleView>,
    /// Whether these rules were chosen for this look; the record is judged by those of its limits.
    rules_chosen: bool,
    /// Batches and shifts that begin in the span, oldest first.
    marks: Vec<MarkView>,
    /// The subgroup that is still filling, none when the span ends before it.
    filling: Option<FillingView>,
    /// Incidents of the span as the shown limits give them.
    shown_incidents: Vec<ShownIncident>,
    /// Incidents of the record, newest first, with the work on them.
    incidents: Vec<IncidentView>,
    /// The same minutes in subgroups of other lengths; empty for measurements and long spans.
    lengths: Vec<LengthView>,
}

impl WorkbenchView {
    /// With the signatures under decisions about its limits.
    pub(crate) fn signed(self, characteristic: &str, signatures: &[Signature]) -> WorkbenchView {
        let sign = |limits: LimitsView| limits.signed(characteristic, signatures);
        WorkbenchView {
            limits: self.limits.map(sign),
            versions: self.versions.into_iter().map(sign).collect(),
            ..self
        }
    }
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
            counted_in: characteristic.units.unit().map(str::to_owned),
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
    /// Rules that were chosen for this look instead of those of the limits.
    pub(crate) rules: Option<&'a [RuleId]>,
    /// Whether the companion is the CUSUM.
    pub(crate) cusum: bool,
    pub(crate) marks: Vec<MarkView>,
    pub(crate) filling: Option<&'a Subgroup>,
    pub(crate) histogram: Option<WeightHistogram>,
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
            companion: match shown.cusum {
                true => CompanionView::cusum(judged, characteristic),
                false => CompanionView::of(judged, characteristic.kind),
            },
            within: CompanionView::within(judged),
            plain: PlainView::of(judged, characteristic.kind),
            by: shown.by,
            limits: shown.limits.map(LimitsView::of),
            versions: shown.versions.iter().map(LimitsView::of).collect(),
            fitted: FittedView::of(&evaluation.fitted, evaluation.n_left_out(), &scale),
            budget: BudgetView::of(&budget),
            gate: GateView::of(evaluation.gate()),
            capability: evaluation.capability().as_ref().map(CapabilityView::of),
            indices: IndicesView::of(evaluation, characteristic),
            histogram: shown
                .histogram
                .as_ref()
                .and_then(|found| HistogramView::of(found, &characteristic.tolerance)),
            rules: rules(configured, shown.rules.unwrap_or(&configured.rules)),
            rules_chosen: shown.rules.is_some(),
            marks: shown.marks,
            filling: shown
                .filling
                .map(|filling| FillingView::of(filling, characteristic, shown.limits)),
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
