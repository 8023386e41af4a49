//! The charts in columns: the companion, the plain chart of the same points, what stands on the axis.

use domain::quality::characteristic::{Characteristic, ChartKind};
use domain::quality::cusum::cusum;
use domain::quality::limits::Limits;
use domain::quality::stream::{ChartStream, Judged};
use domain::quality::subgroup::Subgroup;
use domain::quality::workbench::outside;
use domain::spc::chart::Point;
use domain::spc::memory::CusumPoint;
use domain::spc::rules::Hits;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Scale, ms, rounded, signals};

/// The chart beside.
#[derive(Serialize, ToSchema)]
pub(crate) struct CompanionView {
    /// `ewma`, `cusum`, `mr` or `s`.
    pub(super) name: &'static str,
    /// What is plotted; of a CUSUM the upper sum.
    pub(super) y: Vec<Option<f64>>,
    /// The lower sum of a CUSUM, with its sign; empty otherwise.
    pub(super) down: Vec<Option<f64>>,
    /// Centre line.
    cl: Option<f64>,
    /// Lower limits.
    pub(super) lcl: Vec<Option<f64>>,
    /// Upper limits.
    pub(super) ucl: Vec<Option<f64>>,
    /// Signals: position and rule.
    pub(super) sig: Vec<(usize, &'static str)>,
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

/// Something that stands on the axis of time.
#[derive(Serialize, ToSchema)]
pub(crate) struct MarkView {
    /// When, UTC milliseconds.
    t: i64,
    /// `batch` or `shift`.
    kind: &'static str,
    /// Which.
    text: String,
}

/// The subgroup that is still filling: hollow, not judged, in no limit.
#[derive(Serialize, ToSchema)]
pub(crate) struct FillingView {
    /// Start, UTC milliseconds.
    t: i64,
    /// Capsules judged so far.
    n: u64,
    /// Rejects so far.
    x: u64,
    /// Where it stands.
    p: Option<f64>,
    /// Lower limit of its present size.
    lcl: Option<f64>,
    /// Upper limit of its present size.
    ucl: Option<f64>,
}

impl MarkView {
    /// A batch or a shift that begins.
    pub(crate) fn of(kind: &'static str, (at_us, text): (i64, &str)) -> MarkView {
        MarkView { t: ms(at_us), kind, text: text.to_owned() }
    }
}

impl FillingView {
    /// The view of a subgroup that is filling, beside these limits.
    pub(super) fn of(
        subgroup: &Subgroup,
        characteristic: &Characteristic,
        limits: Option<&Limits>,
    ) -> FillingView {
        let scale = Scale::of(characteristic.kind);
        let point = ChartStream::new(limits).preview(subgroup);
        FillingView {
            t: ms(subgroup.start_us),
            n: subgroup.size.best(),
            x: subgroup.count.best(),
            p: scale.show(point.stat),
            lcl: scale.show(point.lcl),
            ucl: scale.show(point.ucl),
        }
    }
}

impl CompanionView {
    /// Standard deviations within subgroups; none on a chart without them.
    pub(super) fn within(judged: &[Judged]) -> Option<CompanionView> {
        judged.iter().find(|j| j.within.is_some())?;
        let round = |x: Option<f64>| x.and_then(|x| rounded(x, 4));
        let column = |get: fn(&Point) -> Option<f64>| {
            judged.iter().map(|j| round(j.within.as_ref().and_then(get))).collect::<Vec<_>>()
        };
        Some(CompanionView {
            name: "s",
            y: column(|p| p.stat),
            down: Vec::new(),
            cl: judged.iter().rev().find_map(|j| round(j.within?.cl)),
            lcl: column(|p| p.lcl),
            ucl: column(|p| p.ucl),
            sig: signals(judged.iter().map(|j| j.within.map_or(Hits::NONE, |p| p.hits))),
        })
    }

    /// The companion that alarms: EWMA of z of counts, moving range of measurements.
    pub(super) fn of(judged: &[Judged], kind: ChartKind) -> CompanionView {
        // The mean of z has no unit; a moving range has that of the chart.
        let round = |x: Option<f64>| x.and_then(|x| rounded(x, 4));
        let column = |get: fn(&Point) -> Option<f64>| {
            judged.iter().map(|j| round(get(&j.companion))).collect::<Vec<_>>()
        };
        CompanionView {
            name: if kind.counts() { "ewma" } else { "mr" },
            y: column(|p| p.stat),
            down: Vec::new(),
            cl: judged.iter().rev().find_map(|j| round(j.companion.cl)),
            lcl: column(|p| p.lcl),
            ucl: column(|p| p.ucl),
            sig: signals(judged.iter().map(|j| j.companion.hits)),
        }
    }

    /// The CUSUM of z, a companion to look at.
    pub(super) fn cusum(judged: &[Judged], characteristic: &Characteristic) -> CompanionView {
        let chart = cusum(characteristic, judged);
        let round = |x: f64| rounded(x, 4);
        let column = |get: fn(&CusumPoint) -> f64| {
            let points = chart.points.iter().map(|point| point.and_then(|p| round(get(&p))));
            points.collect::<Vec<_>>()
        };
        let limit = |h: f64| chart.points.iter().map(|p| p.and_then(|_| round(h))).collect();
        let hits = chart.points.iter().map(|point| point.map_or(Hits::NONE, |point| point.hits));
        CompanionView {
            name: "cusum",
            y: column(|p| p.c_plus),
            down: column(|p| -p.c_minus),
            cl: Some(0.0),
            lcl: limit(-chart.h),
            ucl: limit(chart.h),
            sig: signals(hits),
        }
    }
}

impl PlainView {
    /// The plain chart; none where there is none.
    pub(super) fn of(judged: &[Judged], kind: ChartKind) -> Option<PlainView> {
        let chart = match kind {
            ChartKind::PPrime => "p",
            ChartKind::UPrime => "u",
            _ => return None,
        };
        let scale = Scale::of(kind);
        let outside = outside(judged);
        Some(PlainView {
            chart,
            lcl: judged.iter().map(|j| scale.show(j.plain.and_then(|p| p.lcl))).collect(),
            ucl: judged.iter().map(|j| scale.show(j.plain.and_then(|p| p.ucl))).collect(),
            signals: outside.plain,
            ours: outside.ours,
        })
    }
}
