//! A line that goes on under another configuration while it runs.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::script::{Journal, Step, model, model_with, moment, read};
use crate::line::calendar::{Calendar, ShiftRule};
use crate::line::counter::Baseline;
use crate::line::event::EventKind;
use crate::line::minute::Counted;
use crate::line::rollup::PeriodKind;
use crate::line::tracker::{Carry, LineModel, LineTracker, Onward};
use crate::reading::Outcome;
use crate::units::{Count, StationId, TagId};

/// Both stations are heard, run and count; the weigher with every reading of the filler.
const BEGIN: &str = "
    0    CF01.fast  state=execute good=100 bad=20 uptime=7000
    0.1  CW04.fast  n=40
    0.5  CF01.fast  state=execute good=150 bad=22 uptime=7001
    0.6  CW04.fast  n=85
";

struct Line {
    tracker: LineTracker,
    journal: Journal,
    /// The last baseline of every counter there ever was, as the journal keeps them.
    baselines: Vec<(TagId, Baseline)>,
}

impl Line {
    fn begin() -> Line {
        let tracker = LineTracker::new(model(), moment(0.0), Carry::default());
        let mut line = Line { tracker, journal: Journal::default(), baselines: Vec::new() };
        line.play(BEGIN);
        line
    }

    /// Plays readings at the positions of the first model.
    fn play(&mut self, script: &str) {
        for step in read(script) {
            match step {
                Step::Snapshot(snapshot) => self.tracker.advance(&snapshot),
                Step::Check(now) => self.tracker.check(now),
                Step::Restart(_) | Step::Kill(_) => panic!("no part of these cases"),
            }
        }
        self.journal.store(self.tracker.take_changes());
        let now = &self.journal.baselines;
        self.baselines.retain(|(tag, _)| now.iter().all(|(other, _)| other != tag));
        self.baselines.extend(now.iter().cloned());
    }

    fn change(&mut self, model: LineModel, untouched: &[&str]) {
        let onward = Onward {
            untouched: untouched.iter().map(|id| StationId::new(*id)).collect(),
            baselines: self.baselines.clone(),
            same_boot: true,
        };
        let now = self.tracker.followed_to();
        self.tracker.change(model, &onward, now);
    }

    fn total(&self, tag: &str) -> Count {
        self.tracker.total_of(&TagId::new(tag)).unwrap_or_default()
    }

    fn words(&self, kind: EventKind) -> Vec<String> {
        let events = self.journal.events.iter().filter(|event| event.kind == kind);
        let name = |event: &crate::line::event::Event| {
            let tag = event.tag.as_ref().map(TagId::to_string);
            let station = || event.station.as_ref().map(StationId::to_string);
            format!("{} {}", event.word, tag.or_else(station).unwrap_or_default())
        };
        events.map(name).collect()
    }

    /// What open and closed minutes hold.
    fn in_minutes(&self, station: &str, counted: &Counted) -> Count {
        let station = StationId::new(station);
        self.journal.minutes.values().map(|minute| minute.count(&station, counted)).sum()
    }
}

const ON: &str = "
    1.0  CF01.fast  state=execute good=200 bad=25 uptime=7001
    1.1  CW04.fast  n=130
    1.5  CF01.fast  state=execute good=260 bad=25 uptime=7002
    1.6  CW04.fast  n=180
    3.0  check
";

#[test]
fn what_is_untouched_goes_on_as_if_nothing_had_happened() {
    let mut unchanged = Line::begin();
    unchanged.play(ON);
    let mut line = Line::begin();
    line.change(LineModel { target_per_minute: 5_000, ..model() }, &["CF01", "CW04"]);
    assert_eq!(line.tracker.status(moment(0.7)).target_per_minute, 5_000);
    line.play(ON);
    assert_eq!(line.journal.told(), unchanged.journal.told());
    assert_eq!(line.journal.stops, unchanged.journal.stops);
    assert_eq!(line.journal.baselines, unchanged.journal.baselines);
    let periods = |line: &Line| -> Vec<_> {
        line.journal.rollups.values().map(|r| (r.counts.clone(), r.spending)).collect()
    };
    assert_eq!(periods(&line), periods(&unchanged));
}

#[test]
fn a_device_that_is_read_anew_counts_on_and_its_neighbour_does_not_notice() {
    let mut line = Line::begin();
    let renamed = model_with(&[("id = \"good\"", "id = \"capsules\"")]);
    line.change(renamed, &["CW04"]);
    line.play(ON);
    assert_eq!((line.total("capsules"), line.total("bad")), (Count::exact(160), Count::exact(5)));
    assert_eq!(line.total("n"), Count::exact(140));
    assert_eq!(line.tracker.total(), Count::exact(160));
    assert_eq!(line.in_minutes("CF01", &Counted::Good), Count::exact(160));
    assert_eq!(line.words(EventKind::Link), ["up CF01", "up CW04"], "no link went down");
    assert_eq!(line.words(EventKind::Count), ["first good", "first bad", "first n"]);
    assert_eq!(line.journal.stops.len(), 0);
}

#[test]
fn exchanged_registers_are_no_difference_and_no_count_is_missing() {
    let mut line = Line::begin();
    let exchanged = model_with(&[
        ("\"holding 7\"", "\"holding 99\""),
        ("\"holding 8\"", "\"holding 7\""),
        ("\"holding 99\"", "\"holding 8\""),
    ]);
    line.change(exchanged, &["CW04"]);
    // The good ones were at most 59 and a step since 0.5 s; each shows the other's value now.
    line.play(
        "
        1.0  CF01.fast  state=execute good=20 bad=160 uptime=7001
        1.5  CF01.fast  state=execute good=22 bad=220 uptime=7002
    ",
    );
    let most = 59 + 50;
    for (tag, before, after) in [("good", 50, 2), ("bad", 2, 60)] {
        let seen = before + after;
        assert_eq!(line.total(tag), Count::between(seen, seen, seen + most), "{tag}");
    }
    assert_eq!(line.words(EventKind::Count)[3..], ["preset good", "preset bad"]);
    assert_eq!(line.in_minutes("CF01", &Counted::Good), line.total("good"));
}

#[test]
fn a_device_that_goes_and_comes_back_leaves_its_counts_and_goes_on_from_them() {
    let mut line = Line::begin();
    let alone = LineModel { stations: vec![model().stations[0].clone()], ..model() };
    line.change(alone.clone(), &["CF01"]);
    line.play(
        "
        1.0  CF01.fast  state=execute good=200
    ",
    );
    assert_eq!(line.in_minutes("CW04", &Counted::Good), Count::exact(45), "in the open minute");
    let hour = line.journal.rollups.values().find(|r| r.kind == PeriodKind::Hour).unwrap();
    let of = |station: &str| {
        let tallies = hour.counts.iter().filter(|tally| tally.station.as_str() == station);
        tallies.map(|tally| tally.count).sum::<Count>()
    };
    assert_eq!((of("CF01"), of("CW04")), (Count::exact(102), Count::exact(45)));
    // A restart meanwhile loses nothing of the open periods either.
    line.tracker = LineTracker::new(alone, moment(1.1), line.journal.carry());
    line.play(
        "
        1.5  CF01.fast  state=execute good=250
    ",
    );
    let held = line.journal.rollups.values().find(|r| r.kind == PeriodKind::Hour).unwrap();
    let weighed = held.counts.iter().filter(|tally| tally.station.as_str() == "CW04");
    assert_eq!(weighed.map(|tally| tally.count).sum::<Count>(), Count::exact(45));
    line.change(model(), &["CF01"]);
    line.play(
        "
        9.0  CW04.fast  n=700
        9.1  CF01.fast  state=execute good=900
    ",
    );
    assert_eq!(line.total("n"), Count::exact(660), "what it made meanwhile is counted");
    assert_eq!(line.words(EventKind::Count).last().unwrap(), "gap good");
    assert!(line.words(EventKind::Count).contains(&"gap n".to_owned()));
}

#[test]
fn positions_may_change_while_two_devices_exchange_places() {
    let mut line = Line::begin();
    let turned = LineModel {
        stations: model().stations.iter().rev().cloned().collect(),
        counting: 1..2,
        ..model()
    };
    line.change(turned, &["CF01", "CW04"]);
    for step in read(ON) {
        match step {
            Step::Snapshot(mut snapshot) => {
                snapshot.device = 1 - snapshot.device;
                assert!(matches!(snapshot.outcome, Outcome::Taken(_)));
                line.tracker.advance(&snapshot);
            }
            Step::Check(now) => line.tracker.check(now),
            Step::Restart(_) | Step::Kill(_) => panic!("no part of these cases"),
        }
    }
    line.journal.store(line.tracker.take_changes());
    assert_eq!((line.total("good"), line.total("n")), (Count::exact(160), Count::exact(140)));
    assert_eq!(line.in_minutes("CW04", &Counted::Good), Count::exact(140));
    assert_eq!(line.tracker.total(), Count::exact(160));
}

#[test]
fn another_shift_begins_where_the_calendar_changed() {
    let shift = |name: &str, start, end| ShiftRule {
        name: name.into(),
        start: Time::constant(start, 0, 0, 0),
        end: Time::constant(end, 0, 0, 0),
    };
    let calendar = |rules| Calendar::new(TimeZone::UTC, rules);
    let mut line = Line::begin();
    // Until now the local day was one shift.
    let rules = vec![shift("A", 6, 14), shift("B", 14, 6)];
    line.change(LineModel { calendar: calendar(rules), ..model() }, &["CF01", "CW04"]);
    line.play(ON);
    let shifts = |line: &Line| -> Vec<(String, i64, Count)> {
        let of = line.journal.rollups.values().filter(|r| r.kind == PeriodKind::Shift);
        let good = |rollup: &crate::line::rollup::Rollup| {
            let good = rollup
                .counts
                .iter()
                .filter(|tally| tally.station.as_str() == "CF01" && tally.counted == Counted::Good);
            good.map(|tally| tally.count).sum()
        };
        of.map(|r| {
            (r.name.to_string(), (r.end_us.unwrap() - super::script::START_US) / 500_000, good(r))
        })
        .collect()
    };
    let six_hours = 6 * 3_600 * 2;
    assert_eq!(
        shifts(&line),
        [("day".to_owned(), 1, Count::exact(50)), ("A".to_owned(), six_hours, Count::exact(110))]
    );
    // A longer shift A is the same one, and so is a change that does not touch shifts.
    let rules = vec![shift("A", 6, 15), shift("B", 15, 6)];
    line.change(LineModel { calendar: calendar(rules), ..model() }, &["CF01", "CW04"]);
    line.play(
        "
        3.1  CF01.fast  state=execute good=300
    ",
    );
    let now = shifts(&line);
    assert_eq!(now.len(), 3, "{now:?}");
    let sum: Count = now.iter().map(|(.., good)| *good).sum();
    assert_eq!(sum, line.total("good"), "shifts add up to the total");
}
