//! The language of the cases.
//!
//! ```text
//! 0.0   CF01.fast  state=execute good=100      what a poll brought; the time in seconds
//! 0.5   CF01.fast  miss timeout 3              three polls that brought nothing
//! 1.0   CW04.fast  n=5@0.8 n=9@1.0             values with the device's own time; a tag may come twice
//! 1.5   CW04.fast                              a keep-alive
//! 2.0   check                                  time passes
//! 2.0   restart                                the service ends and goes on from what it stored
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::line::line_of;
use crate::line::balance::SectionState;
use crate::line::chronicle::Past;
use crate::line::counter::Baseline;
use crate::line::event::{Event, EventKind};
use crate::line::minute::Minute;
use crate::line::rollup::{PeriodKind, Rollup};
use crate::line::second::Seconds;
use crate::line::state::{State, TimeClass};
use crate::line::stop::Stop;
use crate::line::tracker::{Carry, Changes, LineModel, LineTracker};
use crate::line::weighing::Sequence;
use crate::line::weight::{Account, Series, WeightTally};
use crate::plc_map::{Kind, PlcMap, filler_map};
use crate::reading::{Miss, Outcome, Quality, Reading, Snapshot, Value};
use crate::units::{Count, Moment, StationId, TagId};

/// 2026-11-24 08:00:00 UTC: the start of a minute and of an hour.
pub(super) const START_US: i64 = 1_795_507_200_000_000;

const FILLER: &str = filler_map!(
    r#"step = 50
[modbus]
unit = 1
[groups]
fast = "500ms"
slow = "1s"
[states]
3 = "execute"
4 = "suspended"
5 = "held"
[stop_reasons]
1 = { en = "capsule jam", zh = "卡囊" }
[[tag]]
id = "state"
register = "holding 1"
type = "u16"
role = "state"
[[tag]]
id = "reason"
register = "holding 2"
type = "u16"
role = "stop_reason"
[[tag]]
id = "beat"
register = "holding 4"
type = "u16"
role = "heartbeat"
[[tag]]
id = "uptime"
register = "holding 5"
type = "u32"
role = "uptime"
[[tag]]
id = "good"
register = "holding 7"
type = "u16"
role = "good"
[[tag]]
id = "bad"
register = "holding 8"
type = "u16"
role = "reject:no_dose"
resets = "batch"
[[tag]]
id = "batch"
register = "holding 9"
type = "u16"
role = "batch_id"
group = "slow"
[[tag]]
id = "hall"
register = "holding 10"
type = "u16"
role = "condition"
group = "slow"
[[tag]]
id = "slow_uptime"
register = "holding 12"
type = "u32"
role = "condition"
group = "slow"
"#
);

const WEIGHER: &str = r#"
[machine]
station = "CW04"
title = { en = "Weigher", zh = "检重秤" }
protocol = "opcua"
max_per_minute = 6500
step = 5
[opcua]
namespace = "urn:test"
[groups]
fast = "500ms"
[[tag]]
id = "n"
node = "s=n"
type = "u32"
role = "good"
retentive = true
[[tag]]
id = "under"
node = "s=under"
type = "u32"
role = "reject:underweight"
retentive = true
[[tag]]
id = "seq"
node = "s=seq"
type = "u16"
role = "sample:sequence"
[[tag]]
id = "bore[]"
node = "s=bore[]"
type = "u16"
role = "sample:bore"
repeat = 3
[[tag]]
id = "mg[]"
node = "s=mg[]"
type = "u16"
scale = 0.1
role = "sample:weight"
repeat = 3
[[tag]]
id = "tail"
node = "s=tail"
type = "u16"
role = "sample:sequence_tail"
"#;

/// Two stations; the filler counts.
pub(super) fn model() -> LineModel {
    model_with(&[])
}

/// The same with texts of the filler's map replaced.
pub(super) fn model_with(edits: &[(&str, &str)]) -> LineModel {
    let mut filler = FILLER.to_owned();
    for (from, to) in edits {
        assert!(filler.contains(from), "{from} is not in the map");
        filler = filler.replacen(from, to, 1);
    }
    line_of(&[&filler, WEIGHER])
}

/// A moment of a case, in seconds since its start.
pub(super) fn moment(seconds: f64) -> Moment {
    let us = (seconds * 1e6).round() as i64;
    Moment { utc_us: START_US + us, mono_us: 5_000_000_000 + us }
}

/// What a journal would hold: the latest of everything absolute, and all events.
#[derive(Clone, Default)]
pub(super) struct Journal {
    pub(super) baselines: Vec<(TagId, Baseline)>,
    pub(super) minutes: BTreeMap<i64, Minute>,
    pub(super) seconds: BTreeMap<i64, Seconds>,
    pub(super) events: Vec<Event>,
    pub(super) states: Vec<(StationId, State, Option<i64>, i64)>,
    pub(super) stops: BTreeMap<u64, Stop>,
    pub(super) rollups: BTreeMap<(PeriodKind, i64), Rollup>,
    pub(super) balance: Vec<SectionState>,
    pub(super) weighings: Vec<(StationId, Series, Sequence)>,
    pub(super) booked_to: Option<Moment>,
}

impl Journal {
    pub(super) fn store(&mut self, changes: Changes) {
        self.baselines = changes.baselines;
        self.states = changes.states;
        self.weighings = changes.weighings;
        for minute in changes.minutes {
            if let Some(old) = self.minutes.insert(minute.start_us, minute.clone()) {
                assert!(!old.closed, "a closed minute changed: {minute:?}");
                assert!(old.rev < minute.rev, "a change must raise the revision: {minute:?}");
            }
        }
        self.seconds.extend(changes.seconds.into_iter().map(|seconds| (seconds.start_us, seconds)));
        self.events.extend(changes.events);
        for stop in changes.stops {
            if let Some(old) = self.stops.insert(stop.number, stop.clone()) {
                assert!(old.to.is_none() || old.to == stop.to, "an ended stop changed: {stop:?}");
            }
        }
        for rollup in changes.rollups {
            if let Some(old) = self.rollups.insert((rollup.kind, rollup.start_us), rollup.clone()) {
                assert!(!old.closed, "a closed period changed: {rollup:?}");
                assert!(old.rev < rollup.rev, "a change must raise the revision: {rollup:?}");
            }
        }
        if let Some(balance) = changes.balance {
            self.balance = balance;
        }
        self.booked_to = Some(changes.booked_to);
    }

    pub(super) fn carry(&self) -> Carry {
        let carried = |rollup: &&Rollup| !rollup.closed || rollup.kind == PeriodKind::Hour;
        Carry {
            baselines: self.baselines.clone(),
            minutes: self.minutes.values().cloned().collect(),
            seconds: self.seconds.values().filter(|seconds| !seconds.closed).cloned().collect(),
            events: self.events.iter().rev().cloned().collect(),
            states: self.states.clone(),
            same_boot: true,
            weighings: self.weighings.clone(),
            past: Past {
                last_stop: self.stops.keys().next_back().copied().unwrap_or(0),
                open_stop: self.stops.values().find(|stop| stop.to.is_none()).cloned(),
                rollups: self.rollups.values().filter(carried).cloned().collect(),
                balance: self.balance.clone(),
                last: self.booked_to,
                same_boot: true,
            },
        }
    }

    /// What the minutes and gaps hold of a tag.
    pub(super) fn booked(&self, tag: &str) -> Count {
        let model = model();
        let tag = TagId::new(tag);
        let gaps = self.events.iter().filter(|event| {
            event.kind == EventKind::Count
                && event.from_us.is_some()
                && event.tag.as_ref() == Some(&tag)
        });
        let gaps: Count = gaps.filter_map(|event| event.count).sum();
        let position = |map: &Arc<PlcMap>| map.tags.iter().position(|entry| entry.id == tag);
        let mut counted = 0;
        for map in &model.stations {
            match position(map) {
                Some(at) => {
                    counted += map.tags[..at].iter().filter(|t| t.role.counts()).count();
                    break;
                }
                None => counted += map.tags.iter().filter(|t| t.role.counts()).count(),
            }
        }
        gaps + self.minutes.values().map(|minute| minute.tallies[counted].count).sum()
    }

    /// The text that the cases expect.
    pub(super) fn told(&self) -> String {
        let mut told = String::new();
        for event in &self.events {
            let since = |us: i64| (us - START_US) as f64 / 1e6;
            let _ = write!(told, "{:>6} ", since(event.at_us));
            if let Some(from_us) = event.from_us {
                let _ = write!(told, "(since {}) ", since(from_us));
            }
            let _ = write!(told, "{} {}", event.kind.word(), event.word);
            if let Some(name) = &event.tag {
                let _ = write!(told, " of {name}");
            } else if let Some(name) = &event.station {
                let _ = write!(told, " of {name}");
            }
            if let Some(count) = event.count {
                let _ = write!(told, ": {count}");
            }
            let _ = writeln!(
                told,
                "{}",
                if event.detail.is_empty() { "" } else { ": " }.to_owned() + &event.detail
            );
        }
        for minute in self.minutes.values() {
            let _ = write!(told, "minute {}", (minute.start_us - START_US) / 60_000_000);
            let _ = write!(told, "{}:", if minute.closed { "" } else { " (open)" });
            for tally in minute.tallies.iter().filter(|tally| !tally.count.is_zero()) {
                let word = match tally.counted.reason() {
                    "" => tally.counted.word(),
                    reason => reason,
                };
                let _ = write!(told, " {}.{word} {}", tally.station, tally.count);
            }
            for class in TimeClass::ALL {
                let us = minute.time.of(class);
                if us != 0 {
                    let _ = write!(told, " {} {}s", class.word(), us as f64 / 1e6);
                }
            }
            for tally in &minute.weights {
                let WeightTally { bore, moments, account, .. } = tally;
                let Account { records, missed, refused, .. } = account;
                if *bore > 0 {
                    let _ =
                        write!(told, " bore {bore}: {} of {} µg", moments.n(), moments.sum_ug());
                } else if records + missed + refused > 0 {
                    let _ = write!(told, " records {records}, {missed} missed, {refused} refused");
                }
            }
            let _ = writeln!(told, " polls {} missed {}", minute.polls, minute.missed);
        }
        told
    }
}

/// A step of a case.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Snapshot(Snapshot),
    Check(Moment),
    Restart(Moment),
    /// The process is killed and starts again: what was not stored is lost.
    Kill(Moment),
}

/// Reads a case.
pub(super) fn read(script: &str) -> Vec<Step> {
    let model = model();
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| step(&model, line)).collect()
}

fn step(model: &LineModel, line: &str) -> Step {
    let mut words = line.split_whitespace();
    let seconds: f64 =
        words.next().and_then(|t| t.parse().ok()).unwrap_or_else(|| panic!("{line}"));
    let at = moment(seconds);
    let what = words.next().unwrap_or_else(|| panic!("{line}"));
    let Some((station, group)) = what.split_once('.') else {
        return if what == "check" { Step::Check(at) } else { Step::Restart(at) };
    };
    let device = model.stations.iter().position(|map| map.station.as_str() == station);
    let device = device.unwrap_or_else(|| panic!("{line}"));
    let map = &model.stations[device];
    let group = map.groups.iter().position(|entry| &*entry.name == group);
    let words: Vec<&str> = words.collect();
    let (outcome, polls) = match words[..] {
        ["miss", word, polls] => {
            let misses = [Miss::Timeout, Miss::Skipped, Miss::Broken];
            let miss = misses.into_iter().find(|miss| miss.word() == word);
            let miss = miss.unwrap_or_else(|| panic!("{line}"));
            (Outcome::Missed(miss), polls.parse().unwrap_or_else(|_| panic!("{line}")))
        }
        _ => (Outcome::Taken(words.iter().map(|word| reading(map, word)).collect()), 1),
    };
    Step::Snapshot(Snapshot {
        device: device as u16,
        group: group.unwrap_or_else(|| panic!("{line}")) as u16,
        taken_at: at,
        round_trip_us: 1_000,
        polls,
        outcome,
    })
}

fn reading(map: &PlcMap, word: &str) -> Reading {
    let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{word}"));
    let (value, source) = value.split_once('@').map_or((value, None), |(v, at)| (v, Some(at)));
    let tag = map.tags.iter().position(|tag| tag.id.as_str() == name);
    let tag = tag.unwrap_or_else(|| panic!("no tag {name}"));
    let word_code = map.states.iter().find(|(_, state)| state.word() == value);
    let number = word_code.map_or_else(|| value.parse().ok(), |(code, _)| Some(*code as u64));
    assert!(!matches!(map.tags[tag].encoding.kind, Kind::Text(_)), "{word}");
    Reading {
        tag: tag as u16,
        value: Value::Unsigned(number.unwrap_or(0)),
        quality: if value == "bad" { Quality::Bad } else { Quality::Good },
        status: 0,
        source_us: source.and_then(|at| at.parse().ok()).map(|at| moment(at).utc_us),
    }
}

/// Plays a case and stores after every step that `stores` picks.
pub(super) fn play(steps: &[Step], stores: impl Fn(usize) -> bool) -> (LineTracker, Journal) {
    play_on(&model(), moment(0.0), steps, stores)
}

/// The same on a line of which the service starts at `start`.
pub(super) fn play_on(
    model: &LineModel,
    start: Moment,
    steps: &[Step],
    stores: impl Fn(usize) -> bool,
) -> (LineTracker, Journal) {
    let mut journal = Journal::default();
    let mut tracker = LineTracker::new(model.clone(), start, Carry::default());
    for (i, step) in steps.iter().enumerate() {
        match step {
            Step::Snapshot(snapshot) => tracker.advance(snapshot),
            Step::Check(now) => tracker.check(*now),
            Step::Restart(now) => {
                journal.store(tracker.take_changes());
                tracker = LineTracker::new(model.clone(), *now, journal.carry());
            }
            Step::Kill(now) => {
                tracker = LineTracker::new(model.clone(), *now, journal.carry());
            }
        }
        if stores(i) {
            journal.store(tracker.take_changes());
        }
    }
    journal.store(tracker.take_changes());
    (tracker, journal)
}
