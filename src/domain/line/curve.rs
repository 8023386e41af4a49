//! The curve of a period: what was made until each minute of it, and what the target rate asks for until then.

use crate::units::{Count, MINUTE_US};

use super::minute::{Counted, Minute};
use super::output::Stations;
use super::rollup::asked;

/// What was made until a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurvePoint {
    /// Until when, UTC microseconds.
    pub at_us: i64,
    /// Good capsules since the period began.
    pub good: Count,
}

/// What was made over a period, as a sum that grows.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Curve {
    /// Oldest first; the first is the start of the period, the others stand at the ends of minutes and of holes.
    pub points: Vec<CurvePoint>,
    /// Stretches of a minute or more of which there is no minute, start and end in UTC microseconds.
    pub holes: Vec<(i64, i64)>,
    /// Stretches of which something is not known: the holes, and minutes that were not watched all the time.
    pub unknown: Vec<(i64, i64)>,
}

impl Curve {
    /// The curve of a span, UTC microseconds, over its minutes. `gaps` are counts that are known only as a whole, with the
    /// moment at which they became known: they stand on the curve from there on. Both are oldest first.
    pub fn of(
        minutes: &[Minute],
        span: (i64, i64),
        output: &impl Stations,
        gaps: &[(i64, Count)],
    ) -> Curve {
        let mut curve = Curve::default();
        let mut gaps =
            gaps.iter().filter(|(at_us, _)| (span.0..=span.1).contains(at_us)).peekable();
        let (mut good, mut end_us) = (Count::ZERO, span.0);
        curve.points.push(CurvePoint { at_us: span.0, good });
        for minute in minutes {
            let start_us = minute.start_us.max(span.0);
            if start_us - end_us >= MINUTE_US {
                curve.holes.push((end_us, start_us));
                curve.doubt(end_us, start_us);
                curve.points.push(CurvePoint { at_us: start_us, good });
            }
            end_us = (minute.start_us + MINUTE_US).min(span.1);
            good += minute.count(output, &Counted::Good);
            while let Some((_, more)) = gaps.next_if(|(at_us, _)| *at_us <= end_us) {
                good += *more;
            }
            if minute.coverage() < 1.0 {
                curve.doubt(start_us, end_us);
            }
            curve.points.push(CurvePoint { at_us: end_us, good });
        }
        if span.1 - end_us >= MINUTE_US {
            curve.holes.push((end_us, span.1));
            curve.doubt(end_us, span.1);
        }
        curve
    }

    /// Adds a stretch that is not known to the one before, where they touch.
    fn doubt(&mut self, from_us: i64, to_us: i64) {
        match self.unknown.last_mut() {
            Some((_, end_us)) if *end_us >= from_us => *end_us = to_us,
            _ => self.unknown.push((from_us, to_us)),
        }
    }
}

/// What a target rate asks for until a moment, of a period that is watched since another one: as the figures of a shift have
/// it, in which all time is recorded from the moment when it began to be.
pub fn target_until(per_minute: u64, watched_from_us: i64, at_us: i64) -> u64 {
    asked(per_minute, (at_us - watched_from_us).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::minute::{Tally, TimeSplit};
    use crate::line::output::Output;
    use crate::units::StationId;

    fn minute(i: i64, unknown_us: i64) -> Minute {
        let station = StationId::new("CF01");
        let count = Count::between(9, 10, 12);
        Minute {
            start_us: i * MINUTE_US,
            rev: 1,
            closed: true,
            time: TimeSplit([MINUTE_US - unknown_us, 0, 0, 0, 0, unknown_us]),
            polls: 600,
            missed: 0,
            tallies: vec![Tally { station, counted: Counted::Good, count }],
            weights: Vec::new(),
        }
    }

    fn curve(minutes: &[Minute], to: i64, gaps: &[(i64, Count)]) -> Curve {
        let output = Output::one(StationId::new("CF01"));
        Curve::of(minutes, (0, to * MINUTE_US), &output, gaps)
    }

    fn sums(curve: &Curve) -> Vec<(i64, u64)> {
        curve.points.iter().map(|point| (point.at_us / MINUTE_US, point.good.best())).collect()
    }

    #[test]
    fn a_curve_stands_still_over_a_hole_and_names_it() {
        let shown = curve(&[minute(0, 0), minute(1, 0), minute(4, 0)], 6, &[]);
        assert_eq!(sums(&shown), [(0, 0), (1, 10), (2, 20), (4, 20), (5, 30)]);
        assert_eq!(shown.points[4].good, Count::between(27, 30, 36));
        assert_eq!(shown.holes, [(2 * MINUTE_US, 4 * MINUTE_US), (5 * MINUTE_US, 6 * MINUTE_US)]);
        assert_eq!(shown.unknown, shown.holes);
        assert_eq!(curve(&[], 1, &[]).holes, [(0, MINUTE_US)]);
    }

    #[test]
    fn what_was_made_in_a_gap_stands_where_it_became_known() {
        let minutes = [minute(0, 0), minute(4, 0), minute(5, 0)];
        let gap = |at: i64| (at * MINUTE_US + 1, Count::between(0, 35, 40));
        let shown = curve(&minutes, 6, &[gap(4)]);
        assert_eq!(sums(&shown), [(0, 0), (1, 10), (4, 10), (5, 55), (6, 65)]);
        assert_eq!(shown.points[3].good, Count::between(18, 55, 64));
        // One of another period is none of this.
        assert_eq!(sums(&curve(&minutes, 6, &[gap(9), gap(-1)])).last(), Some(&(6, 30)));
    }

    #[test]
    fn minutes_that_were_not_watched_throughout_are_told_with_the_holes_beside_them() {
        let minutes = [minute(0, 0), minute(1, 1), minute(2, MINUTE_US), minute(4, 0)];
        let shown = curve(&minutes, 5, &[]);
        assert_eq!(shown.unknown, [(MINUTE_US, 4 * MINUTE_US)]);
        assert_eq!(shown.holes, [(3 * MINUTE_US, 4 * MINUTE_US)]);
    }

    #[test]
    fn nothing_is_asked_of_the_time_before_a_shift_was_watched() {
        let at = |minute: i64| target_until(6_500, 10 * MINUTE_US, minute * MINUTE_US);
        assert_eq!([0, 10, 11, 70].map(at), [0, 0, 6_500, 390_000]);
    }
}
