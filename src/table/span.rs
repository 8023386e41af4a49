//! Spans as people write them, and the days in them.

use domain::units::SECOND_US;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, civil};

/// A moment in UTC microseconds: an instant, or what the clocks of the plant show; a date alone is its beginning.
///
/// # Errors
/// A sentence that names the option and shows the ways to write it.
pub fn moment(option: &str, text: &str, zone: &TimeZone) -> Result<i64, String> {
    let local = || {
        let at: civil::DateTime = text.parse().ok()?;
        Some(at.to_zoned_datetime(zone.clone()).ok()?.timestamp())
    };
    let found = text.parse::<Timestamp>().ok().or_else(local);
    let found = found.map(|moment| moment.as_microsecond());
    // What a journal can name.
    let found = found.filter(|us| (0..=9_999_999_999 * SECOND_US).contains(us));
    let ways = "write 2026-11-24, 2026-11-24T08:00 as the clocks of the plant show it, or 2026-11-24T08:00:00+08:00";
    found.ok_or_else(|| format!("{option} {text:?} is no moment; {ways}"))
}

/// The days of the plant in a span, each as `20261124` with the part of it that lies in the span.
pub fn days((from_us, to_us): (i64, i64), zone: &TimeZone) -> Vec<(String, (i64, i64))> {
    let mut days = Vec::new();
    let Ok(first) = Timestamp::from_microsecond(from_us) else { return days };
    let mut day = first.to_zoned_datetime(zone.clone()).date();
    let mut start_us = from_us;
    while start_us < to_us {
        let next = day.checked_add(1.day()).ok();
        let begin = next.and_then(|next| next.to_zoned_datetime(zone.clone()).ok());
        let Some((next, begin)) = next.zip(begin) else { break };
        let end_us = begin.timestamp().as_microsecond().min(to_us);
        days.push((day.strftime("%Y%m%d").to_string(), (start_us, end_us)));
        (day, start_us) = (next, end_us);
    }
    days
}

/// An instant as text: `2026-11-24T00:00:00Z`. The range of jiff holds every moment that a journal can name.
pub fn instant(us: i64) -> String {
    Timestamp::from_microsecond(us).map_or_else(|_| us.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone")
    }

    #[test]
    fn what_the_clock_shows_and_what_an_instant_is() {
        let shanghai = zone("Asia/Shanghai");
        let at = |text| moment("--from", text, &shanghai).map(instant);
        assert_eq!(at("2026-11-24").as_deref(), Ok("2026-11-23T16:00:00Z"));
        assert_eq!(at("2026-11-24T08:00").as_deref(), Ok("2026-11-24T00:00:00Z"));
        assert_eq!(at("2026-11-24T08:00:00Z").as_deref(), Ok("2026-11-24T08:00:00Z"));
        assert_eq!(at("2026-11-24T08:00:00+02:00").as_deref(), Ok("2026-11-24T06:00:00Z"));
        assert!(at("yesterday").expect_err("no moment").contains("\"yesterday\" is no moment"));
    }

    #[test]
    fn days_follow_each_other_without_a_hole() {
        let berlin = zone("Europe/Berlin");
        let at = |text| moment("--from", text, &berlin).expect("a moment");
        // Clocks go forward on the 29th of March 2026: that day has 23 hours.
        let span = (at("2026-03-28T12:00"), at("2026-03-30T06:00"));
        let days = days(span, &berlin);
        let hours: Vec<(&str, i64)> =
            days.iter().map(|(day, (a, b))| (day.as_str(), (b - a) / 3_600_000_000)).collect();
        assert_eq!(hours, [("20260328", 12), ("20260329", 23), ("20260330", 6)]);
        assert_eq!((days[0].1.0, days[2].1.1), span);
        assert!(days.windows(2).all(|pair| pair[0].1.1 == pair[1].1.0));
    }
}
