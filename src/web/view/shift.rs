//! A shift: its counts against its target, its hours, its rejects.

use domain::line::status::{HourStatus, LineStatus, RejectStatus, ShiftStatus};
use domain::quality::Chart;
use domain::units::{Count, MINUTE_US};
use serde::Serialize;
use utoipa::ToSchema;

use super::chart::PointView;
use super::{CountView, DifferenceView, hundredfold, ms, percent, rounded, share};

/// A count is clearly behind when it lies more than this many percent below its target.
const BEHIND_PERCENT: u64 = 5;

/// Hours shown on the overview: a long shift of a plant without shift rules would push everything else away.
const HOURS_SHOWN: usize = 12;

/// A shift and how it goes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShiftView {
    /// Name.
    pub name: String,
    /// Start, UTC milliseconds.
    pub start_ms: i64,
    /// End, UTC milliseconds.
    pub end_ms: i64,
    /// Good capsules, gaps included.
    pub good: CountView,
    /// Part of it made while nobody looked, known only as a whole.
    pub gap: CountView,
    /// Rejects of the counting station.
    pub rejected: CountView,
    /// What the target rate asks for until now, from when the shift began to be watched.
    pub target_now: u64,
    /// Good less target until now.
    pub difference: DifferenceView,
    /// Whether even the most that the truth can be lies clearly below the target.
    pub behind: bool,
    /// What the target rate asks for until the end.
    pub plan: u64,
    /// Good in percent of the plan, one decimal.
    pub plan_percent: Option<f64>,
    /// Expected at the end if the last 15 minutes go on.
    pub forecast: Option<u64>,
    /// Milliseconds of the shift so far by class, in the order run, internal, external, planned, idle, unknown.
    pub time_ms: [i64; 6],
    /// Share of the passed shift that is known, percent, one decimal. What was before the service ran is not.
    pub known_percent: Option<f64>,
    /// Since when the shift is watched, UTC milliseconds.
    pub watched_from_ms: i64,
}

impl ShiftView {
    pub(super) fn of(shift: &ShiftStatus) -> ShiftView {
        let target_now = shift.target_now;
        ShiftView {
            name: shift.name.to_string(),
            start_ms: ms(shift.start_us),
            end_ms: ms(shift.end_us),
            good: shift.good.into(),
            gap: shift.gap.into(),
            rejected: shift.rejected.into(),
            target_now,
            difference: DifferenceView::of(shift.good, target_now),
            behind: behind(shift.good, target_now),
            plan: shift.plan,
            plan_percent: percent(shift.good.best(), shift.plan, 1),
            forecast: shift.forecast,
            time_ms: shift.time.0.map(ms),
            known_percent: shift.coverage.map(share),
            watched_from_ms: ms(shift.watched_from_us),
        }
    }
}

/// Reject fraction of the counting station.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RejectFractionView {
    /// Rejects of the shift.
    pub rejected: CountView,
    /// Judged capsules of the shift: good and rejected.
    pub total: CountView,
    /// Percent of the shift, three decimals.
    pub percent: Option<f64>,
    /// The latest complete 15-minute subgroup against its limits.
    pub recent: Option<PointView>,
    /// Centre line of that chart, percent.
    pub center: Option<f64>,
}

impl RejectFractionView {
    pub(super) fn of(shift: Option<&ShiftStatus>, chart: Option<&Chart>) -> RejectFractionView {
        let rejected = shift.map_or(Count::ZERO, |shift| shift.rejected);
        let total = rejected + shift.map_or(Count::ZERO, |shift| shift.good);
        let recent = chart.and_then(|chart| chart.points.iter().rev().find(|p| p.complete));
        RejectFractionView {
            rejected: rejected.into(),
            total: total.into(),
            percent: percent(rejected.best(), total.best(), 3),
            recent: recent.map(PointView::of),
            center: chart.and_then(|chart| chart.center).and_then(hundredfold),
        }
    }
}

/// Rejects of one reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RejectView {
    /// Where.
    pub station: String,
    /// Why.
    pub reason: String,
    /// How many.
    pub rejected: CountView,
    /// Out of how many.
    pub total: CountView,
    /// Percent, three decimals.
    pub percent: Option<f64>,
    /// 95 % Wilson interval in percent, three decimals.
    pub wilson: Option<[f64; 2]>,
}

impl RejectView {
    pub(super) fn of(reject: &RejectStatus) -> RejectView {
        let bound = |p: f64| rounded(p * 100.0, 3).unwrap_or(0.0);
        RejectView {
            station: reject.station.to_string(),
            reason: reject.reason.to_string(),
            rejected: reject.rejected.into(),
            total: reject.total.into(),
            percent: percent(reject.rejected.best(), reject.total.best(), 3),
            wilson: reject.wilson.map(|(low, high)| [bound(low), bound(high)]),
        }
    }
}

/// One hour of the hour board.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HourView {
    /// Start, UTC milliseconds.
    pub start_ms: i64,
    /// Good capsules, the hour's part of gaps included.
    pub good: CountView,
    /// Those of gaps alone; none in an hour without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<CountView>,
    /// Whether anything of it is recorded. Of an hour before, nobody knows anything.
    pub watched: bool,
    /// What the target rate asks for in the part that is recorded.
    pub target: u64,
    /// Good less target.
    pub difference: DifferenceView,
    /// Whether even the most that the truth can be lies clearly below the target.
    pub behind: bool,
    /// Share of the passed part that is known, percent.
    pub known_percent: f64,
    /// Good capsules that were counted as they were made, without those of gaps; none in an hour without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
    /// What the target rate could have made in the part that has passed and is not known; none where all is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<u64>,
}

impl HourView {
    fn of(hour: &HourStatus, status: &LineStatus) -> HourView {
        let (good, target) = (hour.good + hour.gap, hour.target);
        let rate = status.target_per_minute as f64 / MINUTE_US as f64;
        let passed_us = (status.at.utc_us.min(hour.end_us) - hour.start_us).max(0) as f64;
        // Never negative: a coverage is a share of one. Halves of a capsule are rounded away.
        let at_target = |us: f64| (us * rate).round() as u64;
        HourView {
            start_ms: ms(hour.start_us),
            good: good.into(),
            gap: (!hour.gap.is_zero()).then(|| hour.gap.into()),
            counted: (!hour.gap.is_zero()).then(|| hour.good.best()),
            unknown: (hour.coverage < 1.0)
                .then(|| at_target(passed_us * (1.0 - hour.coverage.max(0.0)))),
            watched: hour.watched,
            target,
            difference: DifferenceView::of(good, target),
            behind: behind(good, target),
            known_percent: share(hour.coverage),
        }
    }
}

/// The last hours of a shift.
pub(super) fn last_hours(status: &LineStatus) -> Vec<HourView> {
    let hours = &status.hours[status.hours.len().saturating_sub(HOURS_SHOWN)..];
    hours.iter().map(|hour| HourView::of(hour, status)).collect()
}

pub(super) fn sorted_rejects(rejects: &[RejectStatus]) -> Vec<RejectView> {
    let mut views: Vec<RejectView> = rejects.iter().map(RejectView::of).collect();
    views.sort_by_key(|view| std::cmp::Reverse(view.rejected.best));
    views
}

/// Whether a count cannot reach its target by more than the usual play, whatever the truth is.
fn behind(count: Count, target: u64) -> bool {
    count.high().saturating_mul(100) < target.saturating_mul(100 - BEHIND_PERCENT)
}
