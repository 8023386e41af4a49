//! What is shown while nothing is read: a count goes on within bounds, and what was never read is no zero.

use super::script::{Journal, model, model_with, moment, play, play_on, read};
use crate::line::minute::Counted;
use crate::line::rollup::{PeriodKind, Rollup, Unread};
use crate::line::status::LineStatus;
use crate::line::tracker::{Carry, LineTracker};
use crate::units::{Count, StationId};

/// The machine runs for two seconds and then falls silent; time passes until `seconds`.
fn silent_until(seconds: f64) -> LineTracker {
    let mut script = String::new();
    for i in 0..5 {
        script += &format!(
            "{} CF01.fast state=execute good={} bad={i}\n",
            0.5 * f64::from(i),
            100 + 50 * i
        );
    }
    let mut at = 2.5;
    while at <= seconds {
        script += &format!("{at} CF01.fast miss timeout 1\n{at} check\n");
        at += 0.5;
    }
    play(&read(&script), |_| false).0
}

fn good(status: &LineStatus) -> Count {
    status.shift.as_ref().expect("a shift").good
}

/// What is told as unread of a counter.
fn told(status: &LineStatus, counted: Counted) -> &Unread {
    status.unread.iter().find(|unread| unread.tally.counted == counted).expect("told")
}

/// Shows: SCR-02
#[test]
fn while_the_counting_machine_is_silent_its_counts_have_the_bounds_of_what_it_can_make() {
    let before = silent_until(2.0).status(moment(2.0));
    assert!(
        good(&before).is_exact() && before.unread.is_empty(),
        "the negative control: it is read"
    );
    let tracker = silent_until(62.0);
    let now = moment(62.0);
    let status = tracker.status(now);
    let shift = status.shift.as_ref().expect("a shift");
    assert!(shift.read);
    assert_eq!((good(&status).low(), good(&status).best()), (200, 200), "what was read stays");
    assert_eq!(good(&status), good(&before) + tracker.unseen(&[StationId::new("CF01")], now));
    // A minute of a machine that makes up to some thousands.
    assert!(good(&status).high() > 5_000, "{}", good(&status));
    assert_eq!(shift.forecast, None, "what was made meanwhile is not known");
    assert_eq!(status.total.high(), good(&status).high());
    let hour = status.hours.last().expect("an hour");
    assert_eq!((hour.read, hour.good), (true, good(&status)));
    let told = told(&status, Counted::Good);
    assert_eq!(told.tally.count, tracker.unseen(&[StationId::new("CF01")], now));
    assert_eq!(told.since_us, moment(2.0).utc_us, "its last reading");
    let filler = &status.stations[0];
    assert_eq!(filler.good, Some(good(&status)));
    assert!(filler.rejected.expect("it was read").high() > 4);
    // It grows with the silence, and no faster than the machine.
    let later = tracker.status(moment(122.0));
    let more = good(&later).high() - good(&status).high();
    assert!((5_000..20_000).contains(&more), "{more}");
}

/// The bound was true: what the next reading shows lies in it.
#[test]
fn what_comes_after_the_silence_lies_within_the_bound() {
    let mut tracker = silent_until(62.0);
    let bound = good(&tracker.status(moment(62.0)));
    for line in ["62.5 CF01.fast state=execute good=6700 bad=9", "62.5 check"] {
        for step in read(line) {
            match step {
                super::script::Step::Snapshot(snapshot) => tracker.advance(&snapshot),
                super::script::Step::Check(now) => tracker.check(now),
                _ => unreachable!("no other step is written here"),
            }
        }
    }
    let status = tracker.status(moment(62.5));
    assert!(status.unread.iter().all(|unread| unread.tally.station.as_str() != "CF01"));
    let back = good(&status);
    assert!(bound.low() <= back.best() && back.best() <= bound.high(), "{back} in {bound}");
}

/// Shows: SCR-01
#[test]
fn a_shift_in_which_nothing_was_read_says_so() {
    let mut tracker = LineTracker::new(model(), moment(0.0), Carry::default());
    for i in 1..=20 {
        tracker.check(moment(f64::from(i)));
    }
    let status = tracker.status(moment(20.0));
    let shift = status.shift.as_ref().expect("its time is booked as unknown");
    assert!(!shift.read && status.hours.iter().all(|hour| !hour.read));
    assert!(status.unread.is_empty() && shift.forecast.is_none());
    for station in &status.stations {
        assert_eq!((station.infeed, station.good, station.rejected), (None, None, None));
    }
    // The negative control: one reading, and the same counts are zeros that were read.
    for step in read("20.5 CF01.fast state=execute good=100 bad=1") {
        let super::script::Step::Snapshot(snapshot) = step else { continue };
        tracker.advance(&snapshot);
    }
    for step in read("21.0 CF01.fast state=execute good=100 bad=1") {
        let super::script::Step::Snapshot(snapshot) = step else { continue };
        tracker.advance(&snapshot);
    }
    let status = tracker.status(moment(21.0));
    assert!(status.shift.as_ref().is_some_and(|shift| shift.read));
    assert_eq!(status.stations[0].good, Some(Count::ZERO));
    assert_eq!(status.stations[1].good, None, "the weigher was not read");
}

/// The filler's good counter in the slow group, of which polls fail from two seconds on where `fails` says so; the fast one
/// goes on.
fn one_group_silent(fails: bool, seconds: u32) -> LineTracker {
    let model = model_with(&[("role = \"good\"\n", "role = \"good\"\ngroup = \"slow\"\n")]);
    let mut script = String::new();
    for s in 0..=seconds {
        script += &format!("{s} CF01.fast state=execute bad=1\n");
        script += &match fails && s > 2 {
            true => format!("{s} CF01.slow miss broken 1\n{s} check\n"),
            false => format!("{s} CF01.slow good={}\n{s} check\n", 100 + 50 * s),
        };
    }
    play_on(&model, moment(0.0), &read(&script), |_| false).0
}

/// Shows: SCR-02
#[test]
fn a_counter_whose_group_alone_fails_is_not_shown_as_exact() {
    let status = one_group_silent(true, 62).status(moment(62.0));
    assert!(status.stations[0].link.up, "the other group is heard");
    assert_eq!((good(&status).low(), good(&status).best()), (100, 100));
    assert!(good(&status).high() > 5_000, "{}", good(&status));
    assert_eq!(status.total, good(&status));
    assert_eq!(status.shift.expect("a shift").forecast, None);
    let is_good = |counted: &Counted| *counted == Counted::Good;
    assert_eq!(status.unread.iter().filter(|unread| is_good(&unread.tally.counted)).count(), 1);
    assert_eq!(status.unread.len(), 1, "what the other group counts is read");
    // Negative control: with both groups read it is exact.
    let status = one_group_silent(false, 62).status(moment(62.0));
    assert!(good(&status).is_exact() && status.unread.is_empty(), "{:?}", status.unread);
}

#[test]
fn an_hour_stays_open_for_a_counter_whose_group_alone_fails() {
    let waits_us = |fails| {
        let now = moment(62.0);
        now.utc_us - one_group_silent(fails, 62).unread_since_us(now)
    };
    assert_eq!((waits_us(true), waits_us(false)), (60_000_000, 0));
}

#[test]
fn a_reading_that_waits_when_the_link_goes_is_in_all_counts_once() {
    let mut script = String::from("0 CF01.fast state=execute good=100\n0.5 CF01.fast good=150\n");
    // A fall to 0 waits for one more reading, and none comes.
    script += "1 CF01.fast good=0\n";
    for s in 2..=62 {
        script += &format!("{s} CF01.fast miss timeout 1\n{s} check\n");
    }
    let tracker = play(&read(&script), |_| false).0;
    let now = moment(62.0);
    let waits = tracker.total().since(Count::exact(50));
    assert!(waits.high() > 0 && !tracker.is_settled(), "the control: there is one that waits");
    let status = tracker.status(now);
    let unseen = tracker.unseen(&[StationId::new("CF01")], now);
    assert_eq!(good(&status), Count::exact(50) + waits + unseen);
    assert_eq!(status.total, good(&status));
    assert_eq!(status.hours.last().expect("an hour").good, good(&status));
    assert_eq!(status.stations[0].good, Some(good(&status)));
    let told = told(&status, Counted::Good);
    assert_eq!(told.tally.count, waits + unseen);
}

/// The machine is read for half an hour, makes `unseen` in the rest of the first hour, and is heard again a day and two hours
/// after it fell silent, if `heard`. In between the service restarts.
fn silent_for_a_day(unseen: u32, heard: bool) -> (LineTracker, Journal) {
    let mut script = String::new();
    let mut good = 0;
    for minute in 0..=30 {
        good = 100 + 50 * minute;
        for at in [60 * minute, 60 * minute + 1] {
            let uptime = 5_000 + at;
            script += &format!("{at} CF01.fast state=execute uptime={uptime} good={good}\n");
            script += &format!("{at} check\n");
        }
    }
    for minute in 31..=30 + 26 * 60 {
        script += &format!("{0} CF01.fast miss timeout 1\n{0} check\n", 60 * minute);
        if minute == 25 * 60 {
            script += &format!("{} restart\n", 60 * minute + 30);
        }
    }
    if heard {
        let at = 60 * (31 + 26 * 60);
        for at in at..at + 3 {
            let (uptime, good) = (5_000 + at, good + unseen);
            script += &format!("{at} CF01.fast state=execute uptime={uptime} good={good}\n");
            script += &format!("{at} check\n");
        }
    }
    // The counter passes its end unseen as often as it may: only the least is of interest here.
    play_on(&model_with(&[]), moment(0.0), &read(&script), |i| i % 97 == 0)
}

fn hours(journal: &Journal) -> Vec<&Rollup> {
    journal.rollups.values().filter(|rollup| rollup.kind == PeriodKind::Hour).collect()
}

fn output(rollup: &Rollup) -> Count {
    rollup.count(&StationId::new("CF01"), &Counted::Good)
}

/// Shows: SCR-02, CNT-01
#[test]
fn an_hour_that_waited_a_day_for_a_silent_machine_is_closed_with_what_it_may_have_made() {
    let (tracker, journal) = silent_for_a_day(0, false);
    let hours = hours(&journal);
    let (first, second) = (hours[0], hours[1]);
    assert!(first.closed && second.closed, "{first:?}");
    let read = Count::exact(1_500);
    let may = output(first).since(read);
    // Of half an hour and a bit: a machine of 6,500 a minute and a tenth.
    assert_eq!((output(first).low(), output(first).best()), (1_500, 1_500));
    assert!((200_000..220_000).contains(&may.high()), "{may}");
    assert!(first.was_read() && first.estimated);
    let gap = first.gaps.iter().find(|t| t.counted == Counted::Good).expect("its cause");
    assert_eq!(gap.count.width(), may.width(), "it is of a gap");
    // Of an hour in which nothing was read there is no count, but what may have been made in it.
    assert!(!second.was_read());
    assert!((429_000..430_000).contains(&output(second).high()), "{}", output(second));
    assert_eq!(output(second).best(), 0);
    // The screen shows the same: it adds nothing to what is closed.
    let status = tracker.status(moment(60.0 * f64::from(30 + 26 * 60)));
    for hour in status.hours.iter().filter(|hour| hour.read) {
        let stored = hours.iter().find(|stored| stored.start_us == hour.start_us).expect("stored");
        assert_eq!(hour.good + hour.gap, output(stored));
    }
    assert!(status.hours.iter().any(|hour| !hour.read), "hours of the silence are not read");
}

/// Shows: CNT-01
#[test]
fn what_is_told_after_a_day_of_silence_may_be_of_the_hours_that_are_closed() {
    let (_, journal) = silent_for_a_day(40_000, true);
    let hours = hours(&journal);
    let closed = hours.iter().find(|hour| hour.spending.time.known() > 0).expect("the first");
    // It was all made in the rest of the first hour.
    assert!(output(closed).contains(1_500 + 40_000), "{}", output(closed));
    let told: Vec<&&Rollup> = hours.iter().filter(|h| output(h).best() >= 40_000).collect();
    let [hour] = told[..] else { panic!("one hour takes it: {told:?}") };
    assert!(output(hour).contains(0), "none of it was made there: {}", output(hour));
    assert!(output(hour).high() < 3 * 65_536 * 60, "and it is in it once");
    let best: u64 = hours.iter().map(|hour| output(hour).best()).sum();
    assert_eq!(best, 1_500 + 40_000, "no capsule is lost or counted twice");
}

#[test]
fn a_line_counts_once_every_counter_was_read_not_once_every_machine_was_heard() {
    let heard = "
        0.0  CF01.slow  hall=1
        0.1  CW04.fast  n=5 under=0
        0.2  CF01.fast  state=execute good=100
        ";
    assert!(!play(&read(heard), |_| false).0.all_counting(), "nobody read the rejects");
    let counting = format!("{heard}0.7 CF01.fast bad=2");
    assert!(play(&read(&counting), |_| false).0.all_counting());
}
