//! A shift: its counts against its target, its hours, its rejects.

use domain::line::output::Stations;
use domain::line::status::{HourStatus, LineStatus, RejectStatus, ShiftStatus};
use domain::plc_map::Role;
use domain::quality::Chart;
use domain::quality::characteristic::{Measure, STARTUP_DISCARD};
use domain::stats::comparison::Dispersion;
use domain::stats::interval::wilson_widened;
use domain::units::{Count, MINUTE_US};
use serde::Serialize;
use utoipa::ToSchema;

use super::chart::{InForceView, PointView};
use super::oee::OeeView;
use super::{CountView, DifferenceView, ms, percent, rounded, share};
use crate::config::LineConfig;

/// A count is clearly behind when it lies more than this many percent below its target.
const BEHIND_PERCENT: u64 = 5;

/// Hours shown on the overview: a long shift of a plant without shift rules would push everything else away.
const HOURS_SHOWN: usize = 12;

/// Of the intervals of fractions.
const CONFIDENCE: f64 = 0.95;

/// A shift and how it goes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShiftView {
    /// Name.
    pub name: String,
    /// Start, UTC milliseconds.
    pub start_ms: i64,
    /// End, UTC milliseconds.
    pub end_ms: i64,
    /// Good capsules, gaps included, and in its bounds what may have been made since the machine was read; null where nothing
    /// of the shift was read.
    pub good: Option<CountView>,
    /// Part of it made while nobody looked, known only as a whole.
    pub gap: Option<CountView>,
    /// Rejects of the counting station.
    pub rejected: Option<CountView>,
    /// What the target rate asks for until now, from when the shift began to be watched.
    pub target_now: u64,
    /// Good less target until now.
    pub difference: Option<DifferenceView>,
    /// On which side of the target the truth lies: `ahead`, `behind`, `level`, or `undecided` where it can be either; null where
    /// nothing of the shift was read.
    pub side: Option<&'static str>,
    /// Whether even the most that the truth can be lies clearly below the target.
    pub behind: bool,
    /// What the target rate asks for until the end.
    pub plan: u64,
    /// Good in percent of the plan, one decimal.
    pub plan_percent: Option<f64>,
    /// Expected at the end if the last 15 minutes go on; null while the machine is not read.
    pub forecast: Option<u64>,
    /// OEE so far; null where nothing of the shift was read, nothing was planned, or set-up is not known.
    pub oee: Option<OeeView>,
    /// Whether it is known how much of the planned time was set-up: of a past moment that may not be so.
    pub setup_known: bool,
    /// Milliseconds of the shift so far by class, in the order run, internal, external, planned, idle, unknown.
    pub time_ms: [i64; 6],
    /// Share of the passed shift that is known, percent, one decimal. What was before the service ran is not.
    pub known_percent: Option<f64>,
    /// Since when the shift is watched, UTC milliseconds.
    pub watched_from_ms: i64,
    /// How much of the shift lies before that, milliseconds.
    pub unwatched_ms: i64,
    /// Machines, and ways between two of them, at which the counts of the shift contradict each other: output, rejects and OEE
    /// cannot all be right then. Left out where they do not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unbalanced: Vec<Vec<String>>,
}

impl ShiftView {
    pub(super) fn of(shift: &ShiftStatus) -> ShiftView {
        let target_now = shift.target_now;
        let good = Some(shift.good).filter(|_| shift.read);
        ShiftView {
            name: shift.name.to_string(),
            start_ms: ms(shift.start_us),
            end_ms: ms(shift.end_us),
            good: good.map(CountView::from),
            gap: good.map(|_| shift.gap.into()),
            rejected: good.map(|_| shift.rejected.into()),
            target_now,
            difference: good.map(|good| DifferenceView::of(good, target_now)),
            side: good.map(|good| side(good, target_now)),
            behind: good.is_some_and(|good| behind(good, target_now)),
            plan: shift.plan,
            plan_percent: good.and_then(|good| percent(good.best(), shift.plan, 1)),
            forecast: shift.forecast.filter(|_| shift.read),
            oee: OeeView::of(shift),
            setup_known: shift.setup_known,
            time_ms: shift.time.0.map(ms),
            known_percent: shift.coverage.map(share),
            watched_from_ms: ms(shift.watched_from_us),
            unwatched_ms: ms((shift.watched_from_us - shift.start_us).max(0)),
            unbalanced: shift.unbalanced.clone(),
        }
    }
}

/// Reject fraction of the counting station.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RejectFractionView {
    /// Rejects of the shift; null where nothing of the shift was read.
    pub rejected: Option<CountView>,
    /// Judged capsules of the shift: good and rejected.
    pub total: Option<CountView>,
    /// Percent of the shift, three decimals.
    pub percent: Option<f64>,
    /// Whether the rejects of the shift include what is ejected after each start, whatever its quality. The chart has a setting
    /// of its own for that.
    pub with_startup: bool,
    /// The latest whole subgroup of the chart against the limits in force.
    pub recent: Option<PointView>,
    /// Minutes in a subgroup of that chart; null where there is none.
    pub subgroup_minutes: Option<u32>,
    /// The limits in force.
    pub limits: Option<InForceView>,
}

impl RejectFractionView {
    pub(super) fn of(config: &LineConfig, shift: Option<&ShiftStatus>) -> RejectFractionView {
        let shift = shift.filter(|shift| shift.read);
        let total = shift.map(|shift| shift.rejected + shift.good);
        let best = shift.zip(total).map(|(shift, total)| (shift.rejected.best(), total.best()));
        let maps = config.devices.iter().map(|device| &device.map);
        let mut counting = maps.filter(|map| config.output.has(&map.station));
        let is_discard = |role: &Role| matches!(role, Role::Reject(reason) if reason.as_str() == STARTUP_DISCARD);
        RejectFractionView {
            rejected: shift.map(|shift| shift.rejected.into()),
            total: total.map(CountView::from),
            percent: best.and_then(|(rejected, total)| percent(rejected, total, 3)),
            with_startup: counting.any(|map| map.tags.iter().any(|tag| is_discard(&tag.role))),
            recent: None,
            subgroup_minutes: None,
            limits: None,
        }
    }

    /// The same with the chart of it.
    pub(super) fn charted(self, chart: Option<&Chart>) -> RejectFractionView {
        let whole = |chart: &Chart| {
            let last = chart.judged.iter().rev().find(|judged| judged.subgroup.is_whole());
            last.map(PointView::of)
        };
        RejectFractionView {
            recent: chart.and_then(whole),
            subgroup_minutes: chart.map(|chart| chart.characteristic.subgroup_minutes),
            limits: chart.and_then(|chart| chart.limits.as_ref()).map(InForceView::of),
            ..self
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
    /// 95 % Wilson interval in percent, three decimals; widened by `sigma_z` where that is told.
    pub wilson: Option<[f64; 2]>,
    /// Laney's σz of the limits in force by which the interval is widened, two decimals; null where it is of chance alone.
    pub sigma_z: Option<f64>,
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
            sigma_z: None,
        }
    }

    /// The same with an interval as wide as its control chart has seen it vary: one of chance alone would promise what the next
    /// hour breaks.
    pub(super) fn spread(&self, spread: &[(Measure, Dispersion)]) -> RejectView {
        let own = |measure: &Measure| match measure {
            Measure::Reject { station, reason } => {
                *self.station == *station.as_str() && *self.reason == *reason.as_str()
            }
            _ => false,
        };
        let found = spread.iter().find(|(measure, _)| own(measure)).map(|(_, found)| *found);
        let Some(found) = found.filter(|found| found.ratio > 1.0) else { return self.clone() };
        let widened = wilson_widened(self.rejected.best, self.total.best, CONFIDENCE, Some(found));
        let bound = |p: f64| rounded(p * 100.0, 3).unwrap_or(0.0);
        RejectView {
            wilson: widened.map(|(low, high)| [bound(low), bound(high)]),
            sigma_z: rounded(found.ratio.sqrt(), 2),
            ..self.clone()
        }
    }
}

/// One hour of the hour board.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HourView {
    /// Start, UTC milliseconds.
    pub start_ms: i64,
    /// Good capsules, the hour's part of gaps included, and in its bounds what may have been made since the machine was read;
    /// null where nothing of the hour was read.
    pub good: Option<CountView>,
    /// Those of gaps alone; none in an hour without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<CountView>,
    /// Whether anything of it is recorded. Of an hour before, nobody knows anything.
    pub watched: bool,
    /// What the target rate asks for in the part that is recorded.
    pub target: u64,
    /// Good less target.
    pub difference: Option<DifferenceView>,
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
    pub(super) fn of(hour: &HourStatus, status: &LineStatus) -> HourView {
        let target = hour.target;
        let good = Some(hour.good + hour.gap).filter(|_| hour.read);
        let rate = status.target_per_minute as f64 / MINUTE_US as f64;
        let passed_us = (status.at.utc_us.min(hour.end_us) - hour.start_us).max(0) as f64;
        // Never negative: a coverage is a share of one. Halves of a capsule are rounded away.
        let at_target = |us: f64| (us * rate).round() as u64;
        HourView {
            start_ms: ms(hour.start_us),
            good: good.map(CountView::from),
            gap: (!hour.gap.is_zero()).then(|| hour.gap.into()),
            counted: (!hour.gap.is_zero()).then(|| hour.good.best()),
            unknown: (hour.coverage < 1.0)
                .then(|| at_target(passed_us * (1.0 - hour.coverage.max(0.0)))),
            watched: hour.watched,
            target,
            difference: good.map(|good| DifferenceView::of(good, target)),
            behind: good.is_some_and(|good| behind(good, target)),
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

/// On which side of its target a count lies, whatever the truth is.
fn side(count: Count, target: u64) -> &'static str {
    match (count.low(), count.high()) {
        (low, high) if low == target && high == target => "level",
        (low, _) if low >= target => "ahead",
        (_, high) if high <= target => "behind",
        _ => "undecided",
    }
}
