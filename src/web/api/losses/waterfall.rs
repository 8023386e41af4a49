//! From the length of a span to the time that was used: what each class of loss took.
//!
//! Stops are taken as people see them and as far as they lie in the span, so that they agree with the list of losses.
//! Speed is what remains: its loss is the running time less what the target rate would have needed for what was made in
//! it. Of what was made while nobody looked, the time at the target rate is taken off the unknown.

use domain::line::minute::Counted;
use domain::line::output::Stations;
use domain::line::rollup::Rollup;
use domain::units::{Count, MINUTE_US};
use serde::Serialize;
use utoipa::ToSchema;

use super::LossStopView;
use crate::config::LineConfig;
use crate::web::api::rejects::inside;
use crate::web::api::window::WindowView;

/// Classes of stops in the order of the waterfall, with the causes that belong to them.
const STOPS: [(&str, &[&str]); 5] = [
    ("planned", &["planned"]),
    ("failures", &["internal"]),
    ("starved", &["starved"]),
    ("blocked", &["blocked"]),
    ("external", &["external"]),
];

/// Where the time of a span went.
#[derive(Serialize, ToSchema)]
pub(crate) struct WaterfallView {
    /// Its steps, which begin with the whole span and end with the effective time.
    pub(crate) steps: Vec<StepView>,
    /// The time of its unknown parts together, that which was not recorded among them: that of their whole seconds,
    /// milliseconds.
    pub(crate) unknown_ms: i64,
    /// Whether counts are those of whole clock hours, because a border of the span lies within one.
    pub(crate) whole_hours: bool,
    /// Whether a stop began before the span.
    pub(crate) cut_before: bool,
    /// Whether a stop went on after the span, or goes on now.
    pub(crate) cut_after: bool,
}

/// A step. Losses add up to the span less the effective time.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct StepView {
    /// `span`, `not_recorded`, `planned`, `failures`, `starved`, `blocked`, `external`, `unassigned`, `micro`, `speed`,
    /// `rejects`, `unknown` or `effective`.
    pub(crate) id: &'static str,
    /// Its time, milliseconds; of a speed above the target less than nothing.
    pub(crate) ms: i64,
    /// The same in whole seconds, so rounded that these, too, add up to those of the span less the effective time.
    pub(crate) seconds: i64,
    /// The least and the most that it can be, where counts are in doubt.
    pub(crate) between_ms: Option<[i64; 2]>,
    /// Where its bar begins and ends, milliseconds of the span.
    pub(crate) bar_ms: [i64; 2],
    /// Its part of the span, percent.
    pub(crate) percent: f64,
}

/// What of a span is needed.
pub(super) struct Spent<'a> {
    pub(super) config: &'a LineConfig,
    pub(super) window: &'a WindowView,
    pub(super) recorded_from_ms: i64,
    pub(super) stops: &'a [LossStopView],
    pub(super) hours: &'a [Rollup],
}

impl Spent<'_> {
    pub(super) fn waterfall(&self) -> WaterfallView {
        let (from_ms, to_ms) = (self.window.from_ms, self.window.to_ms);
        let span_ms = to_ms - from_ms;
        let hours = inside(self.hours.to_vec(), self.window.us());
        let made = Made::of(&hours, self.config);
        let stops = |takes: &dyn Fn(&LossStopView) -> bool| -> i64 {
            self.stops.iter().filter(|stop| takes(stop)).map(|stop| stop.inside_ms).sum()
        };
        let is_micro = |stop: &LossStopView| stop.micro && stop.reason.is_empty();
        let mut steps = Steps { span_ms, left_ms: span_ms, all: Vec::new() };
        steps.whole("span", span_ms);
        let not_recorded_ms = (self.recorded_from_ms - from_ms).clamp(0, span_ms);
        steps.loss("not_recorded", not_recorded_ms, None);
        for (id, causes) in STOPS {
            steps.loss(id, stops(&|stop| causes.contains(&stop.cause) && !is_micro(stop)), None);
        }
        steps.loss("unassigned", stops(&|stop| stop.cause == "unknown" && !is_micro(stop)), None);
        steps.loss("micro", stops(&is_micro), None);
        let unseen_ms = stops(&|stop| stop.cause == "no_signal" && !is_micro(stop));
        // All that is not a stop and not unseen ran.
        let run_ms = steps.left_ms - unseen_ms;
        let rate = self.config.target_per_minute;
        let at_target = |count: u64| target_ms(count, rate);
        let seen = |all: u64, gap: u64| at_target(all.saturating_sub(gap));
        let (all, gap, rejected) = (made.all, made.gap, made.rejected);
        let speed_ms = run_ms - seen(all.best(), gap.best());
        let speed_between =
            [run_ms - seen(all.high(), gap.low()), run_ms - seen(all.low(), gap.high())];
        steps.loss("speed", speed_ms, Some(speed_between));
        let bounds = |count: Count| Some([at_target(count.low()), at_target(count.high())]);
        let rejected_ms = at_target(rejected.best());
        steps.loss("rejects", rejected_ms, bounds(rejected));
        // The rest of what was unseen: whole milliseconds are lost in no rounding.
        let effective_ms = at_target(all.best()) - rejected_ms;
        let unknown_ms = steps.left_ms - effective_ms;
        let unknown_between = [unseen_ms - at_target(gap.high()), unseen_ms - at_target(gap.low())];
        steps.loss("unknown", unknown_ms, Some(unknown_between));
        steps.rest("effective", bounds(made.good));
        let unknown = steps.all.iter().filter(|step| matches!(step.id, "unknown" | "not_recorded"));
        let unknown_s: i64 = unknown.map(|step| step.seconds).sum();
        WaterfallView {
            unknown_ms: unknown_s * 1_000,
            steps: steps.all,
            whole_hours: !tiles(&hours, self.window.us()),
            cut_before: self.stops.iter().any(|stop| stop.cut_before),
            cut_after: self.stops.iter().any(|stop| stop.cut_after || stop.to_ms.is_none()),
        }
    }
}

/// Whether hours cover what is recorded of a span and no more.
pub(in crate::web::api) fn tiles(hours: &[Rollup], (from_us, to_us): (i64, i64)) -> bool {
    hours.iter().all(|hour| {
        let ends = hour.end_us.is_none_or(|end_us| end_us <= to_us || !hour.closed);
        hour.start_us >= from_us && ends
    })
}

/// What the line made.
struct Made {
    /// Good capsules and samples, which are good.
    good: Count,
    rejected: Count,
    all: Count,
    /// All of these that are known for gaps only as a whole.
    gap: Count,
}

impl Made {
    fn of(hours: &[Rollup], config: &LineConfig) -> Made {
        let output = &config.output;
        let of = |counted: Counted| -> Count {
            hours.iter().map(|hour| hour.count(output, &counted)).sum()
        };
        let good = of(Counted::Good) + of(Counted::Sample);
        let rejected = hours.iter().map(|hour| hour.rejected(output)).sum();
        let leaves = |counted: &Counted| {
            matches!(counted, Counted::Good | Counted::Sample | Counted::Reject(_))
        };
        let gaps = hours.iter().flat_map(|hour| &hour.gaps);
        let gaps = gaps.filter(|gap| output.has(&gap.station) && leaves(&gap.counted));
        Made { good, rejected, all: good + rejected, gap: gaps.map(|gap| gap.count).sum() }
    }
}

/// How long the target rate takes for so many capsules, milliseconds.
fn target_ms(count: u64, per_minute: u64) -> i64 {
    let ms = u128::from(count) * (MINUTE_US / 1_000) as u128 / u128::from(per_minute.max(1));
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Whether a step is no loss.
fn is_whole(id: &str) -> bool {
    matches!(id, "span" | "effective")
}

struct Steps {
    span_ms: i64,
    /// What is left of the span after the steps so far.
    left_ms: i64,
    all: Vec<StepView>,
}

impl Steps {
    fn push(&mut self, id: &'static str, ms: i64, between: Option<[i64; 2]>, bar_ms: [i64; 2]) {
        // What is left is cut to whole seconds, and a loss is what lies between two such rests: rests of a second are
        // carried on and never lost.
        let (before, after) =
            if is_whole(id) { (ms, 0) } else { (self.left_ms, self.left_ms - ms) };
        let seconds = before.div_euclid(1_000) - after.div_euclid(1_000);
        let percent = ms as f64 / self.span_ms.max(1) as f64 * 100.0;
        self.all.push(StepView {
            id,
            ms,
            seconds,
            between_ms: between.filter(|[low, high]| low != high),
            bar_ms,
            percent: (percent * 10.0).round() / 10.0,
        });
    }

    fn whole(&mut self, id: &'static str, ms: i64) {
        self.push(id, ms, None, [0, ms]);
    }

    fn loss(&mut self, id: &'static str, ms: i64, between: Option<[i64; 2]>) {
        let left_ms = self.left_ms - ms;
        self.push(id, ms, between, [left_ms.min(self.left_ms), left_ms.max(self.left_ms)]);
        self.left_ms = left_ms;
    }

    fn rest(&mut self, id: &'static str, between: Option<[i64; 2]>) {
        self.push(id, self.left_ms, between, [0, self.left_ms]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each step cut to seconds by itself would leave three of them out.
    #[test]
    fn steps_add_up_in_whole_seconds_too() {
        let mut steps = Steps { span_ms: 60_000, left_ms: 60_000, all: Vec::new() };
        steps.whole("span", 60_000);
        for (id, ms) in [("planned", 10_900), ("failures", 5_900), ("starved", 900), ("micro", 0)] {
            steps.loss(id, ms, None);
        }
        // Faster than the target.
        steps.loss("speed", -1_400, None);
        steps.rest("effective", None);
        let seconds: Vec<(&str, i64)> =
            steps.all.iter().map(|step| (step.id, step.seconds)).collect();
        let (losses, wholes): (Vec<_>, Vec<_>) =
            seconds.iter().copied().partition(|(id, _)| !is_whole(id));
        let sum: i64 = losses.iter().map(|(_, seconds)| seconds).sum();
        assert_eq!(wholes, [("span", 60), ("effective", 43)], "{seconds:?}");
        assert_eq!(60 - sum, 43, "{seconds:?}");
        for step in &steps.all {
            assert!((step.seconds * 1_000 - step.ms).abs() < 1_000, "{step:?}");
        }
        assert!(losses.contains(&("micro", 0)), "{seconds:?}");
        let cut: i64 = steps.all[1..6].iter().map(|step| step.ms / 1_000).sum();
        assert_ne!(60 - cut, 43, "the negative control");
    }
}
