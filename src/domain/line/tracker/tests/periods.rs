//! The text cases of `tests/cases/periods`: shifts and hours as the screen shows them and as they are stored. The language
//! is explained in `tests/cases/periods/README.md`.

use std::path::Path;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::script::{Journal, START_US, Step, model, moment, play_on, read};
use crate::line::calendar::{Calendar, ShiftRule};
use crate::line::minute::{Counted, Tally};
use crate::line::rollup::{PeriodKind, Rollup};
use crate::line::tracker::LineTracker;
use crate::units::{Count, HOUR_US, MINUTE_US, Moment, StationId};

#[test]
fn the_screen_and_the_record_show_the_same_periods() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/periods");
    let mut wrong = Vec::new();
    let mut n_expected = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("a case").path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let text = std::fs::read_to_string(&path).expect("a readable case");
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            n_expected += run(&name, &text, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(n_expected >= 15, "only {n_expected} expectations were found");
}

/// Runs all cases of one file and returns how many expectations there were.
fn run(name: &str, text: &str, wrong: &mut Vec<String>) -> usize {
    let mut n_expected = 0;
    let mut case = Case::default();
    for (at, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", at + 1);
        let line = line.split('#').next().unwrap_or_default().trim();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => {}
            "case" => case = Case::default(),
            "expect" => {
                n_expected += 1;
                wrong.extend(
                    case.differences(rest).into_iter().map(|why| format!("{place}: {why}")),
                );
            }
            _ => case
                .add(word, rest)
                .unwrap_or_else(|| panic!("{place}: {line:?} is no line of a case")),
        }
    }
    n_expected
}

#[derive(Default)]
struct Case {
    rules: Vec<ShiftRule>,
    steps: Vec<Step>,
    register: u64,
    polled: bool,
    /// What the last reading said.
    shown: String,
    clock_step_us: i64,
    /// When the service starts: with the first line that says a time.
    start: Option<Moment>,
    now: Moment,
}

impl Case {
    fn add(&mut self, word: &str, rest: &str) -> Option<()> {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let number = |i: usize| words.get(i)?.parse::<f64>().ok();
        match word {
            "shifts" => self.rules = rest.split(',').map(rule).collect::<Option<_>>()?,
            "made" => self.register += number(0)? as u64,
            "step" => self.clock_step_us += (number(0)? * 1e6) as i64,
            "check" | "restart" => self.step(&format!("{} {word}", number(0)?)),
            "run" => {
                let (from, to, every, per_poll) = (number(0)?, number(1)?, number(2)?, number(3)?);
                let polls = ((to - from) / every) as u32;
                for i in 0..=polls {
                    self.register += if self.polled { per_poll as u64 } else { 0 };
                    self.polled = true;
                    let (at, good) = (from + f64::from(i) * every, self.register % 65_536);
                    let uptime = 5_000 + at as u64;
                    self.shown = format!("CF01.fast state=execute uptime={uptime} good={good}");
                    self.step(&format!("{at} {}", self.shown));
                }
            }
            "still" => {
                let (from, to, every) = (number(0)?, number(1)?, number(2)?);
                for i in 0..=((to - from) / every) as u32 {
                    self.step(&format!("{} {}", from + f64::from(i) * every, self.shown));
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn step(&mut self, text: &str) {
        for mut step in read(text) {
            let at = match &mut step {
                Step::Snapshot(snapshot) => &mut snapshot.taken_at,
                Step::Check(at) | Step::Restart(at) | Step::Kill(at) => at,
            };
            at.utc_us += self.clock_step_us;
            self.now = *at;
            self.start.get_or_insert(*at);
            self.steps.push(step);
        }
    }

    /// What is not as expected: of the screen, of the record.
    fn differences(&self, expected: &str) -> Vec<String> {
        let mut model = model();
        model.calendar = Calendar::new(TimeZone::UTC, self.rules.clone());
        let start = self.start.unwrap_or(moment(0.0));
        let (tracker, journal) = play_on(&model, start, &self.steps, |i| i % 7 == 0);
        let name = expected.split(" good ").next().unwrap_or_default();
        let stored = stored(&journal, self.now.utc_us).into_iter().find(|text| is_of(text, name));
        let mut wrong = Vec::new();
        match &stored {
            Some(stored) if stored == expected => {}
            stored => wrong.push(format!("expected {expected:?}, stored {stored:?}")),
        }
        let (present, shown) = shown(&tracker, self.now);
        match shown.into_iter().find(|text| is_of(text, name)) {
            Some(shown) if shown == expected => {}
            None if name.starts_with("shift") && name != present => {}
            shown => wrong.push(format!("expected {expected:?}, shown {shown:?}")),
        }
        wrong
    }
}

fn rule(text: &str) -> Option<ShiftRule> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let time = |i: usize| words.get(i)?.parse::<Time>().ok();
    let (start, end) = (time(1)?, time(2)?);
    Some(ShiftRule { name: (*words.first()?).into(), start, end })
}

fn is_of(text: &str, name: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '))
}

/// What the record holds of shifts and hours.
fn stored(journal: &Journal, now_us: i64) -> Vec<String> {
    let filler = StationId::new("CF01");
    let tell = |rollup: &Rollup| {
        let name = match rollup.kind {
            PeriodKind::Shift => format!("shift {}", rollup.name),
            _ => hour_name(rollup.start_us),
        };
        let is_good = |counted: &Counted| *counted == Counted::Good;
        let gaps = rollup.gaps.iter().filter(|t| t.station == filler && is_good(&t.counted));
        let known = rollup.spending.known_share(rollup.passed_us(now_us));
        told(
            &name,
            rollup.count(&filler, &Counted::Good),
            gaps.map(|tally| tally.count).sum(),
            rollup.spending.target(6_500),
            known.unwrap_or(0.0),
        )
    };
    let wanted = |rollup: &&Rollup| rollup.kind != PeriodKind::Batch;
    journal.rollups.values().filter(wanted).map(tell).collect()
}

/// What the screen shows: the name of the present shift, and it and its hours as they stand there, without what is unread:
/// that is in no record yet.
fn shown(tracker: &LineTracker, now: Moment) -> (String, Vec<String>) {
    let status = tracker.status(now);
    let Some(shift) = status.shift else { return (String::new(), Vec::new()) };
    let name = format!("shift {}", shift.name);
    let known = shift.coverage.unwrap_or(0.0);
    let good = |tally: &Tally| tally.counted == Counted::Good && tally.station.as_str() == "CF01";
    let unread = status.unread.iter().map(|unread| &unread.tally).find(|tally| good(tally));
    let unread = unread.map_or(Count::ZERO, |tally| tally.count);
    let stored = shift.good.since(unread);
    let mut all = vec![told(&name, stored, shift.gap, shift.target_now, known)];
    let n = status.hours.len();
    all.extend(status.hours.iter().enumerate().map(|(i, hour)| {
        let unread = if i + 1 == n { unread } else { Count::ZERO };
        let good = (hour.good + hour.gap).since(unread);
        told(&hour_name(hour.start_us), good, hour.gap, hour.target, hour.coverage)
    }));
    (name, all)
}

fn hour_name(start_us: i64) -> String {
    let of_day_us = (start_us - START_US + 8 * HOUR_US).rem_euclid(24 * HOUR_US);
    format!("hour {:02}:{:02}", of_day_us / HOUR_US, of_day_us % HOUR_US / MINUTE_US)
}

fn told(name: &str, good: Count, gap: Count, target: u64, known: f64) -> String {
    format!("{name} good {good} gap {gap} target {target} known {:.1}", known * 100.0)
}

/// The negative control: a shift that took a gap wholly would be noticed.
#[test]
fn a_gap_booked_wholly_to_one_shift_would_be_noticed() {
    let mut wrong = Vec::new();
    let case = "case x\nshifts A 00:00 08:10, B 08:10 00:00\nrun 0 590 1 100\nmade 1900\nrun 610 700 1 100\n";
    let naive = "expect shift B good 11000 gap 2000 target 10833 known 90.0\n";
    assert_eq!(run("naive", &format!("{case}{naive}"), &mut wrong), 1);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}
