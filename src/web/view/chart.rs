//! What changes once a minute: the trend of the output and the chart of the reject fraction.

use domain::line::event::{Event, EventKind};
use domain::line::status::{LineStatus, TrendPoint};
use domain::quality::limits::{Limits, LimitsLaw, Verdict};
use domain::quality::stream::Judged;
use domain::quality::workbench::outside;
use domain::quality::{Chart, Overview};
use domain::units::{Count, HOUR_US};
use serde::Serialize;
use utoipa::ToSchema;

use super::{hundredfold, ms, percent, rounded, share};
use crate::config::LineConfig;

/// What changes once a minute: event `charts` of the stream and answer of the charts route.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChartsView {
    /// Which line.
    pub line: String,
    /// The last 60 closed minutes.
    pub trend: TrendView,
    /// Stops that ended within the trend, oldest first.
    pub stops: Vec<StopView>,
    /// The chart of the reject fraction under its limits in force; null where the line charts none, and until it was made.
    pub reject_fraction: Option<ChartView>,
}

impl ChartsView {
    /// What changes once a minute, empty before the first status. `stored` are the stops of the record; the latest
    /// may not be in it yet.
    pub fn new(
        config: &LineConfig,
        status: Option<&LineStatus>,
        charts: Option<&Overview>,
        stored: &[Event],
    ) -> ChartsView {
        let chart = charts.and_then(|charts| charts.reject_fraction.as_ref());
        let reject_fraction = chart.map(ChartView::of);
        let Some(status) = status else {
            let (line, trend) = (config.id.to_string(), TrendView::default());
            return ChartsView { line, trend, stops: Vec::new(), reject_fraction };
        };
        let from_us = trend_start_us(status);
        let ended = stored.iter().chain(&status.events);
        let mut stops: Vec<StopView> =
            ended.filter(|event| event.at_us > from_us).filter_map(StopView::of).collect();
        stops.sort_by_key(|stop| (stop.from_ms, stop.to_ms));
        stops.dedup();
        ChartsView {
            line: status.line.to_string(),
            trend: TrendView::of(&status.trend),
            stops,
            reject_fraction,
        }
    }
}

/// Start of the trend of a status, UTC microseconds.
pub(crate) fn trend_start_us(status: &LineStatus) -> i64 {
    status.trend.first().map_or(status.at.utc_us, |point| point.start_us)
}

/// A stop that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StopView {
    /// Start, UTC milliseconds.
    pub from_ms: i64,
    /// End, UTC milliseconds.
    pub to_ms: i64,
    /// What its time counts as: `internal`, `external`, `planned`, `idle`.
    pub class: String,
}

impl StopView {
    pub(super) fn of(event: &Event) -> Option<StopView> {
        let from_us = event.from_us.filter(|_| event.kind == EventKind::Stop)?;
        let (from_ms, to_ms) = (ms(from_us), ms(event.at_us));
        Some(StopView { from_ms, to_ms, class: event.word.clone() })
    }
}

/// Minutes of the trend in columns, oldest first.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct TrendView {
    /// Starts, UTC milliseconds.
    pub start_ms: Vec<i64>,
    /// Good capsules, none if the minute was not watched.
    pub best: Vec<Option<u64>>,
    /// Least that the truth can be.
    pub low: Vec<Option<u64>>,
    /// Most that the truth can be.
    pub high: Vec<Option<u64>>,
    /// Known share of the minute, percent.
    pub known_percent: Vec<f64>,
    /// Rejects in percent of all that was judged, four decimals, without what is ejected after a start whatever its quality;
    /// none where nothing was judged.
    pub reject_percent: Vec<Option<f64>>,
}

impl TrendView {
    pub(super) fn of(trend: &[TrendPoint]) -> TrendView {
        let good = |pick: fn(Count) -> u64| trend.iter().map(|p| p.good.map(pick)).collect();
        TrendView {
            start_ms: trend.iter().map(|point| ms(point.start_us)).collect(),
            best: good(Count::best),
            low: good(Count::low),
            high: good(Count::high),
            known_percent: trend.iter().map(|point| share(point.coverage)).collect(),
            reject_percent: trend.iter().map(reject_percent).collect(),
        }
    }
}

fn reject_percent(point: &TrendPoint) -> Option<f64> {
    let (rejected, good) = (point.rejected?.best(), point.good?.best());
    percent(rejected, rejected.saturating_add(good), 4)
}

/// The chart of the reject fraction under its limits in force. All fractions are percent, four decimals.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChartView {
    /// What is charted.
    pub characteristic: String,
    /// `p_prime` or `p`.
    pub kind: &'static str,
    /// Minutes in a subgroup.
    pub subgroup_minutes: u32,
    /// Whether what is ejected after each start, whatever its quality, counts as rejected.
    pub startup_discards: bool,
    /// Subgroups, oldest first.
    pub points: Vec<PointView>,
    /// The limits in force; null while there are none: then nothing is judged.
    pub limits: Option<InForceView>,
    /// Whole subgroups on the chart.
    pub n_whole: usize,
    /// Points at which a rule is complete.
    pub signals: usize,
    /// The same by rule, in the order in which they first appear: rule and points.
    pub by_rule: Vec<(&'static str, usize)>,
    /// Judged points outside the limits of a plain p chart, on either side, to compare.
    pub plain_signals: usize,
    /// Points judged.
    pub n_judged: usize,
    /// Hours from the first subgroup to the end of the last one, one decimal.
    pub span_hours: f64,
}

/// The limits in force.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct InForceView {
    /// Version.
    pub version: u32,
    /// `approved`, or `provisional` as long as nobody approved any.
    pub state: &'static str,
    /// Whole subgroups that they rest on.
    pub subgroups: usize,
    /// Centre line.
    pub center: Option<f64>,
    /// Laney's σz, two decimals.
    pub sigma_z: Option<f64>,
}

impl InForceView {
    pub(super) fn of(limits: &Limits) -> InForceView {
        let (center, sigma_z) = match limits.law {
            LimitsLaw::Rate { center, sigma_z } => (hundredfold(center), rounded(sigma_z, 2)),
            LimitsLaw::Individuals { .. } | LimitsLaw::ThreeWay { .. } => (None, None),
        };
        let verdict = limits.decision.as_ref().map(|decision| decision.verdict);
        InForceView {
            version: limits.version,
            state: verdict.unwrap_or(Verdict::Provisional).word(),
            subgroups: limits.baseline.n_used,
            center,
            sigma_z,
        }
    }
}

impl ChartView {
    /// The view of a chart.
    pub fn of(chart: &Chart) -> ChartView {
        let outside = outside(&chart.judged);
        let starts = || chart.judged.iter().map(|judged| judged.subgroup.start_us);
        let span_us = starts()
            .next()
            .zip(starts().next_back())
            .map_or(0, |(first, last)| last - first + chart.characteristic.subgroup_us());
        let points: Vec<PointView> = chart.judged.iter().map(PointView::of).collect();
        ChartView {
            characteristic: chart.characteristic.id.to_string(),
            kind: chart.characteristic.kind.word(),
            subgroup_minutes: chart.characteristic.subgroup_minutes,
            startup_discards: chart.characteristic.startup_discards,
            limits: chart.limits.as_ref().map(InForceView::of),
            n_whole: points.iter().filter(|point| point.complete).count(),
            signals: points.iter().filter(|point| !point.rules.is_empty()).count(),
            by_rule: by_rule(&points),
            plain_signals: outside.plain,
            n_judged: outside.n_judged,
            span_hours: rounded(span_us as f64 / HOUR_US as f64, 1).unwrap_or(0.0),
            points,
        }
    }
}

/// At how many points each rule is complete.
fn by_rule(points: &[PointView]) -> Vec<(&'static str, usize)> {
    let mut found: Vec<(&'static str, usize)> = Vec::new();
    for rule in points.iter().flat_map(|point| &point.rules) {
        match found.iter_mut().find(|(known, _)| known == rule) {
            Some((_, n)) => *n += 1,
            None => found.push((rule, 1)),
        }
    }
    found
}

/// One subgroup of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PointView {
    /// Start, UTC milliseconds.
    pub t: i64,
    /// Rejected.
    pub x: u64,
    /// Judged.
    pub n: u64,
    /// Whether it is whole: watched throughout with exact counts, and no start-up. Another one is not judged.
    pub complete: bool,
    /// Fraction.
    pub p: Option<f64>,
    /// Centre line.
    pub cl: Option<f64>,
    /// Lower limit.
    pub lcl: Option<f64>,
    /// Upper limit.
    pub ucl: Option<f64>,
    /// Upper limit of the plain p chart.
    pub ucl_p: Option<f64>,
    /// Version of the limits that judged; 0 for none.
    pub version: u32,
    /// Rules that are complete here.
    pub rules: Vec<&'static str>,
}

impl PointView {
    pub(super) fn of(judged: &Judged) -> PointView {
        let (subgroup, point) = (&judged.subgroup, &judged.point);
        let ucl_p = judged.plain.and_then(|plain| plain.ucl);
        PointView {
            t: ms(subgroup.start_us),
            x: subgroup.count.best(),
            n: subgroup.size.best(),
            complete: subgroup.is_whole(),
            p: point.stat.and_then(hundredfold),
            cl: point.cl.and_then(hundredfold),
            lcl: point.lcl.and_then(hundredfold),
            ucl: point.ucl.and_then(hundredfold),
            ucl_p: ucl_p.and_then(hundredfold),
            version: judged.version,
            rules: point.hits.iter().map(|rule| rule.name()).collect(),
        }
    }
}
