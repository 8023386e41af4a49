//! What changes once a minute: the trend of the output and the p′ charts.

use domain::line::event::{Event, EventKind};
use domain::line::status::{LineStatus, TrendPoint};
use domain::quality::{Chart, Point};
use domain::units::Count;
use serde::Serialize;
use utoipa::ToSchema;

use super::{hundredfold, ms, rounded, share};
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
    /// The p′ chart in 1-minute and in 15-minute subgroups.
    pub reject_fraction: Vec<ChartView>,
}

impl ChartsView {
    /// What changes once a minute, empty before the first status. `stored` are the stops of the record; the latest
    /// may not be in it yet.
    pub fn new(config: &LineConfig, status: Option<&LineStatus>, stored: &[Event]) -> ChartsView {
        let Some(status) = status else {
            let (line, trend) = (config.id.to_string(), TrendView::default());
            return ChartsView { line, trend, stops: Vec::new(), reject_fraction: Vec::new() };
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
            reject_fraction: status.charts.iter().map(ChartView::of).collect(),
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
        }
    }
}

/// A p′ chart. All fractions are percent, four decimals.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChartView {
    /// What is charted.
    pub characteristic: &'static str,
    /// Minutes in a subgroup.
    pub subgroup_minutes: u32,
    /// Subgroups, oldest first.
    pub points: Vec<PointView>,
    /// Centre line.
    pub center: Option<f64>,
    /// Laney's σz from moving ranges, two decimals.
    pub sigma_z: Option<f64>,
    /// σz from the standard deviation, two decimals.
    pub sigma_z_sd: Option<f64>,
    /// Lag-1 autocorrelation of z, two decimals.
    pub lag1: Option<f64>,
    /// `ok`, `degenerate`, `insufficient_data` or `no_data`.
    pub status: &'static str,
    /// Complete subgroups the limits rest on.
    pub baseline_points: usize,
    /// Whether the limits are provisional.
    pub provisional: bool,
    /// Points at which a rule is complete.
    pub signals: usize,
    /// Points above the upper limit of a plain p chart, to compare.
    pub plain_signals: usize,
}

impl ChartView {
    /// The view of a chart.
    pub fn of(chart: &Chart) -> ChartView {
        let above_plain = |point: &&Point| matches!((point.p, point.ucl_p), (Some(p), Some(limit)) if point.complete && p > limit);
        ChartView {
            characteristic: chart.characteristic,
            subgroup_minutes: chart.subgroup_minutes,
            points: chart.points.iter().map(PointView::of).collect(),
            center: chart.center.and_then(hundredfold),
            sigma_z: chart.sigma_z.and_then(|x| rounded(x, 2)),
            sigma_z_sd: chart.sigma_z_sd.and_then(|x| rounded(x, 2)),
            lag1: chart.lag1.and_then(|x| rounded(x, 2)),
            status: chart.status,
            baseline_points: chart.baseline_points,
            provisional: chart.provisional,
            signals: chart.points.iter().filter(|point| !point.rules.is_empty()).count(),
            plain_signals: chart.points.iter().filter(above_plain).count(),
        }
    }
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
    /// Whether it was watched throughout with exact counts.
    pub complete: bool,
    /// Fraction.
    pub p: Option<f64>,
    /// Lower limit.
    pub lcl: Option<f64>,
    /// Upper limit.
    pub ucl: Option<f64>,
    /// Upper limit of the plain p chart.
    pub ucl_p: Option<f64>,
    /// Rules that are complete here.
    pub rules: Vec<&'static str>,
}

impl PointView {
    pub(super) fn of(point: &Point) -> PointView {
        PointView {
            t: ms(point.start_us),
            x: point.rejected,
            n: point.total,
            complete: point.complete,
            p: point.p.and_then(hundredfold),
            lcl: point.lcl.and_then(hundredfold),
            ucl: point.ucl.and_then(hundredfold),
            ucl_p: point.ucl_p.and_then(hundredfold),
            rules: point.rules.clone(),
        }
    }
}
