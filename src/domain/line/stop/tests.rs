use proptest::prelude::*;

use super::key_cause::{Chain, KeyCause, Watch};
use super::revision::{Act, PartId, Refusal, Revision, apply, check_seen};
use super::*;
use crate::line::state::TimeClass;
use crate::units::StationId;

const T0: i64 = 1_764_000_000_000_000;

fn at(s: i64) -> Moment {
    Moment { utc_us: T0 + s * SECOND_US, mono_us: s * SECOND_US }
}

/// A log of `(state, seconds)` one after the other, and all its stops at the end.
fn stops(spans: &[(State, i64)]) -> Vec<Stop> {
    let mut log = StopLog::after(0);
    let mut s = 0;
    for (state, long) in spans {
        log.follow(&spent(*state, s, s + long));
        s += long;
    }
    log.take()
}

fn spent(state: State, from_s: i64, to_s: i64) -> Spent {
    let (from, to) = (at(from_s), at(to_s));
    Spent { from, to, state, side: None, reason: None, planned: false }
}

fn show(stops: &[Stop]) -> Vec<String> {
    let show = |stop: &Stop| {
        let words: Vec<_> = stop.flags.words().collect();
        let long = stop.duration_us().map_or("-".into(), |us| (us / SECOND_US).to_string());
        let from = stop.from.mono_us / SECOND_US;
        format!("{from}+{long} {} {}", stop.cause.word(), words.join(",")).trim_end().to_owned()
    };
    stops.iter().map(show).collect()
}

#[test]
fn an_acting_state_belongs_to_the_stop_around_it() {
    use State::{Execute, Held, Holding, Idle, Resetting, Starting, Stopped, Stopping, Unholding};
    let held = stops(&[(Execute, 60), (Holding, 2), (Held, 30), (Unholding, 3), (Execute, 10)]);
    assert_eq!(show(&held), ["60+35 internal"]);
    let stopped = [(Execute, 60), (Stopping, 2), (Stopped, 30), (Resetting, 1), (Idle, 5)];
    let stopped = stops(&[&stopped[..], &[(Starting, 4), (Execute, 10)]].concat());
    assert_eq!(show(&stopped), ["60+42 unknown"]);
}

/// A machine that stands for a second reason before it ran has had two stops, and both reasons are told.
#[test]
fn a_start_that_ends_for_another_reason_is_a_stop_of_its_own() {
    use State::{Execute, Held, Starting};
    let told = |second: Option<i64>, between: State| {
        let mut log = StopLog::after(0);
        let mut failures = 0;
        for (state, from_s, to_s, reason) in [
            (Execute, 0, 9, None),
            (Held, 9, 39, Some(1)),
            (between, 39, 45, None),
            (Held, 45, 60, second),
            (Execute, 60, 70, None),
        ] {
            let ended = log.follow(&Spent { reason, ..spent(state, from_s, to_s) });
            failures += usize::from(ended.is_some());
        }
        let stops = log.take();
        let long = |stop: &Stop| stop.duration_us().map(|us| us / SECOND_US);
        (stops.iter().map(|stop| (stop.reason, long(stop))).collect::<Vec<_>>(), failures)
    };
    let two = vec![(Some(1), Some(36)), (Some(2), Some(15))];
    assert_eq!(told(Some(2), Starting), (two, 2));
    // The negative controls: a start that did not help, one after which nothing is said, and no start at all.
    let one = (vec![(Some(1), Some(51))], 1);
    assert_eq!(told(Some(1), Starting), one);
    assert_eq!(told(None, Starting), one);
    assert_eq!(told(Some(2), Held), one);
}

/// A PLC may tell the second reason a reading after the state: until then it shows the first.
#[test]
fn a_second_reason_that_is_told_a_reading_late_is_that_of_the_second_stop() {
    use State::{Aborted, Execute, Held, Starting, Suspended};
    let told = |between: State, first: State, late_ms: i64, second: i64| {
        let ms = |ms: i64| Moment { utc_us: T0 + ms * 1_000, mono_us: ms * 1_000 };
        let mut log = StopLog::after(0);
        for (state, from_ms, to_ms, reason) in [
            (Execute, 0, 9_000, None),
            (first, 9_000, 39_000, Some(1)),
            (between, 39_000, 45_000, None),
            (Held, 45_000, 45_000 + late_ms, Some(1)),
            (Held, 45_000 + late_ms, 60_000, Some(second)),
            (Aborted, 60_000, 61_000, Some(second)),
            (Execute, 61_000, 70_000, None),
        ] {
            let (from, to) = (ms(from_ms), ms(to_ms));
            log.follow(&Spent { from, to, reason, ..spent(state, 0, 0) });
        }
        let long = |stop: &Stop| stop.duration_us().map(|us| us / SECOND_US);
        log.take().iter().map(|stop| (stop.reason, long(stop))).collect::<Vec<_>>()
    };
    let two = vec![(Some(1), Some(36)), (Some(2), Some(16))];
    for late_ms in [10, 100, 1_000] {
        assert_eq!(told(Starting, Held, late_ms, 2), two, "{late_ms} ms");
        // The first was one of another cause, so that the second begins with the reason that is left.
        assert_eq!(told(Starting, Suspended, late_ms, 2), two, "{late_ms} ms");
    }
    // The negative controls: no start, a reason that somebody enters later, and the same one.
    let one = vec![(Some(1), Some(52))];
    assert_eq!(told(Held, Held, 100, 2), one);
    assert_eq!(told(Starting, Held, 1_001, 2), one);
    assert_eq!(told(Starting, Held, 100, 1), one);
}

#[test]
fn a_stop_that_nobody_explains_stays_with_its_cause_and_another_cause_cuts_it() {
    use State::{Execute, Held, Setup, Stopped, Suspended};
    let jam = stops(&[(Execute, 9), (Held, 30), (Stopped, 30), (Execute, 1)]);
    assert_eq!(show(&jam), ["9+60 internal"]);
    let changeover = stops(&[(Execute, 9), (Held, 30), (Setup, 600), (Execute, 1)]);
    assert_eq!(show(&changeover), ["9+30 internal", "39+600 planned impossible_jump"]);
    let blocked = stops(&[(Execute, 9), (Stopped, 5), (Suspended, 20), (Execute, 1)]);
    assert_eq!(show(&blocked), ["9+5 unknown", "14+20 external impossible_jump"]);
}

/// Shows: CNT-09
#[test]
fn a_lost_connection_is_neither_up_nor_down_and_cuts_the_stop() {
    use State::{Execute, Held, Unknown};
    let cut = stops(&[(Execute, 60), (Held, 30), (Unknown, 12), (Held, 8), (Execute, 1)]);
    let expected = ["60+30 internal cut_after", "90+12 no_signal", "102+8 internal cut_before"];
    assert_eq!(show(&cut), expected);
    let running = stops(&[(Execute, 60), (Unknown, 12), (Execute, 1)]);
    assert_eq!(show(&running), ["60+12 no_signal"]);
    let unmapped = stops(&[(Execute, 60), (State::UnknownCode, 12), (Execute, 1)]);
    assert_eq!((unmapped[0].state, unmapped[0].cause), (State::UnknownCode, Cause::NoSignal));
}

#[test]
fn planned_time_wins_over_everything_and_says_what_it_covers() {
    let mut log = StopLog::after(0);
    log.follow(&spent(State::Execute, 0, 10));
    log.follow(&spent(State::Aborted, 10, 20));
    log.follow(&Spent { planned: true, ..spent(State::Aborted, 20, 30) });
    log.follow(&Spent { planned: true, ..spent(State::Unknown, 30, 40) });
    log.follow(&Spent { planned: true, ..spent(State::Execute, 40, 50) });
    log.follow(&spent(State::Execute, 50, 60));
    assert_eq!(show(&log.take()), ["10+10 internal", "20+30 planned overlap"]);
    let planned = Spent { planned: true, ..spent(State::Cleaning, 0, 1) };
    assert!(!planned.overlaps());
}

#[test]
fn the_restart_of_the_service_cuts_the_stop() {
    let mut log = StopLog::after(6);
    log.follow(&spent(State::Execute, 0, 10));
    log.follow(&spent(State::Held, 10, 20));
    log.cut(at(20));
    log.follow(&spent(State::Unknown, 20, 50));
    log.follow(&spent(State::Held, 50, 60));
    let stops = log.take();
    let expected = ["10+10 internal cut_after", "20+30 no_signal", "50+- internal cut_before"];
    assert_eq!(show(&stops), expected);
    assert_eq!(stops.iter().map(|stop| stop.number).collect::<Vec<_>>(), [7, 8, 9]);
}

#[test]
fn a_step_of_the_wall_clock_is_flagged_and_changes_no_duration() {
    let mut log = StopLog::after(0);
    log.follow(&spent(State::Execute, 0, 10));
    log.follow(&spent(State::Held, 10, 20));
    let later = Moment { utc_us: at(20).utc_us - 90 * SECOND_US, ..at(20) };
    log.follow(&Spent { from: later, ..spent(State::Execute, 20, 30) });
    assert_eq!(show(&log.take()), ["10+10 internal clock_step"]);
}

#[test]
fn a_micro_stop_is_strictly_shorter_than_the_limit() {
    let stops = stops(&[
        (State::Execute, 1),
        (State::Held, 10),
        (State::Execute, 1),
        (State::Suspended, 9),
        (State::Execute, 1),
        (State::Cleaning, 2),
        (State::Execute, 1),
        (State::Unknown, 2),
        (State::Execute, 1),
    ]);
    let limit = 10 * SECOND_US;
    let always = (i64::MIN, i64::MAX);
    assert_eq!(micro_stops(&stops, limit, always), StopSum { n: 1, us: 9 * SECOND_US });
    assert_eq!(micro_stops(&stops, limit + 1, always), StopSum { n: 2, us: 19 * SECOND_US });
}

/// A stop over the change of a shift is in both shifts, and its time is divided between them.
#[test]
fn a_micro_stop_counts_in_a_span_for_the_time_inside_it() {
    let stops = stops(&[(State::Execute, 1), (State::Held, 10), (State::Execute, 1)]);
    let (from_us, limit) = (stops[0].from.utc_us, 60 * SECOND_US);
    let border_us = from_us + 4 * SECOND_US;
    let before = micro_stops(&stops, limit, (i64::MIN, border_us));
    let after = micro_stops(&stops, limit, (border_us, i64::MAX));
    assert_eq!(before, StopSum { n: 1, us: 4 * SECOND_US });
    assert_eq!(after, StopSum { n: 1, us: 6 * SECOND_US });
}

fn station(name: &str) -> KeyCause {
    KeyCause::Station(StationId::new(name))
}

fn undecided(names: &[&str]) -> KeyCause {
    KeyCause::Undecided(names.iter().map(|name| StationId::new(*name)).collect())
}

/// A line of three with the filler in the middle: half a minute before it, five minutes after it.
fn watch() -> Watch {
    let stations = [("SO0", 30), ("CF1", 0), ("CW2", 300)];
    let stations = stations.map(|(name, s)| (StationId::new(name), s * SECOND_US)).into();
    let mut watch = Watch::new(Chain { counting: 1..2, stations });
    (0..3).for_each(|station| watch.note(station, State::Execute, at(0)));
    watch
}

#[test]
fn the_machine_that_stood_first_and_for_its_own_cause_stopped_the_line() {
    let mut watch = watch();
    watch.note(2, State::Held, at(100));
    assert_eq!(watch.key(1, Cause::Blocked, at(350)), station("CW2"));
    assert_eq!(watch.key(1, Cause::External, at(350)), station("CW2"));
    assert_eq!(watch.key(1, Cause::Internal, at(350)), station("CF1"));
    assert_eq!(watch.key(1, Cause::Planned, at(350)), KeyCause::None);
}

#[test]
fn without_a_machine_that_fits_the_cause_stays_undecided_and_names_candidates() {
    let mut watch = watch();
    watch.note(2, State::Held, at(100));
    // Too long ago for the buffer, on the wrong side, and only waiting itself.
    assert_eq!(watch.key(1, Cause::Blocked, at(401)), undecided(&["CW2"]));
    assert_eq!(watch.key(1, Cause::Starved, at(110)), undecided(&[]));
    watch.note(0, State::Suspended, at(105));
    assert_eq!(watch.key(1, Cause::Starved, at(110)), undecided(&["SO0"]));
}

#[test]
fn two_machines_on_both_sides_are_no_answer() {
    let mut watch = watch();
    watch.note(2, State::Held, at(100));
    watch.note(0, State::Aborted, at(101));
    assert_eq!(watch.key(1, Cause::External, at(110)), undecided(&["SO0", "CW2"]));
    assert_eq!(watch.key(1, Cause::Starved, at(110)), station("SO0"));
}

fn revision(number: u64, act: Act) -> Revision {
    Revision { number, at_us: T0, by: "li".into(), why: "seen on site".into(), act }
}

fn part(text: &str) -> PartId {
    PartId::parse(text).unwrap()
}

/// Shows: CNT-11
#[test]
fn revisions_split_name_and_merge_and_leave_the_record_alone() {
    let recorded = stops(&[(State::Execute, 9), (State::Held, 60), (State::Execute, 1)]);
    let reason = |text: &str| -> std::sync::Arc<str> { text.into() };
    let (cause, stops) = (Cause::Planned, recorded.clone());
    let revisions = [
        revision(1, Act::Split { part: part("1"), after_us: 20 * SECOND_US }),
        revision(2, Act::Assign { part: part("1.1"), cause, reason: reason("cleaning") }),
        revision(3, Act::Split { part: part("1.1"), after_us: 30 * SECOND_US }),
        revision(4, Act::Merge { first: part("1.1"), second: part("1.3") }),
    ];
    let parts = apply(&stops, &revisions).unwrap();
    let shown: Vec<_> = parts
        .iter()
        .map(|p| format!("{} {:?} {} {}", p.id, p.duration_us(), p.cause.word(), p.reason))
        .collect();
    assert_eq!(shown, ["1 Some(20000000) internal ", "1.1 Some(40000000) planned cleaning"]);
    assert_eq!(stops, recorded);
}

/// Shows: CNT-11
#[test]
fn a_reason_is_taken_back_to_what_was_recorded_and_the_words_stay() {
    use State::{Execute, Held, Unknown};
    let recorded = stops(&[(Execute, 9), (Held, 60), (Unknown, 5), (Execute, 1)]);
    let assign = |number, text: &str| {
        let (part, cause) = (part(text), Cause::Planned);
        revision(number, Act::Assign { part, cause, reason: "cleaning".into() })
    };
    let undo = |number, text: &str| revision(number, Act::Undo { part: part(text) });
    let split = |number| revision(number, Act::Split { part: part("1"), after_us: 20 * SECOND_US });
    let shown = |revisions: &[Revision]| -> Vec<String> {
        let parts = apply(&recorded, revisions).unwrap();
        parts
            .iter()
            .map(|p| format!("{} {} {:?} {}", p.id, p.cause.word(), &*p.reason, p.revision))
            .collect()
    };
    let said = [assign(1, "1"), assign(2, "2")];
    assert_eq!(shown(&said)[0], "1 planned \"cleaning\" 1");
    let undone = shown(&[&said[..], &[undo(3, "1"), undo(4, "2")]].concat());
    assert_eq!(undone, ["1 internal \"\" 3", "2 no_signal \"\" 4"]);
    // Of a part that was cut off, only that part; what was never said can be taken back as well.
    let half = shown(&[split(1), assign(2, "1"), assign(3, "1.1"), undo(4, "1.1"), undo(5, "2")]);
    assert_eq!(half[..2], ["1 planned \"cleaning\" 2", "1.1 internal \"\" 4"]);
    assert_eq!(apply(&recorded, &[undo(1, "9")]).unwrap_err().1, Refusal::NoPart(part("9")));
    // What was seen and what was not have no recorded cause in common once a person has joined them.
    let merge = revision(3, Act::Merge { first: part("1"), second: part("2") });
    let joined = [&said[..], &[merge, undo(4, "1")]].concat();
    assert_eq!(apply(&recorded, &joined).unwrap_err(), (4, Refusal::Joined(part("1"))));
}

#[test]
fn what_was_revised_meanwhile_is_refused_to_who_has_not_seen_it() {
    let recorded = stops(&[(State::Execute, 9), (State::Held, 60), (State::Execute, 1)]);
    let split = Act::Split { part: part("1"), after_us: 20 * SECOND_US };
    let parts = apply(&recorded, &[revision(3, split.clone())]).unwrap();
    let assign = |text: &str| Act::Assign {
        part: part(text),
        cause: Cause::Planned,
        reason: "cleaning".into(),
    };
    let meanwhile = |text: &str| Err(Refusal::Meanwhile(part(text), 3));
    assert_eq!(check_seen(&parts, &assign("1"), 2), meanwhile("1"));
    assert_eq!(check_seen(&parts, &assign("1.3"), 0), meanwhile("1.3"));
    let merge = Act::Merge { first: part("1"), second: part("1.3") };
    assert_eq!(check_seen(&parts, &merge, 2), meanwhile("1"));
    // Who has seen it, and who speaks of something else, may.
    assert_eq!(check_seen(&parts, &merge, 3), Ok(()));
    assert_eq!(check_seen(&parts, &split, 7), Ok(()));
    assert_eq!(check_seen(&apply(&recorded, &[]).unwrap(), &split, 0), Ok(()));
}

#[test]
fn revisions_that_would_change_time_are_refused() {
    use State::{Execute, Held, Unknown};
    let recorded =
        stops(&[(Execute, 9), (Held, 60), (Unknown, 5), (Held, 4), (Execute, 1), (Held, 3)]);
    let refused = |act: Act| apply(&recorded, &[revision(1, act)]).unwrap_err().1;
    let split = |text: &str, s: i64| Act::Split { part: part(text), after_us: s * SECOND_US };
    let merge = |a: &str, b: &str| Act::Merge { first: part(a), second: part(b) };
    assert_eq!(refused(split("1", 60)), Refusal::Outside(part("1"), 60 * SECOND_US));
    assert_eq!(refused(split("1", 0)), Refusal::Outside(part("1"), 60 * SECOND_US));
    assert_eq!(refused(split("8", 1)), Refusal::NoPart(part("8")));
    assert_eq!(refused(split("4", 1)), Refusal::Lasts(part("4")));
    assert_eq!(refused(merge("1", "3")), Refusal::Apart(part("1"), part("3")));
    assert_eq!(refused(merge("3", "4")), Refusal::Apart(part("3"), part("4")));
    assert_eq!(refused(merge("1", "1")), Refusal::Apart(part("1"), part("1")));
    assert_eq!(refused(merge("1", "2")), Refusal::Unseen(part("1"), part("2")));
}

fn state() -> impl Strategy<Value = State> {
    prop::sample::select(State::ALL.to_vec())
}

fn any_spans() -> impl Strategy<Value = Vec<Spent>> {
    let side = prop::sample::select(vec![None, Some(Cause::Starved), Some(Cause::Blocked)]);
    let span = (state(), 1i64..500_000_000, side, prop::bool::weighted(0.1), -90i64..=90, 0u8..20);
    prop::collection::vec(span, 1..80).prop_map(|spans| {
        let mut now = at(0);
        spans
            .into_iter()
            .map(|(state, us, side, planned, step_s, luck)| {
                let from = now;
                let step_us = if luck == 0 { step_s * SECOND_US } else { 0 };
                now = Moment { utc_us: now.utc_us + us + step_us, mono_us: now.mono_us + us };
                Spent { from, to: now, state, side, reason: None, planned }
            })
            .collect()
    })
}

proptest! {
    /// Run and stops together are the time that passed, to the microsecond, whatever the machine and the clock do.
    /// Shows: CNT-09
    #[test]
    fn every_microsecond_is_run_or_in_one_stop(spans in any_spans()) {
        let mut log = StopLog::after(0);
        spans.iter().for_each(|spent| { log.follow(spent); });
        let end = spans.last().map_or(at(0), |spent| spent.to);
        log.cut(end);
        let stops = log.take();
        let long = |spent: &Spent| spent.to.mono_us - spent.from.mono_us;
        let run_us: i64 = spans.iter().filter(|s| s.class() == TimeClass::Run).map(long).sum();
        let stopped_us: i64 = stops.iter().filter_map(Stop::duration_us).sum();
        prop_assert_eq!(run_us + stopped_us, end.mono_us);
        for pair in stops.windows(2) {
            prop_assert!(pair[0].to.is_some_and(|to| to.mono_us <= pair[1].from.mono_us));
        }
        // Time without a signal is never booked as up or down, unless it was planned.
        let unseen: i64 = spans.iter().filter(|s| s.class() == TimeClass::Unknown).map(long).sum();
        let no_signal = stops.iter().filter(|stop| stop.cause == Cause::NoSignal);
        prop_assert_eq!(no_signal.filter_map(Stop::duration_us).sum::<i64>(), unseen);
    }

    /// Whatever people do, the time of the stops stays what it was, and no two parts overlap.
    /// Shows: CNT-11
    #[test]
    fn revisions_preserve_time_to_the_microsecond(
        spans in any_spans(),
        acts in prop::collection::vec((0u8..4, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1i64..500_000_000), 0..60),
    ) {
        let mut log = StopLog::after(0);
        spans.iter().for_each(|spent| { log.follow(spent); });
        log.cut(spans.last().map_or(at(0), |spent| spent.to));
        let stops = log.take();
        prop_assume!(!stops.is_empty());
        let mut parts = apply(&stops, &[]).unwrap();
        let before: i64 = parts.iter().filter_map(revision::Part::duration_us).sum();
        let mut revisions = Vec::new();
        for (number, (kind, a, b, us)) in (1u64..).zip(acts) {
            let (first, second) = (a.get(&parts).id, b.get(&parts).id);
            let next = parts.iter().position(|p| p.id == first).and_then(|i| parts.get(i + 1));
            let act = match kind {
                0 => Act::Assign { part: first, cause: Cause::ALL[(us % 7) as usize], reason: "x".into() },
                1 => Act::Split { part: first, after_us: us },
                2 => Act::Undo { part: first },
                _ => Act::Merge { first, second: next.map_or(second, |next| next.id) },
            };
            let revision = revision(number, act);
            let untouched = parts.clone();
            match revision::revise(&mut parts, &revision) {
                Ok(()) => revisions.push(revision),
                Err(_) => prop_assert_eq!(&parts, &untouched),
            }
            prop_assert_eq!(parts.iter().filter_map(revision::Part::duration_us).sum::<i64>(), before);
            for pair in parts.windows(2) {
                prop_assert!(pair[0].to.is_some_and(|to| to.mono_us <= pair[1].from.mono_us));
            }
        }
        prop_assert_eq!(apply(&stops, &revisions), Ok(parts));
    }
}
