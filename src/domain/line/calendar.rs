//! Shifts of a plant in its own time zone. Days of 23 and 25 hours fall out of the zone, not out of rules of ours.

use std::sync::Arc;

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};

use crate::units::HOUR_US;

/// When people work: shift rules in local time.
#[derive(Clone, Debug)]
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
