//! Shifts of a plant in its own time zone. Days of 23 and 25 hours fall out of the zone, not out of rules of ours.

use std::sync::Arc;

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};

use crate::units::HOUR_US;

/// When people work: shift rules in local time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    zone: TimeZone,
    rules: Vec<ShiftRule>,
    breaks: Vec<ShiftRule>,
}

/// A shift as it recurs every day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftRule {
    /// Name: `A`.
    pub name: Arc<str>,
    /// Local start.
    pub start: civil::Time,
    /// Local end; not after the start means on the next day.
    pub end: civil::Time,
}

/// Seconds of a local day, as a clock shows them.
const DAY_S: i32 = 86_400;

impl ShiftRule {
    /// When both are on, on the clock of a day: the first such span. A shift that overlaps leaves it open whose a capsule is.
    pub fn overlap(&self, other: &ShiftRule) -> Option<(civil::Time, civil::Time)> {
        let (start_s, length_s) = self.span_s();
        let (other_s, other_length_s) = other.span_s();
        // How long after the start of one the other starts.
        let after_s = (other_s - start_s).rem_euclid(DAY_S);
        let before_s = (start_s - other_s).rem_euclid(DAY_S);
        if after_s < length_s {
            let end_s = length_s.min(after_s + other_length_s);
            return Some((other.start, at_second(start_s + end_s)));
        }
        if before_s < other_length_s {
            let end_s = other_length_s.min(before_s + length_s);
            return Some((self.start, at_second(other_s + end_s)));
        }
        None
    }

    /// Start on the clock of a day and length, in seconds.
    fn span_s(&self) -> (i32, i32) {
        let (start_s, end_s) = (second_of(self.start), second_of(self.end));
        let length_s = (end_s - start_s).rem_euclid(DAY_S);
        (start_s, if length_s == 0 { DAY_S } else { length_s })
    }
}

fn second_of(time: civil::Time) -> i32 {
    i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60 + i32::from(time.second())
}

fn at_second(second: i32) -> civil::Time {
    let second = second.rem_euclid(DAY_S);
    let part = |n: i32| i8::try_from(n).unwrap_or_default();
    civil::Time::new(part(second / 3_600), part(second / 60 % 60), part(second % 60), 0)
        .unwrap_or_else(|_| civil::Time::midnight())
}

/// One shift of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Name: `A`.
    pub name: Arc<str>,
    /// Start in UTC microseconds.
    pub start_us: i64,
    /// End in UTC microseconds.
    pub end_us: i64,
}

impl Calendar {
    /// A calendar; without rules every local day is one shift called `day`.
    pub fn new(zone: TimeZone, mut rules: Vec<ShiftRule>) -> Calendar {
        if rules.is_empty() {
            let midnight = civil::Time::midnight();
            rules.push(ShiftRule { name: "day".into(), start: midnight, end: midnight });
        }
        Calendar { zone, rules, breaks: Vec::new() }
    }

    /// The calendar with planned stops that recur every day: breaks, meetings, cleaning.
    #[must_use]
    pub fn with_breaks(self, breaks: Vec<ShiftRule>) -> Calendar {
        Calendar { breaks, ..self }
    }

    /// Shifts as they recur every day.
    pub fn shifts(&self) -> &[ShiftRule] {
        &self.rules
    }

    /// Planned stops as they recur every day.
    pub fn breaks(&self) -> &[ShiftRule] {
        &self.breaks
    }

    /// Spans of the clock of a day without a shift, from the end of one to the start of the next.
    pub fn gaps(&self) -> Vec<(civil::Time, civil::Time)> {
        let gap = |rule: &ShiftRule| {
            let (start_s, length_s) = rule.span_s();
            let end_s = start_s + length_s;
            let until = |other: &ShiftRule| (second_of(other.start) - end_s).rem_euclid(DAY_S);
            let next_s = self.rules.iter().map(until).min().unwrap_or(0);
            let is_on = |other: &ShiftRule| {
                let (start_s, length_s) = other.span_s();
                (end_s - start_s).rem_euclid(DAY_S) < length_s
            };
            let is_open = next_s > 0 && !self.rules.iter().any(is_on);
            is_open.then(|| (at_second(end_s), at_second(end_s + next_s)))
        };
        self.rules.iter().filter_map(gap).collect()
    }

    /// The zone of the plant.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The shift at a moment; none between shifts. Of overlapping shifts the one that started last.
    pub fn shift_at(&self, utc_us: i64) -> Option<Shift> {
        let today = self.local(utc_us)?.date();
        let days = [today.yesterday().ok(), Some(today)];
        let shifts = days
            .into_iter()
            .flatten()
            .flat_map(|day| self.rules.iter().filter_map(move |r| self.shift(r, day)));
        shifts
            .filter(|shift| shift.start_us <= utc_us && utc_us < shift.end_us)
            .max_by_key(|shift| shift.start_us)
    }

    /// Whether nothing is to be made at a moment, because of a break or because there is no shift, and until when that
    /// holds.
    pub fn planned(&self, utc_us: i64) -> (bool, i64) {
        let Some(today) = self.local(utc_us).map(|local| local.date()) else {
            return (false, utc_us.saturating_add(HOUR_US));
        };
        let (mut in_shift, mut in_break) = (false, false);
        let mut until_us = utc_us.saturating_add(24 * HOUR_US);
        let days = [today.yesterday().ok(), Some(today), today.tomorrow().ok()];
        for day in days.into_iter().flatten() {
            for (rules, inside) in [(&self.rules, &mut in_shift), (&self.breaks, &mut in_break)] {
                for span in rules.iter().filter_map(|rule| self.shift(rule, day)) {
                    *inside |= span.start_us <= utc_us && utc_us < span.end_us;
                    for border in [span.start_us, span.end_us] {
                        if border > utc_us {
                            until_us = until_us.min(border);
                        }
                    }
                }
            }
        }
        (in_break || !in_shift, until_us)
    }

    /// Planned time in a span, in microseconds.
    pub fn planned_us(&self, mut from_us: i64, to_us: i64) -> i64 {
        let mut planned_us = 0;
        while from_us < to_us {
            let (planned, until_us) = self.planned(from_us);
            let until_us = until_us.min(to_us);
            planned_us += if planned { until_us - from_us } else { 0 };
            from_us = until_us;
        }
        planned_us
    }

    /// Start of the clock hour of a moment, in UTC microseconds.
    pub fn this_hour(&self, utc_us: i64) -> i64 {
        self.next_hour(utc_us) - HOUR_US
    }

    /// Start of the clock hour after a moment, in UTC microseconds.
    pub fn next_hour(&self, utc_us: i64) -> i64 {
        let offset_us =
            self.local(utc_us).map_or(0, |local| i64::from(local.offset().seconds()) * 1_000_000);
        (utc_us + offset_us).div_euclid(HOUR_US) * HOUR_US + HOUR_US - offset_us
    }

    fn local(&self, utc_us: i64) -> Option<ZonedDateTime> {
        Some(Timestamp::from_microsecond(utc_us).ok()?.to_zoned_datetime(self.zone.clone()))
    }

    fn shift(&self, rule: &ShiftRule, day: civil::Date) -> Option<Shift> {
        let end_day = if rule.end <= rule.start { day.checked_add(1.day()).ok()? } else { day };
        let moment = |day: civil::Date, time: civil::Time| {
            // A local time that does not exist or exists twice is resolved as calendars do: forward, then first.
            Some(
                day.to_datetime(time)
                    .to_zoned_datetime(self.zone.clone())
                    .ok()?
                    .timestamp()
                    .as_microsecond(),
            )
        };
        Some(Shift {
            name: rule.name.clone(),
            start_us: moment(day, rule.start)?,
            end_us: moment(end_day, rule.end)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn calendar(zone: &str, shifts: &[(&str, i8, i8)]) -> Calendar {
        let time = |hour| civil::Time::constant(hour, 0, 0, 0);
        let rules = shifts.iter().map(|(name, start, end)| ShiftRule {
            name: (*name).into(),
            start: time(*start),
            end: time(*end),
        });
        Calendar::new(TimeZone::get(zone).expect("a zone"), rules.collect())
    }

    fn us(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time").as_microsecond()
    }

    /// Name, start and end of the shift at a moment, and its length in hours.
    fn shift(calendar: &Calendar, at: &str) -> Option<(String, String, String, i64)> {
        let shift = calendar.shift_at(us(at))?;
        let text = |us| Timestamp::from_microsecond(us).expect("a time").to_string();
        let hours = (shift.end_us - shift.start_us) / HOUR_US;
        Some((shift.name.to_string(), text(shift.start_us), text(shift.end_us), hours))
    }

    fn found(
        name: &str,
        start: &str,
        end: &str,
        hours: i64,
    ) -> Option<(String, String, String, i64)> {
        Some((name.into(), start.into(), end.into(), hours))
    }

    const TWO: &[(&str, i8, i8)] = &[("A", 8, 20), ("B", 20, 8)];

    #[test]
    fn a_shift_across_midnight_belongs_to_the_day_it_began_on() {
        let shanghai = calendar("Asia/Shanghai", TWO);
        let night = found("B", "2026-03-01T12:00:00Z", "2026-03-02T00:00:00Z", 12);
        assert_eq!(shift(&shanghai, "2026-03-01T12:00:00Z"), night);
        assert_eq!(shift(&shanghai, "2026-03-01T23:59:59.999999Z"), night);
        let day = found("A", "2026-03-02T00:00:00Z", "2026-03-02T12:00:00Z", 12);
        assert_eq!(shift(&shanghai, "2026-03-02T00:00:00Z"), day);
    }

    #[test]
    fn days_of_23_and_25_hours_come_from_the_zone() {
        // Europe/Berlin 2026: forward on 29 March at 01:00Z, back on 25 October at 01:00Z.
        let days = calendar("Europe/Berlin", &[]);
        assert_eq!(
            shift(&days, "2026-03-29T12:00:00Z"),
            found("day", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23)
        );
        assert_eq!(
            shift(&days, "2026-10-25T12:00:00Z"),
            found("day", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 25)
        );
        let shifts = calendar("Europe/Berlin", TWO);
        assert_eq!(
            shift(&shifts, "2026-03-29T02:00:00Z"),
            found("B", "2026-03-28T19:00:00Z", "2026-03-29T06:00:00Z", 11)
        );
        assert_eq!(
            shift(&shifts, "2026-10-25T02:00:00Z"),
            found("B", "2026-10-24T18:00:00Z", "2026-10-25T07:00:00Z", 13)
        );
        // Shanghai has had no summer time since 1991.
        let shanghai = calendar("Asia/Shanghai", &[]);
        assert_eq!(
            shift(&shanghai, "2026-03-29T12:00:00Z"),
            found("day", "2026-03-28T16:00:00Z", "2026-03-29T16:00:00Z", 24)
        );
    }

    #[test]
    fn a_shift_that_starts_in_the_missing_hour_starts_when_it_is_over() {
        let berlin = calendar("Europe/Berlin", &[("N", 2, 10)]);
        assert_eq!(
            shift(&berlin, "2026-03-29T05:00:00Z"),
            found("N", "2026-03-29T01:00:00Z", "2026-03-29T08:00:00Z", 7)
        );
    }

    #[test]
    fn between_shifts_there_is_none_and_of_two_the_later_one() {
        let early = calendar("Asia/Shanghai", &[("E", 6, 14), ("L", 13, 21)]);
        assert_eq!(shift(&early, "2026-03-01T13:00:00Z"), None);
        let late = found("L", "2026-03-01T05:00:00Z", "2026-03-01T13:00:00Z", 8);
        assert_eq!(shift(&early, "2026-03-01T05:30:00Z"), late);
    }

    #[test]
    fn shifts_that_overlap_and_gaps_between_them_are_seen_across_midnight() {
        let time = |hour| civil::Time::constant(hour, 0, 0, 0);
        let rule = |start, end| ShiftRule { name: "x".into(), start: time(start), end: time(end) };
        for (a, b, both) in [
            ((8, 20), (20, 8), None),
            ((8, 20), (21, 7), None),
            ((8, 20), (19, 8), Some((19, 20))),
            ((20, 8), (7, 20), Some((7, 8))),
            ((22, 6), (23, 5), Some((23, 5))),
            ((23, 1), (0, 2), Some((0, 1))),
            // All day long.
            ((0, 0), (6, 14), Some((6, 14))),
            ((8, 20), (8, 20), Some((8, 20))),
        ] {
            let (one, other) = (rule(a.0, a.1), rule(b.0, b.1));
            let both = both.map(|(from, to)| (time(from), time(to)));
            assert_eq!((one.overlap(&other), other.overlap(&one)), (both, both), "{a:?} {b:?}");
        }
        let gaps = |shifts: &[(&str, i8, i8)]| calendar("Asia/Shanghai", shifts).gaps();
        assert!(gaps(&[]).is_empty() && gaps(TWO).is_empty());
        assert_eq!(gaps(&[("A", 8, 20), ("B", 21, 8)]), [(time(20), time(21))]);
        assert_eq!(gaps(&[("A", 6, 14), ("B", 14, 22)]), [(time(22), time(6))], "across midnight");
    }

    #[test]
    fn an_hour_ends_with_the_local_clock() {
        let kolkata = calendar("Asia/Kolkata", &[]);
        assert_eq!(kolkata.next_hour(us("2026-03-01T00:10:00Z")), us("2026-03-01T00:30:00Z"));
        let berlin = calendar("Europe/Berlin", &[]);
        assert_eq!(berlin.next_hour(us("2026-10-25T00:30:00Z")), us("2026-10-25T01:00:00Z"));
    }

    proptest! {
        /// Two shifts that fill the day leave no gap and no overlap, on whatever day.
        #[test]
        fn shifts_that_fill_the_day_meet(day in 0..4_000_i64, zone in 0..4_usize) {
            let zones = ["Europe/Berlin", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"];
            let calendar = calendar(zones[zone], TWO);
            let at_us = us("2024-01-01T00:00:00Z") + day * 24 * HOUR_US;
            let shift = calendar.shift_at(at_us).expect("a shift");
            prop_assert!(shift.start_us <= at_us && at_us < shift.end_us);
            let next = calendar.shift_at(shift.end_us).expect("the next shift");
            prop_assert_eq!(next.start_us, shift.end_us);
            let before = calendar.shift_at(shift.start_us - 1).expect("the shift before");
            prop_assert_eq!(before.end_us, shift.start_us);
        }
    }
}
