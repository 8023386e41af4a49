//! Two fillers side by side: one line, whose counts are added and whose time is that of both.

use super::line::{line_of, poll};
use super::script::moment;
use crate::line::batch::hand::{Act, Order};
use crate::line::calendar::{Calendar, ShiftRule};
use crate::line::chronicle::Past;
use crate::line::event::{Event, EventKind};
use crate::line::kpi::{Kpis, Policy};
use crate::line::output::Output;
use crate::line::rollup::PeriodKind;
use crate::line::state::{State, TimeClass};
use crate::line::stop::key_cause::KeyCause;
use crate::line::stop::{Cause, Stop};
use crate::line::tracker::{Carry, Changes, LineModel, LineTracker};
use crate::reading::{Miss, Outcome, Reading, Snapshot, Value};
use crate::units::{Count, StationId};

const RUN: u64 = 3;
const JAM: u64 = 5;
const NO_POWDER: u64 = 4;
const CLEANED: u64 = 6;

/// A filler with the codes above and these tags after state and reason: infeed, good, unseparated, samples.
fn filler(station: &str) -> String {
    let tags = [
        ("state", "u16", "state", ""),
        ("reason", "u16", "stop_reason", ""),
        ("in", "u32", "infeed", "resets = \"never\"\n"),
        ("good", "u32", "good", "resets = \"never\"\n"),
        ("rejects", "u32", "reject:unseparated", "resets = \"never\"\n"),
    ];
    let tags = tags.iter().enumerate().map(|(i, (id, kind, role, more))| {
        format!(
            "[[tag]]\nid = \"{station}.{id}\"\nregister = \"holding {}\"\ntype = \"{kind}\"\nrole = \"{role}\"\n{more}",
            2 * i
        )
    });
    format!(
        "[machine]\nstation = \"{station}\"\ntitle = {{ en = \"a\", zh = \"a\" }}\nprotocol = \"modbus\"\n\
         max_per_minute = 3250\nstep = 25\ninside = 600\nafter = 600\n[modbus]\nunit = 1\n\
         [groups]\nfast = \"1s\"\n[states]\n0 = \"stopped\"\n3 = \"execute\"\n4 = \"suspended\"\n5 = \"held\"\n6 = \"setup\"\n\
         [stop_reasons]\n1 = {{ en = \"capsule jam\", zh = \"卡囊\" }}\n\
         3 = {{ en = \"powder low\", zh = \"药粉不足\", cause = \"starved\" }}\n{}",
        tags.collect::<String>()
    )
}

/// A polisher that counts what comes from both.
fn polisher() -> String {
    filler("PS02")
        .replace("3250", "6500")
        .replace("[stop_reasons]", "[stop_reasons]\n9 = { en = \"b\", zh = \"b\" }")
}

fn model(fillers: usize) -> LineModel {
    let maps: Vec<String> =
        (1..=fillers).map(|n| filler(&format!("CF0{n}"))).chain([polisher()]).collect();
    let maps: Vec<&str> = maps.iter().map(String::as_str).collect();
    LineModel { counting: 0..fillers, ..line_of(&maps) }
}

/// A line of two fillers and a polisher, and what was told of it.
struct Line {
    tracker: LineTracker,
    changes: Changes,
    events: Vec<Event>,
    stops: Vec<Stop>,
}

/// A stop in seconds: from, to, cause, reason, key.
type Told = (f64, Option<f64>, Cause, Option<i64>, KeyCause);

/// What a filler shows: state, reason, good and rejected capsules. What went in is both.
type Shown = (u64, u64, u64, u64);

impl Line {
    fn new(model: LineModel) -> Line {
        let tracker = LineTracker::new(model, moment(0.0), Carry::default());
        Line { tracker, changes: Changes::default(), events: Vec::new(), stops: Vec::new() }
    }

    /// One second: each filler is read a little later than the one before; none is a poll that failed.
    fn second(&mut self, at: f64, shown: &[Option<Shown>]) {
        for (device, shown) in (0..).zip(shown) {
            let at = at + 0.1 * f64::from(device);
            let snapshot = match shown {
                Some((state, reason, good, rejected)) => {
                    poll(at, &[*state, *reason, good + rejected, *good, *rejected])
                }
                None => Snapshot { outcome: Outcome::Missed(Miss::Timeout), ..poll(at, &[]) },
            };
            self.tracker.advance(&Snapshot { device, ..snapshot });
        }
        self.tracker.check(moment(at + 0.9));
        let mut changes = self.tracker.take_changes();
        self.events.append(&mut changes.events);
        for stop in changes.stops.drain(..) {
            self.stops.retain(|known| known.number != stop.number);
            self.stops.push(stop);
        }
        self.changes = changes;
    }

    /// Seconds from one to another; each filler shows what it is asked for a second.
    fn run(&mut self, from: u32, to: u32, shown: impl Fn(u64) -> Vec<Option<Shown>>) {
        for second in from..to {
            self.second(f64::from(second), &shown(u64::from(second)));
        }
    }

    /// Stops of the line in seconds: from, to, cause, reason, key. What was before the first reading is none of them.
    fn stops(&self) -> Vec<Told> {
        let s = |us: i64| (us - moment(0.0).mono_us) as f64 / 1e6;
        let stops = self.stops.iter().filter(|stop| stop.from.mono_us > moment(1.5).mono_us);
        let told = |stop: &Stop| {
            let to = stop.to.map(|to| s(to.mono_us));
            (s(stop.from.mono_us), to, stop.cause, stop.reason, stop.key.clone())
        };
        stops.map(told).collect()
    }

    fn events(&self, kind: EventKind) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.kind == kind)
    }
}

fn runs(good: u64) -> Option<Shown> {
    Some((RUN, 0, good, good / 100))
}

/// Shows: CNT-12
#[test]
fn what_a_line_made_is_what_its_machines_made() {
    let mut line = Line::new(model(2));
    line.run(0, 200, |s| vec![runs(50 * s), runs(54 * s), runs(100 * s)]);
    assert_eq!(line.tracker.total(), Count::exact(199 * 104));
    let now = moment(200.0);
    let status = line.tracker.status(now);
    assert_eq!(status.total, Count::exact(199 * 104));
    let hour = status.stations.len();
    assert_eq!(hour, 3, "each machine is told for itself too");
    // 104 a second, of windows that end where both are booked.
    let per_minute: Vec<f64> = status.speeds.iter().filter_map(|speed| speed.per_minute).collect();
    assert!(per_minute.iter().all(|speed| (speed - 6_240.0).abs() < 60.0), "{per_minute:?}");
    let trend: Vec<u64> =
        status.trend.iter().filter_map(|point| Some(point.good?.best())).collect();
    assert_eq!(trend[trend.len() - 1], 60 * 104);
    let hour = line.changes.rollups.iter().find(|rollup| rollup.kind == PeriodKind::Hour);
    let hour = hour.expect("an hour");
    let output = line.tracker.model().output();
    let kpis = Kpis::of(hour, &output, &Policy::per_minute(6_500));
    let rejected = (50 * 199 / 100) + (54 * 199 / 100);
    assert_eq!(kpis.elements.produced, 199 * 104 + rejected);
    assert_eq!((kpis.elements.good, kpis.elements.scrap), (199 * 104, rejected));
    // Negative control: the output of one of them alone is outside the truth.
    let one = Kpis::of(hour, &StationId::new("CF01"), &Policy::per_minute(6_500));
    assert!(!one.good.contains(199 * 104), "{}", one.good);
}

#[test]
fn the_doubt_of_one_machine_is_a_doubt_of_the_line() {
    let mut line = Line::new(model(2));
    line.run(0, 20, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    // The first is set back while nobody looks at it.
    line.run(20, 40, |s| vec![None, runs(50 * s), runs(100 * s)]);
    line.run(40, 60, |s| vec![Some((RUN, 0, 50 * (s - 30), 0)), runs(50 * s), runs(100 * s)]);
    let total = line.tracker.total();
    assert!(!total.is_exact() && total.contains(59 * 100), "{total}");
    // The doubt is that of the first alone.
    let first = line.tracker.total_of(&crate::units::TagId::new("CF01.good")).expect("it counts");
    assert_eq!(total, first + Count::exact(59 * 50));
}

/// Shows: CNT-13
#[test]
fn one_machine_that_stands_while_another_runs_is_no_stop_but_is_told() {
    // Negative control: of the second alone the same is a stop.
    let mut alone = Line::new(LineModel { counting: 1..2, ..model(2) });
    alone.run(0, 30, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    alone.run(30, 90, |s| vec![runs(50 * s), Some((JAM, 1, 1_450, 14)), runs(50 * s + 1_450)]);
    assert_eq!(alone.stops().len(), 1);
    let mut line = Line::new(model(2));
    line.run(0, 30, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    line.run(30, 90, |s| vec![runs(50 * s), Some((JAM, 1, 1_450, 14)), runs(50 * s + 1_450)]);
    line.run(90, 100, |s| vec![runs(50 * s), runs(50 * (s - 60)), runs(100 * s - 3_000)]);
    assert_eq!(line.stops(), []);
    assert_eq!(line.events(EventKind::Stop).count(), 0);
    let told: Vec<_> = line.events(EventKind::Alarm).filter(|e| e.word == "part_stop").collect();
    let [began, over] = told[..] else { panic!("{told:?}") };
    assert_eq!(began.station, Some(StationId::new("CF02")));
    let s = |us: i64| (us - moment(0.0).utc_us) as f64 / 1e6;
    // Since the reading of the first that was the last one before it: what both are known to.
    assert_eq!((began.from_us.map(s), over.from_us.map(s)), (Some(30.1), Some(30.1)));
    assert!((40.0..42.0).contains(&s(began.at_us)), "{}", s(began.at_us));
    assert_eq!(s(over.at_us), 90.1);
    let status = line.tracker.status(moment(100.0));
    assert_eq!((status.state.state, status.state.class), (State::Execute, TimeClass::Run));
}

/// Alarms of one machine that stands while another runs.
fn part_stops(line: &Line) -> Vec<&Event> {
    line.events(EventKind::Alarm).filter(|event| event.word == "part_stop").collect()
}

#[test]
fn one_machine_that_stands_is_told_as_a_stop_of_the_line_would_be() {
    let jam = Some((JAM, 1, 1_450, 14));
    let told = |model: LineModel, one: Option<Shown>| {
        let mut line = Line::new(model);
        line.run(0, 30, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
        line.run(30, 90, |s| vec![runs(50 * s), one, runs(50 * s + 1_450)]);
        part_stops(&line).len()
    };
    assert_eq!(told(model(2), jam), 1);
    let long = LineModel { micro_stop_us: 300_000_000, ..model(2) };
    assert_eq!(told(long, jam), 0, "shorter than a stop that is no micro-stop");
    assert_eq!(told(model(2), Some((CLEANED, 0, 1_450, 14))), 0, "it is set up");
    let midday = |hour| jiff::civil::time(hour, 0, 0, 0);
    let rule = ShiftRule { name: "meal".into(), start: midday(8), end: midday(9) };
    let calendar = Calendar::new(jiff::tz::TimeZone::UTC, Vec::new()).with_breaks(vec![rule]);
    assert_eq!(told(LineModel { calendar, ..model(2) }, jam), 0, "the calendar plans it");
}

#[test]
fn one_machine_that_stands_and_runs_in_turn_is_told_once_an_hour() {
    let mut line = Line::new(model(2));
    let mut good = 0;
    for second in 0..7_200_u64 {
        let stands = second % 60 >= 30;
        good += if stands { 0 } else { 50 };
        let second_one = if stands { Some((JAM, 1, good, 0)) } else { Some((RUN, 0, good, 0)) };
        line.second(second as f64, &[runs(50 * second), second_one, runs(50 * second + good)]);
    }
    let told: Vec<bool> =
        part_stops(&line).iter().map(|event| event.detail.starts_with("over")).collect();
    assert_eq!(told, [false, true, false, true]);
}

#[test]
fn one_machine_that_stands_is_not_told_again_after_a_silence_or_a_restart() {
    let jam = Some((JAM, 1, 1_450, 14));
    let mut line = Line::new(model(2));
    line.run(0, 30, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    line.run(30, 60, |s| vec![runs(50 * s), jam, runs(50 * s + 1_450)]);
    assert_eq!(part_stops(&line).len(), 1);
    // The other one is not seen for a while: nothing is over, and nothing begins.
    line.run(60, 80, |s| vec![None, jam, runs(50 * s + 1_450)]);
    line.run(80, 100, |s| vec![runs(50 * s), jam, runs(50 * s + 1_450)]);
    assert_eq!(part_stops(&line).len(), 1);
    let Changes { baselines, states, booked_to, .. } = line.changes.clone();
    let past = Past { last: Some(booked_to), same_boot: true, ..Past::default() };
    let carry = Carry { baselines, states, past, same_boot: true, ..Carry::default() };
    line.tracker = LineTracker::new(model(2), moment(105.0), carry);
    line.run(105, 130, |s| vec![runs(50 * s), jam, runs(50 * s + 1_450)]);
    assert_eq!(part_stops(&line).len(), 1);
    line.run(130, 140, |s| vec![runs(50 * s), runs(50 * (s - 100)), runs(100 * s - 5_000)]);
    let over = part_stops(&line)[1];
    assert!(over.detail.contains("it runs again"), "{}", over.detail);
    let s = |us: i64| (us - moment(0.0).utc_us) as f64 / 1e6;
    assert_eq!((over.from_us.map(s), s(over.at_us)), (Some(30.1), 130.1));
}

/// A planned stop from 08:00:10 on, in which the second machine stands and the first goes on.
#[test]
fn one_machine_that_stands_while_nothing_is_planned_to_be_made_is_not_told_after_a_restart() {
    let jam = Some((JAM, 1, 1_450, 14));
    let begins = jiff::civil::time(8, 0, 10, 0);
    let told = |ends: jiff::civil::Time| {
        let rule = ShiftRule { name: "meal".into(), start: begins, end: ends };
        let calendar = Calendar::new(jiff::tz::TimeZone::UTC, Vec::new()).with_breaks(vec![rule]);
        let model = || LineModel { calendar: calendar.clone(), ..model(2) };
        let mut line = Line::new(model());
        line.run(0, 30, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
        line.run(30, 60, |s| vec![runs(50 * s), jam, runs(50 * s + 1_450)]);
        assert_eq!(part_stops(&line).len(), 0, "it is planned");
        let Changes { baselines, states, booked_to, .. } = line.changes.clone();
        let past = Past { last: Some(booked_to), same_boot: true, ..Past::default() };
        let carry = Carry { baselines, states, past, same_boot: true, ..Carry::default() };
        line.tracker = LineTracker::new(model(), moment(62.0), carry);
        line.run(62, 80, |s| vec![runs(50 * s), jam, runs(50 * s + 1_450)]);
        let s = |us: i64| (us - moment(0.0).utc_us) as f64 / 1e6;
        let told = part_stops(&line);
        told.iter().map(|event| (event.from_us.map(s), s(event.at_us))).collect::<Vec<_>>()
    };
    assert_eq!(told(jiff::civil::time(9, 0, 0, 0)), []);
    // Planned until just before the restart: it stands alone since then, and has not for long enough by the restart.
    let [(from, at)] = told(jiff::civil::time(8, 0, 55, 0))[..] else { panic!("told once") };
    assert_eq!(from, Some(55.0));
    assert!((65.0..67.0).contains(&at), "{at}");
}

/// The rate of machines side by side while one of them is silent: it is that of the time in which both were read.
/// Shows: CNT-12
#[test]
fn what_one_machine_makes_alone_is_in_no_speed() {
    let rates = |line: &Line, at: u32| -> Vec<Option<f64>> {
        line.tracker.status(moment(f64::from(at))).speeds.iter().map(|s| s.per_minute).collect()
    };
    let close = |rate: Option<f64>| rate.is_some_and(|rate| (rate - 6_000.0).abs() < 90.0);
    let mut line = Line::new(model(2));
    line.run(0, 900, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    line.run(900, 1_200, |s| vec![runs(50 * s), None, runs(100 * s)]);
    let silent = rates(&line, 1_200);
    assert_eq!(silent[..2], [None, None], "nothing is known of the last minute");
    assert!(close(silent[2]) && close(silent[3]), "{silent:?}");
    line.run(1_200, 1_260, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    let rates = rates(&line, 1_260);
    assert!(rates.iter().all(|rate| close(*rate)), "{rates:?}");
    let status = line.tracker.status(moment(1_260.0));
    let shift = status.shift.expect("a shift");
    let left = (shift.end_us - moment(1_260.0).utc_us) as f64 / 60e6;
    let forecast = shift.forecast.expect("both are read") as f64;
    assert!((forecast / (6_000.0 * left) - 1.0).abs() < 0.03, "{forecast} in {left} min");
    // Negative control: all that was made over the time that is known is more than both can make together.
    let (known_us, good) = (shift.time.known(), shift.good.since(shift.gap).best());
    let all = good as f64 * 60e6 / known_us as f64;
    assert!(all > 6_500.0, "{all}");
}

/// Of a single machine too: its counts go on while its state has a code that nobody knows.
#[test]
fn what_is_made_in_an_unknown_state_is_in_no_speed() {
    let mut line = Line::new(LineModel { counting: 0..1, ..model(1) });
    line.run(0, 600, |s| vec![runs(50 * s), runs(50 * s)]);
    line.run(600, 900, |s| vec![Some((99, 0, 50 * s, s / 2)), runs(50 * s)]);
    let status = line.tracker.status(moment(900.0));
    let rate = status.speeds[2].per_minute.expect("ten of fifteen minutes are known");
    assert!((rate - 3_000.0).abs() < 30.0, "{rate}");
    assert!((590.0..601.0).contains(&(status.speeds[2].covered_us as f64 / 1e6)));
    assert_eq!(line.tracker.total(), Count::exact(899 * 50), "and it is counted");
}

/// Shows: CNT-13
#[test]
fn a_line_stands_since_the_last_of_its_machines_stopped_and_as_that_one() {
    let mut line = Line::new(model(2));
    line.run(0, 30, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    let jam = Some((JAM, 1, 1_450, 14));
    line.run(30, 40, |s| vec![jam, runs(50 * s), runs(50 * s + 1_450)]);
    // Nothing told by the first for the time before; now the second waits for powder.
    let empty = Some((NO_POWDER, 3, 1_950, 19));
    line.run(40, 60, |_| vec![jam, empty, runs(3_400)]);
    line.run(60, 70, |s| vec![runs(50 * (s - 30)), empty, runs(3_400 + 50 * (s - 60))]);
    let key = KeyCause::Undecided(Vec::new());
    assert_eq!(line.stops(), [(40.1, Some(60.0), Cause::Starved, Some(3), key)]);
    let told: Vec<_> = line.events(EventKind::Stop).collect();
    let [stop] = told[..] else { panic!("{told:?}") };
    assert_eq!(stop.station, Some(StationId::new("CF02")));
    assert_eq!((stop.word.as_str(), stop.detail.as_str()), ("external", "powder low"));
    assert_eq!(stop.at_us - stop.from_us.expect("a span"), 19_900_000);
}

/// What a machine told before it fell silent is the reason of that stop, and of no silence after it.
#[test]
fn a_silence_has_no_reason_of_the_stop_before_it() {
    let mut line = Line::new(model(1));
    line.run(0, 30, |s| vec![runs(50 * s), runs(50 * s)]);
    let empty = Some((NO_POWDER, 3, 1_450, 14));
    line.run(30, 40, |_| vec![empty, runs(1_450)]);
    line.run(40, 60, |_| vec![None, None]);
    line.run(60, 70, |s| vec![runs(50 * s), runs(50 * s)]);
    let told: Vec<_> =
        line.stops().into_iter().map(|(_, _, cause, reason, _)| (cause, reason)).collect();
    assert_eq!(told, [(Cause::Starved, Some(3)), (Cause::NoSignal, None)]);
}

/// Shows: CNT-13
#[test]
fn a_line_is_unknown_since_one_of_its_machines_was_heard_last() {
    let mut line = Line::new(model(2));
    line.run(0, 30, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    line.run(30, 60, |s| vec![runs(50 * s), None, runs(100 * s)]);
    let status = line.tracker.status(moment(59.5));
    assert_eq!(status.state.state, State::Unknown);
    assert_eq!(status.state.station, StationId::new("CF02"));
    line.run(60, 70, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    let none = KeyCause::None;
    assert_eq!(line.stops(), [(29.1, Some(60.1), Cause::NoSignal, None, none)]);
    // What was made meanwhile is counted, and each second of the line is in one class.
    assert_eq!(line.tracker.total(), Count::exact(69 * 100));
    let minutes: Vec<i64> = line.tracker.account.closed.iter().map(|m| m.time.total()).collect();
    assert!(minutes.iter().all(|us| *us <= 60_000_000), "{minutes:?}");
}

#[test]
fn what_happened_between_two_readings_of_the_slower_machine_is_not_lost() {
    // The first stood for two seconds while the second, which stood, was read only every three seconds.
    let mut line = Line::new(model(2));
    let still = Some((JAM, 1, 500, 5));
    line.run(0, 10, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    for second in 10..40_u64 {
        let first =
            if (20..22).contains(&second) { Some((JAM, 1, 1_000, 10)) } else { runs(50 * second) };
        line.tracker.advance(&read(second as f64, 0, first));
        if second.is_multiple_of(3) {
            line.tracker.advance(&read(second as f64 + 0.5, 1, still));
        }
    }
    let changes = line.tracker.take_changes();
    let stops: Vec<_> = changes.stops.iter().filter(|stop| stop.cause == Cause::Internal).collect();
    let [stop] = stops[..] else { panic!("{stops:?}") };
    assert_eq!((stop.from, stop.to), (moment(20.0), Some(moment(22.0))));
    let told: Vec<_> = changes.events.iter().filter(|e| e.kind == EventKind::Stop).collect();
    let [told] = told[..] else { panic!("{told:?}") };
    assert_eq!((told.from_us, told.at_us), (Some(moment(20.0).utc_us), moment(22.0).utc_us));
}

/// The first waits for powder for a second, runs, and is jammed for a second, all between two readings of the other.
/// Shows: CNT-13
#[test]
fn a_short_stop_has_the_reason_of_its_own_time() {
    let mut line = Line::new(model(2));
    let still = Some((JAM, 1, 500, 5));
    line.run(0, 10, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    for second in 10..40_u64 {
        let first = match second {
            19 => Some((NO_POWDER, 3, 950, 9)),
            // How it is when the slower machine is read: it stands again, for another reason.
            21 => Some((JAM, 1, 1_050, 10)),
            _ => runs(50 * second),
        };
        line.tracker.advance(&read(second as f64, 0, first));
        if second.is_multiple_of(3) {
            line.tracker.advance(&read(second as f64 + 0.5, 1, still));
        }
    }
    let changes = line.tracker.take_changes();
    let told: Vec<_> = changes.events.iter().filter(|e| e.kind == EventKind::Stop).collect();
    let reasons: Vec<&str> = told.iter().map(|event| event.detail.as_str()).collect();
    assert_eq!(reasons, ["powder low", "capsule jam"]);
    let stops = changes.stops.iter().filter(|stop| stop.reason.is_some());
    assert_eq!(stops.map(|stop| stop.reason).collect::<Vec<_>>(), [Some(3), Some(1)]);
}

fn read(at: f64, device: u16, shown: Option<Shown>) -> Snapshot {
    let (state, reason, good, rejected) = shown.expect("a reading");
    Snapshot { device, ..poll(at, &[state, reason, good + rejected, good, rejected]) }
}

/// Shows: CNT-07, CNT-12
#[test]
fn the_balance_behind_machines_side_by_side_needs_all_of_them() {
    let alarms = |model: LineModel| {
        let mut line = Line::new(model);
        // What both made enters the polisher three seconds later.
        let polished = |s: u64| {
            let passed = 100 * s.saturating_sub(3);
            Some((RUN, 0, passed - passed / 100, passed / 100))
        };
        line.run(0, 3_600, |s| vec![runs(50 * s), runs(50 * s), polished(s)]);
        let miscounts = line.events(EventKind::Alarm).filter(|event| event.word == "miscount");
        miscounts.map(|event| event.detail.clone()).collect::<Vec<_>>()
    };
    assert_eq!(alarms(model(2)), Vec::<String>::new());
    // Negative control: the same capsules, with one inlet left out.
    let one = LineModel { counting: 1..2, ..model(2) };
    assert!(!alarms(one).is_empty(), "a way with one inlet of two is too empty");
}

#[test]
fn an_order_waits_until_both_were_read() {
    let mut line = Line::new(model(2));
    line.run(0, 10, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    let given = moment(9.5);
    assert!(!line.tracker.is_read_since(given));
    line.tracker.advance(&read(10.0, 0, runs(500)));
    assert!(!line.tracker.is_read_since(given), "the second may have made some since then");
    line.tracker.advance(&read(10.1, 1, runs(500)));
    assert!(line.tracker.is_read_since(given));
    let alone = Line::new(model(1)).tracker;
    assert!(alone.is_read_since(given), "one machine brings all of the output");
}

/// The window of a change of batch can be over at a reading of the machine that tells none.
/// Shows: CNT-08
#[test]
fn a_batch_that_the_machine_takes_over_is_told_at_the_reading_of_any_of_them() {
    let batch = "[[tag]]\nid = \"CF01.batch\"\nregister = \"holding 20\"\ntype = \"u16\"\nrole = \"batch_id\"\n";
    let maps = [filler("CF01") + batch, filler("CF02"), polisher()];
    let maps: Vec<&str> = maps.iter().map(String::as_str).collect();
    let mut tracker = LineTracker::new(
        LineModel { counting: 0..2, ..line_of(&maps) },
        moment(0.0),
        Carry::default(),
    );
    let mut decided = Vec::new();
    for second in 0..20_u64 {
        let good = 50 * second;
        let mut first = read(second as f64, 0, runs(good));
        let Outcome::Taken(readings) = &mut first.outcome else { unreachable!() };
        let id = if second < 10 { "" } else { "M7" };
        let value = Value::Text(id.into());
        readings.push(Reading { tag: 5, value, ..readings[0].clone() });
        for snapshot in [first, read(second as f64 + 0.1, 1, runs(good))] {
            tracker.advance(&snapshot);
            let events = tracker.take_changes().events;
            let told =
                events.iter().filter(|event| event.detail.starts_with("told by the machine"));
            decided.extend(told.map(|event| (snapshot.device, event.word.clone())));
        }
        if second == 2 {
            let act = Act::Open { id: "A".into(), product: "".into() };
            tracker.order(&Order { act, by: "li".into() }).expect("the machine tells no batch");
        }
    }
    assert_eq!(decided, [(1, "M7".to_owned())]);
}

#[test]
fn a_second_machine_joins_a_line_that_runs() {
    let mut line = Line::new(LineModel { counting: 0..1, ..model(2) });
    line.run(0, 20, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    assert_eq!(line.tracker.total(), Count::exact(19 * 50));
    let onward = crate::line::tracker::Onward {
        untouched: ["CF01", "CF02", "PS02"].map(StationId::new).into(),
        ..crate::line::tracker::Onward::default()
    };
    let followed_to = line.tracker.followed_to();
    line.tracker.change(model(2), &onward, followed_to);
    line.run(20, 40, |s| vec![runs(50 * s), runs(50 * s), runs(100 * s)]);
    assert_eq!(line.tracker.total(), Count::exact(39 * 100));
    assert_eq!(line.stops(), []);
    assert_eq!(
        line.tracker.model().output(),
        Output::of(vec![StationId::new("CF01"), StationId::new("CF02")]).unwrap()
    );
}
