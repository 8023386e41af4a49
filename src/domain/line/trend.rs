//! The course of one tag in steps of equal length: between which values it lay, its mean over the time in which it was
//! read, and when it was not.
//!
//! A value holds from its reading to the next one of its group, because a device that tells changes only says so by
//! saying nothing new. So it does over single missed polls, as a counter counts over them. A longer silence ends that: until
//! the next reading nothing is known.

use crate::reading::{Outcome, Quality, Snapshot};
use crate::units::{MINUTE_US, SECOND_US};

/// Polls that may be missing, as many as a device may miss before it counts as silent.
const PERIODS: i64 = 2;

/// What a tag was in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrendStep {
    /// Start, UTC microseconds.
    pub start_us: i64,
    /// How much of it the tag was read, in microseconds.
    pub known_us: i64,
    /// Least value; none where it was not read.
    pub low: Option<f64>,
    /// Greatest value.
    pub high: Option<f64>,
    /// Mean over the time in which it was read.
    pub mean: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    known_us: i64,
    /// Value times microseconds.
    area: f64,
    bounds: Option<(f64, f64)>,
    last: Option<f64>,
}

impl Sum {
    fn sees(&mut self, value: f64) {
        let (low, high) = self.bounds.unwrap_or((value, value));
        self.bounds = Some((low.min(value), high.max(value)));
        self.last = Some(value);
    }
}

/// Makes the course of a tag out of snapshots of its group, in their order.
#[derive(Clone, Debug)]
pub struct TagTrend {
    span: (i64, i64),
    step_us: i64,
    period_us: i64,
    patience_us: i64,
    held: Option<f64>,
    heard_us: Option<i64>,
    known_to_us: i64,
    gaps: Vec<(i64, i64)>,
    sums: Vec<Sum>,
}

impl TagTrend {
    /// So long before a span its readings are taken too, so that a value that was told there is known from its beginning.
    pub const LEAD_US: i64 = MINUTE_US;

    /// Of `[from_us, to_us)` in steps of `step_us`, both in UTC microseconds; `from_us` is the start of a step. `period_us`
    /// is that of the tag's group and `patience_us` how long a silence may last beside some polls, both on the clock of the
    /// snapshots; `held` is the value from before all of them where one is known.
    pub fn new(
        span: (i64, i64),
        step_us: i64,
        (period_us, patience_us): (i64, i64),
        held: Option<f64>,
    ) -> TagTrend {
        let step_us = step_us.max(1);
        let steps = ((span.1 - span.0).max(0) + step_us - 1) / step_us;
        TagTrend {
            span,
            step_us,
            period_us: period_us.max(1),
            patience_us,
            held,
            heard_us: None,
            known_to_us: span.0,
            gaps: Vec::new(),
            sums: vec![Sum::default(); usize::try_from(steps).unwrap_or(0)],
        }
    }

    /// Takes the next snapshot of the tag's group. `value` tells the value of a reading that is of use.
    pub fn take(&mut self, snapshot: &Snapshot, tag: u16, value: impl Fn(f64) -> f64) {
        let at_us = snapshot.taken_at.utc_us;
        // What is missed shows in how long it takes to the next one that is not.
        let Outcome::Taken(readings) = &snapshot.outcome else { return };
        let polls = i64::from(snapshot.polls.max(1));
        let most_us = (polls + PERIODS).saturating_mul(self.period_us);
        let most_us = most_us.saturating_add(self.patience_us);
        let since_us = match self.heard_us {
            Some(heard_us) if at_us - heard_us <= most_us => heard_us,
            // Device or service were silent: nobody knows what the value was meanwhile.
            Some(_) => {
                self.held = None;
                at_us
            }
            None => at_us - self.period_us,
        };
        self.hold(since_us, at_us);
        self.heard_us = Some(at_us);
        for reading in readings.iter().filter(|reading| reading.tag == tag) {
            let good = reading.value.as_f64().filter(|_| reading.quality != Quality::Bad);
            self.held = good.filter(|raw| raw.is_finite()).map(&value);
            if let (Some(value), Some(sum)) = (self.held, self.sum_at(at_us)) {
                sum.sees(value);
            }
        }
    }

    /// Steps of the span, oldest first.
    pub fn steps(&self) -> impl Iterator<Item = TrendStep> + '_ {
        self.sums.iter().zip(0..).map(|(sum, i): (&Sum, i64)| TrendStep {
            start_us: self.span.0 + i * self.step_us,
            known_us: sum.known_us,
            low: sum.bounds.map(|(low, _)| low),
            high: sum.bounds.map(|(_, high)| high),
            mean: if sum.known_us > 0 { Some(sum.area / sum.known_us as f64) } else { sum.last },
        })
    }

    /// Spells of the span of a second and more in which the tag was not read, oldest first, in UTC microseconds.
    pub fn gaps(&self) -> Vec<(i64, i64)> {
        let end = (self.known_to_us, self.span.1);
        let all = self.gaps.iter().copied().chain([end]);
        all.filter(|(from_us, to_us)| to_us - from_us >= SECOND_US).collect()
    }

    /// Whether any snapshot of the group came at all.
    pub fn was_heard(&self) -> bool {
        self.heard_us.is_some()
    }

    fn sum_at(&mut self, us: i64) -> Option<&mut Sum> {
        let i = usize::try_from((us - self.span.0).div_euclid(self.step_us)).ok()?;
        self.sums.get_mut(i).filter(|_| us < self.span.1)
    }

    /// Books that the value held before stood in this time.
    fn hold(&mut self, from_us: i64, to_us: i64) {
        let Some(value) = self.held else { return };
        let (from_us, to_us) = (from_us.max(self.known_to_us), to_us.min(self.span.1));
        if from_us >= to_us {
            return;
        }
        if from_us > self.known_to_us {
            self.gaps.push((self.known_to_us, from_us));
        }
        self.known_to_us = to_us;
        let mut at_us = from_us;
        while at_us < to_us {
            let step = (at_us - self.span.0).div_euclid(self.step_us);
            let until_us = (self.span.0 + (step + 1) * self.step_us).min(to_us);
            if let Some(sum) = self.sum_at(at_us) {
                sum.known_us += until_us - at_us;
                sum.area += value * (until_us - at_us) as f64;
                sum.sees(value);
            }
            at_us = until_us;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Miss, Reading, Value};
    use crate::units::Moment;

    const S: i64 = SECOND_US;

    fn snapshot(at_s: i64, polls: u32, outcome: Outcome) -> Snapshot {
        let taken_at = Moment { utc_us: at_s * S, mono_us: at_s * S };
        Snapshot { device: 0, group: 0, taken_at, round_trip_us: 0, polls, outcome }
    }

    fn read(at_s: i64, value: f64, quality: Quality) -> Snapshot {
        let value = Value::Float(value);
        let reading = Reading { tag: 3, value, quality, status: 0, source_us: None };
        snapshot(at_s, 1, Outcome::Taken(vec![reading]))
    }

    fn of(held: Option<f64>, snapshots: impl IntoIterator<Item = Snapshot>) -> TagTrend {
        let mut trend = TagTrend::new((100 * S, 140 * S), 10 * S, (S, 2 * S), held);
        snapshots.into_iter().for_each(|snapshot| trend.take(&snapshot, 3, |raw| raw * 2.0));
        trend
    }

    fn means(trend: &TagTrend) -> Vec<Option<f64>> {
        trend.steps().map(|step| step.mean).collect()
    }

    #[test]
    fn a_step_has_its_mean_over_time_and_its_bounds() {
        let value = |s: i64| if s < 105 { 1.0 } else { 3.0 };
        let trend = of(None, (99..=140).map(|s| read(s, value(s), Quality::Good)));
        assert_eq!(means(&trend), [Some(4.0), Some(6.0), Some(6.0), Some(6.0)]);
        let first = trend.steps().next().expect("a step");
        assert_eq!((first.low, first.high, first.known_us), (Some(2.0), Some(6.0), 10 * S));
        assert_eq!(trend.gaps(), []);
    }

    #[test]
    fn what_was_missed_is_a_gap_and_no_value_is_carried_across_it() {
        let missed = |s| snapshot(s, 1, Outcome::Missed(Miss::Timeout));
        let before = (99..=110).map(|s| read(s, 1.0, Quality::Good));
        let after = (131..=140).map(|s| read(s, 5.0, Quality::Good));
        let all = || before.clone().chain((111..=130).map(missed)).chain(after.clone());
        let trend = of(None, all());
        // At 110 s it was read for the last time.
        assert_eq!(means(&trend), [Some(2.0), Some(2.0), None, Some(10.0)]);
        assert_eq!(trend.gaps(), [(110 * S, 131 * S)]);
        assert_eq!(trend.steps().last().map(|step| step.known_us), Some(9 * S));
        // The negative control: were misses no data, the value would go on over a gap that long only by being told so.
        let kept = (111..=130).map(|s| snapshot(s, 1, Outcome::Taken(Vec::new())));
        let held = of(None, before.clone().chain(kept).chain(after.clone()));
        assert_eq!((means(&held)[2], held.gaps()), (Some(2.0), vec![]));
        // A silence that nothing tells of is one of the service: it is a gap too.
        let silent = of(None, before.clone().chain(after.clone()));
        assert_eq!(silent.gaps(), [(110 * S, 131 * S)]);
        // Some polls less are none: the counter counts over them, and its rate is over that time.
        let short = (111..=113).map(missed).chain((114..=130).map(|s| read(s, 1.0, Quality::Good)));
        let short = of(None, before.chain(short).chain(after));
        assert_eq!(short.gaps(), []);
        assert_eq!(short.steps().map(|step| step.known_us).sum::<i64>(), 40 * S);
    }

    #[test]
    fn a_value_that_only_changes_are_told_of_holds_while_the_device_is_heard() {
        let alive = |s| snapshot(s, 10, Outcome::Taken(Vec::new()));
        let trend = of(Some(7.0), [100, 110, 120, 130, 140].map(alive));
        assert_eq!(means(&trend), [Some(7.0); 4]);
        assert_eq!(trend.gaps(), []);
        let unknown = of(None, [100, 110, 120, 130, 140].map(alive));
        assert_eq!((means(&unknown), unknown.gaps()), (vec![None; 4], vec![(100 * S, 140 * S)]));
        assert!(unknown.was_heard() && !of(None, []).was_heard());
    }

    #[test]
    fn a_bad_reading_ends_a_value() {
        let quality = |s: i64| if s < 110 { Quality::Good } else { Quality::Bad };
        let trend = of(None, (99..=140).map(|s| read(s, 1.0, quality(s))));
        assert_eq!(means(&trend), [Some(2.0), None, None, None]);
        assert_eq!(trend.gaps(), [(110 * S, 140 * S)]);
    }
}
