//! Numbers and times as people read them, for pages that no script draws.

use domain::line::minute::TimeSplit;
use domain::line::oee::Ratio;
use domain::units::Count;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `812,460`.
pub(in crate::web) fn num(n: u64) -> String {
    let digits = n.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for (i, digit) in digits[first..].chars().enumerate() {
        if i % 3 == 0 && !text.is_empty() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `+340`, `−16,540`, `±0`.
pub(in crate::web) fn signed(n: i64) -> String {
    match n {
        0 => "±0".to_owned(),
        n if n > 0 => format!("+{}", num(n.unsigned_abs())),
        n => format!("−{}", num(n.unsigned_abs())),
    }
}

/// `812,460`, and where it is in doubt `812,460 [812,400, 812,900]`.
pub(super) fn count(count: Count) -> String {
    match count.low() == count.high() {
        true => num(count.best()),
        false => format!("{} [{}, {}]", num(count.best()), num(count.low()), num(count.high())),
    }
}

/// `84.12 %`, which no line end tears apart.
pub(super) fn percent(ratio: Option<Ratio>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{:.2}\u{a0}%", ratio.value() * 100.0))
}

/// Share of a span of so many microseconds that is known, of a period: what was not recorded is not known either.
pub(super) fn known(time: &TimeSplit, span_us: i64) -> f64 {
    (time.known() as f64 / span_us.max(1) as f64).clamp(0.0, 1.0)
}

/// `99.9 %`; only a whole is shown as 100.
pub(super) fn share(share: f64) -> String {
    format!("{:.1}\u{a0}%", (share * 1_000.0).floor() / 10.0)
}

/// `02:14:33`.
pub(in crate::web) fn hms(us: i64) -> String {
    let s = us.max(0) / 1_000_000;
    format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60)
}

/// `14:03:27` in the plant's time.
pub(super) fn clock(zone: &TimeZone, us: i64) -> String {
    strftime(zone, us, "%H:%M:%S")
}

/// `14:03` in the plant's time.
pub(super) fn hm(zone: &TimeZone, us: i64) -> String {
    strftime(zone, us, "%H:%M")
}

/// `11-24 14:03` in the plant's time, of what is of these weeks.
pub(super) fn month_hm(zone: &TimeZone, us: i64) -> String {
    strftime(zone, us, "%m-%d %H:%M")
}

/// `2026-11-24 14:03` in the plant's time.
pub(super) fn day_hm(zone: &TimeZone, us: i64) -> String {
    strftime(zone, us, "%Y-%m-%d %H:%M")
}

/// `20261124T1403` in the plant's time, for names of files.
pub(in crate::web) fn file_time(zone: &TimeZone, us: i64) -> String {
    strftime(zone, us, "%Y%m%dT%H%M")
}

/// `2026-11-24T14:03:27+08:00` in the plant's time, for files.
pub(in crate::web) fn iso(zone: &TimeZone, us: i64) -> String {
    let at = Timestamp::from_microsecond(us).unwrap_or_default();
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `2026-11-24 14:03:27 +08:00` in the plant's time.
pub(super) fn moment(zone: &TimeZone, us: i64) -> String {
    let at = Timestamp::from_microsecond(us).unwrap_or_default();
    let minutes = zone.to_offset(at).seconds() / 60;
    let sign = if minutes < 0 { '−' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    format!("{} {sign}{hours:02}:{minutes:02}", day_clock(zone, us))
}

/// `2026-11-24 14:03:27` in the plant's time.
pub(super) fn day_clock(zone: &TimeZone, us: i64) -> String {
    strftime(zone, us, "%Y-%m-%d %H:%M:%S")
}

fn strftime(zone: &TimeZone, us: i64, format: &str) -> String {
    let moment = Timestamp::from_microsecond(us).unwrap_or_default();
    zone.to_datetime(moment).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (81_246, "81,246"),
            (1_234_567, "1,234,567"),
        ];
        for (n, text) in cases {
            assert_eq!(num(n), text);
        }
        assert_eq!(signed(-16_540), "−16,540");
        assert_eq!(count(Count::between(1_000, 1_200, 1_300)), "1,200 [1,000, 1,300]");
        assert_eq!(hms(8_073_000_000), "02:14:33");
    }
}
