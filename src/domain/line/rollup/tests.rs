use jiff::civil::time;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::line::batch::{Change, Verdict};
use crate::line::calendar::{Calendar, ShiftRule};
use crate::units::{HOUR_US, MINUTE_US, Moment, SECOND_US, StationId};

fn rule(name: &str, start: i8, end: i8) -> ShiftRule {
    ShiftRule { name: name.into(), start: time(start, 0, 0, 0), end: time(end, 0, 0, 0) }
}

fn calendar(zone: &str) -> Calendar {
    let zone = TimeZone::get(zone).unwrap();
    Calendar::new(zone, vec![rule("A", 8, 20), rule("B", 20, 8)])
}

fn utc(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

fn keys() -> Vec<(StationId, Counted)> {
    vec![(StationId::new("CF01"), Counted::Good), (StationId::new("CF01"), Counted::Infeed)]
}

fn moment(utc_us: i64) -> Moment {
    // Any offset between the clocks will do.
    Moment { utc_us, mono_us: utc_us - 1_700_000_000_000_000 }
}

fn spent(state: State, from: Moment, to: Moment) -> Spent {
    Spent { from, to, state, side: None, reason: None, planned: false }
}

fn booking(from_us: i64, to_us: i64, count: Count, gap: bool) -> Booking {
    let (from, to) = (moment(from_us), moment(to_us));
    Booking { counter: 0, from, to, count, gap, reset: false }
}

fn good(rollup: &Rollup) -> Count {
    rollup.count(&StationId::new("CF01"), &Counted::Good)
}

fn of(rollups: &[Rollup], kind: PeriodKind) -> Vec<&Rollup> {
    rollups.iter().filter(|rollup| rollup.kind == kind).collect()
}

#[test]
fn days_of_23_and_25_hours_are_as_long_as_they_are() {
    for (night, hours) in [("2026-03-28T19:00:00Z", 11), ("2026-10-24T18:00:00Z", 13)] {
        let (from, mut books) = (utc(night), Books::new(calendar("Europe/Berlin"), keys()));
        let to = from + hours * HOUR_US;
        let shift = calendar("Europe/Berlin").shift_at(from).unwrap();
        assert_eq!((shift.start_us, shift.end_us), (from, to));
        let mut at = from;
        while at < to {
            let next = at + 7 * MINUTE_US + 1;
            books.spend(&spent(State::Execute, moment(at), moment(next.min(to))));
            at = next;
        }
        books.close_until(to, |_, _| Count::ZERO);
        let rollups = books.take();
        let shifts = of(&rollups, PeriodKind::Shift);
        assert_eq!(shifts[0].spending.time.total(), hours * HOUR_US, "{night}");
        assert_eq!(of(&rollups, PeriodKind::Hour).len() as i64, hours);
        assert!(rollups.iter().all(|rollup| rollup.closed));
    }
}

#[test]
fn a_gap_across_a_shift_is_divided_by_busy_time_and_adds_up() {
    let shanghai = calendar("Asia/Shanghai").with_breaks(vec![ShiftRule {
        name: "hand-over".into(),
        start: time(20, 0, 0, 0),
        end: time(20, 10, 0, 0),
    }]);
    let mut books = Books::new(shanghai, keys());
    // From 19:50 to 20:20: ten minutes busy before, ten after the break.
    let border = utc("2026-11-24T20:00:00+08:00");
    let (from, to) = (border - 10 * MINUTE_US, border + 20 * MINUTE_US);
    books.count(&booking(from, to, Count::exact(100_001), true));
    let rollups = books.take();
    for kind in [PeriodKind::Hour, PeriodKind::Shift] {
        let parts: Vec<Count> = of(&rollups, kind).into_iter().map(good).collect();
        let expected = [Count::between(0, 50_001, 100_001), Count::between(0, 50_000, 100_001)];
        assert_eq!(parts, expected);
        assert!(of(&rollups, kind).iter().all(|rollup| rollup.estimated));
    }
}

#[test]
fn a_reading_belongs_to_the_period_in_which_it_was_taken() {
    let (mut books, border) = (Books::new(calendar("UTC"), keys()), utc("2026-11-24T20:00:00Z"));
    books.count(&booking(border - SECOND_US, border, Count::exact(50), false));
    books.count(&booking(border - 2 * SECOND_US, border - 1, Count::exact(7), false));
    let rollups = books.take();
    let shifts: Vec<_> =
        of(&rollups, PeriodKind::Shift).iter().map(|r| (&*r.name, good(r))).collect();
    assert_eq!(shifts.len(), 2);
    assert!(shifts.contains(&("A", Count::exact(7))) && shifts.contains(&("B", Count::exact(50))));
}

fn change(id: &str, at: i64, remark: Remark) -> Verdict {
    Verdict::Change(Change { id: Some(id.into()), at: moment(at), remark })
}

#[test]
fn what_was_counted_while_the_border_was_in_doubt_goes_where_it_belongs() {
    let t = utc("2026-11-24T09:00:00Z");
    let at = |s: i64| t + s * SECOND_US;
    let step = |from: i64, n: u64| booking(at(from), at(from + 1), Count::exact(n), false);
    let mut books = Books::new(calendar("UTC"), keys());
    books.follow(&change("A", at(0), Remark::First), moment(at(0)));
    books.count(&step(0, 100));
    books.follow(&Verdict::Doubt, moment(at(1)));
    books.count(&step(1, 3));
    books.follow(&Verdict::Stay(Remark::Flicker), moment(at(2)));
    books.follow(&Verdict::Doubt, moment(at(3)));
    // The reset itself: 20 since, and up to 30 before that nobody saw.
    let reset = Booking { reset: true, ..step(2, 0) };
    books.count(&Booking { count: Count::between(20, 20, 50), ..reset });
    books.count(&step(3, 40));
    // Until it is decided nothing is lost: a batch that is stored now holds all.
    let open = books.take();
    assert_eq!(good(of(&open, PeriodKind::Batch)[0]), Count::between(163, 163, 193));
    books.follow(&change("B", at(3), Remark::Matched), moment(at(5)));
    let rollups = books.take();
    let batches: Vec<_> = of(&rollups, PeriodKind::Batch)
        .iter()
        .map(|r| (&*r.name, r.closed, good(r), r.end_us))
        .collect();
    let expected = [
        ("A", true, Count::between(103, 103, 133), Some(at(3))),
        ("B", false, Count::exact(60), None),
    ];
    assert_eq!(batches, expected);
}

#[test]
fn books_go_on_after_a_restart() {
    let t = utc("2026-11-24T09:00:00Z");
    let mut books = Books::new(calendar("UTC"), keys());
    books.follow(&change("A", t, Remark::First), moment(t));
    books.count(&booking(t, t + SECOND_US, Count::between(99, 100, 101), true));
    books.spend(&spent(State::Setup, moment(t), moment(t + SECOND_US)));
    books.fail(moment(t));
    let stored = books.take();
    let mut again = Books::new(calendar("UTC"), keys());
    again.restore(&stored, Some(t + SECOND_US));
    assert_eq!(again.take(), []);
    for books in [&mut books, &mut again] {
        books.count(&booking(t + SECOND_US, t + 2 * SECOND_US, Count::exact(5), false));
    }
    assert_eq!(books.take(), again.take());
}

proptest! {
    /// Whatever happens, hours, shifts and the time that passed add up to the microsecond, and so do the counts.
    /// Shows: CNT-06
    #[test]
    fn hours_and_shifts_add_up(
        steps in prop::collection::vec(
            (1i64..3_000_000_000, 0u64..2_000, any::<bool>(), -90i64..=90, 0u8..10, 0usize..22), 1..120),
    ) {
        let mut books = Books::new(calendar("Europe/Berlin"), keys());
        let start = Moment { utc_us: utc("2026-10-24T18:00:00Z") + 1, mono_us: 5 };
        let (mut now, mut made) = (start, Count::ZERO);
        let mut rollups: Vec<Rollup> = Vec::new();
        for (us, n, gap, step_s, luck, state) in steps {
            let from = now;
            let step_us = if luck == 0 { step_s * SECOND_US } else { 0 };
            now = Moment { utc_us: now.utc_us + us + step_us, mono_us: now.mono_us + us };
            books.spend(&spent(State::ALL[state], from, now));
            let count = Count::exact(n);
            made += count;
            books.count(&Booking { counter: 0, from, to: now, count, gap, reset: false });
            books.close_until(now.utc_us - 2 * HOUR_US, |_, _| Count::ZERO);
            for rollup in books.take() {
                rollups.retain(|old| (old.kind, old.start_us) != (rollup.kind, rollup.start_us));
                rollups.push(rollup);
            }
        }
        for kind in [PeriodKind::Hour, PeriodKind::Shift] {
            let of_kind = of(&rollups, kind);
            let us: i64 = of_kind.iter().map(|rollup| rollup.spending.time.total()).sum();
            prop_assert_eq!(us, now.mono_us - start.mono_us);
            let best: u64 = of_kind.iter().map(|rollup| good(rollup).best()).sum();
            prop_assert_eq!(best, made.best());
            let counts: Count = of_kind.iter().map(|rollup| good(rollup)).sum();
            prop_assert!(counts.contains(made.best()));
        }
    }
}

#[test]
fn an_hour_asks_for_the_rate_of_an_hour() {
    let hour_us = 60 * MINUTE_US;
    assert_eq!(asked(6_500, hour_us), 390_000);
    // The time between the first and the last reading of an hour is a little less: it asks for no capsule less.
    assert_eq!(asked(6_500, hour_us - 10_000), 390_000);
    assert_eq!(asked(6_500, hour_us - 40_000), 390_000);
    assert_eq!(asked(6_500, hour_us - 100_000), 389_989, "a tenth of a second does count");
    assert_eq!((asked(6_500, 0), asked(6_500, -5), asked(0, hour_us)), (0, 0, 0));
    assert_eq!(asked(u64::MAX, i64::MAX), u64::MAX);
}

#[test]
fn what_is_unread_goes_into_each_period_that_was_not_over_by_the_last_reading() {
    let hour = utc("2026-11-24T08:00:00Z");
    let mut books = Books::new(calendar("UTC"), keys());
    let until = hour + HOUR_US + 600 * SECOND_US;
    books.spend(&spent(State::Execute, moment(hour), moment(until)));
    let (key, counted) = keys().swap_remove(0);
    let unread = |since_us| Unread {
        tally: Tally {
            station: key.clone(),
            counted: counted.clone(),
            count: Count::between(0, 0, 500),
        },
        since_us,
    };
    let most = |since_us: i64| -> Vec<u64> {
        let with = |rollup: &Rollup| good(&rollup.with_unread(&[unread(since_us)])).high();
        let mut rollups = books.clone().take();
        rollups.sort_by_key(|rollup| (rollup.kind, rollup.start_us));
        rollups.iter().map(with).collect()
    };
    // The hour before, the hour that goes on, the shift.
    assert_eq!(most(hour + HOUR_US - 1), [500, 500, 500], "silent since before the border");
    assert_eq!(most(hour + HOUR_US), [0, 500, 500], "read until the hour was over");
    // A period that is closed is not changed any more, nor one without an end kept out.
    let closed = Rollup { closed: true, ..books.clone().take().swap_remove(0) };
    assert_eq!(good(&closed.with_unread(&[unread(hour)])), Count::ZERO);
    let open = Rollup { closed: false, end_us: None, ..closed };
    assert_eq!(good(&open.with_unread(&[unread(hour)])).high(), 500);
}
