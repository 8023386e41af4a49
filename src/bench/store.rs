//! What the embedded store costs and how fast it answers: one table, measured on this machine.
//!
//! The load is made up: lines of twelve counters on two stations, a tick each 250 ms with all readings since the last
//! one. Figures of time are those of this disk; bytes and shares carry over to another one.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::line::counter::{Baseline, BatchChange, Seen};
use domain::line::minute::{Counted, Minute, Tally, TimeSplit};
use domain::line::second::{SecondTally, Seconds, Spell};
use domain::line::state::TimeClass;
use domain::line::tracker::Changes;
use domain::reading::{Outcome, Quality, Reading, Snapshot, Value};
use domain::units::{Count, LineId, MINUTE_US, Moment, Reason, SECOND_US, StationId, TagId};

use crate::historian::{Historian, Options, StoreError, Tick};

/// 2026-01-05T06:00:00Z.
const T0_US: i64 = 1_767_592_800_000_000;
const TICK_US: i64 = 250_000;
const TICKS_A_DAY: u64 = 345_600;
const DAY_MINUTES: i64 = 1_440;
/// Counters of a line.
pub(super) const COUNTERS: u64 = 12;
/// Counters that move every second.
const MOVING: u64 = 6;
/// Minutes of seconds that are asked for.
const SECOND_MINUTES: i64 = 8 * 60;
const TAGS: u64 = 30;
const LINES: u64 = 20;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Ticks of each load.
    pub ticks: u64,
    /// Days of minutes of the twenty lines that are asked.
    pub days: i64,
    /// Times that each question is asked.
    pub questions: u32,
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { ticks: 4_800, days: 31, questions: 9 }
    }
}

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub what: &'static str,
    /// How much.
    pub value: f64,
    /// In what.
    pub unit: &'static str,
    /// What it must be below, where something was promised.
    pub below: Option<f64>,
}

/// The table.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures(pub Vec<Figure>);

/// Measures in a directory, which is left as it was.
///
/// # Errors
/// The store refuses: a full disk, no right to write.
pub fn run(dir: &Path, effort: Effort) -> Result<Figures, StoreError> {
    let mut figures = Vec::new();
    load(&dir.join("one"), Load::DEFAULT, effort, &mut figures)?;
    load(&dir.join("fast"), Load::FAST, effort, &mut figures)?;
    ask(&dir.join("many"), effort, &mut figures)?;
    Ok(Figures(figures))
}

/// A line that is stored.
#[derive(Clone, Copy)]
struct Load {
    polls_a_tick: u64,
    tags: u64,
    names: [&'static str; 5],
    flash_below: Option<f64>,
}

impl Load {
    /// A line as it is set up by default: 10 Hz, 30 tags.
    const DEFAULT: Load = Load {
        polls_a_tick: 5,
        tags: TAGS,
        names: [
            "commit, median, one line at 300 samples/s",
            "commit, 99 of 100, one line at 300 samples/s",
            "written to flash by one line at 300 samples/s",
            "raw readings in the journal, at 300 samples/s",
            "raw readings in files of a day, at 300 samples/s",
        ],
        flash_below: None,
    };
    /// 2,000 samples a second.
    const FAST: Load = Load {
        polls_a_tick: 25,
        tags: 20,
        names: [
            "commit, median, 2,000 samples/s",
            "commit, 99 of 100, 2,000 samples/s",
            "written to flash at 2,000 samples/s",
            "raw readings in the journal, 2,000 samples/s",
            "raw readings in files of a day, 2,000 samples/s",
        ],
        flash_below: Some(12.0),
    };
}

fn load(dir: &Path, load: Load, effort: Effort, out: &mut Vec<Figure>) -> Result<(), StoreError> {
    let historian = Historian::open(dir, Options::default())?;
    let before = written();
    for seq in 1..=effort.ticks {
        store(&historian, tick(&LineId::new("L1"), seq, load))?;
    }
    let stats = historian.stats();
    let hot = historian.raw_sizes()?[0];
    historian.pack_raw()?;
    let packed = historian.raw_sizes()?[1];
    historian.close()?;
    let bytes = written().saturating_sub(before) as f64;
    let [p50, p99, flash, in_journal, in_files] = load.names;
    let mut add = |what, value, unit, below| out.push(Figure { what, value, unit, below });
    add(p50, stats.commit_p50_us as f64 / 1e3, "ms", None);
    add(p99, stats.commit_p99_us as f64 / 1e3, "ms", None);
    let a_day = bytes / effort.ticks as f64 * TICKS_A_DAY as f64 / 1e9;
    add(flash, a_day, "GB a day", load.flash_below);
    let a_sample = |(bytes, snapshots): (u64, u64)| bytes as f64 / (snapshots * load.tags) as f64;
    add(in_journal, a_sample(hot), "bytes a sample", None);
    add(in_files, a_sample(packed), "bytes a sample", None);
    Ok(())
}

fn store(historian: &Historian, tick: Tick) -> Result<(), StoreError> {
    match historian.append(tick) {
        Ok(pending) => pending.wait().map_err(|refused| refused.error),
        // One at a time never fills the queue.
        Err(_) => Err(StoreError::Closed),
    }
}

/// The made-up days are long ago, and their seconds are to stay.
fn kept() -> Options {
    Options { keep_seconds: Duration::MAX, ..Options::default() }
}

/// Minutes and seconds of twenty lines, and what they cost to read.
fn ask(dir: &Path, effort: Effort, out: &mut Vec<Figure>) -> Result<(), StoreError> {
    let historian = Historian::open(dir, kept())?;
    for line in 0..LINES {
        let line = LineId::new(format!("L{line}"));
        for day in 0..effort.days {
            let mut tick = tick(&line, day as u64 + 1, Load::DEFAULT);
            let first = day * DAY_MINUTES;
            let minutes = first..first + DAY_MINUTES;
            tick.minutes = minutes.map(|n| closed(T0_US + n * MINUTE_US, n as u64)).collect();
            let kept = (effort.days * DAY_MINUTES - SECOND_MINUTES).max(first)..first + DAY_MINUTES;
            tick.seconds = kept.map(|n| seconds(T0_US + n * MINUTE_US, n as u64, 59)).collect();
            store(&historian, tick)?;
        }
    }
    // As the service does it in the background.
    for line in 0..LINES {
        let (line, mut from_us) = (LineId::new(format!("L{line}")), Some(0));
        while let Some(at_us) = from_us {
            from_us = historian.pack_hours(&line, at_us, i64::MAX)?;
        }
    }
    historian.close()?;
    let (line, end_us) = (LineId::new("L7"), T0_US + effort.days * DAY_MINUTES * MINUTE_US);
    let all_us = effort.days * DAY_MINUTES * MINUTE_US;
    type Count = fn(&Historian, &LineId, (i64, i64)) -> Result<usize, StoreError>;
    let minutes: Count =
        |historian, line, span| Ok(historian.minutes(line, span.0, span.1, usize::MAX)?.len());
    let seconds: Count =
        |historian, line, span| Ok(historian.seconds(line, span.0, span.1, usize::MAX)?.len());
    let day_us = DAY_MINUTES * MINUTE_US;
    for (names, read, span_us, below) in [
        (
            ["a day of minutes of one line of 20, first", "a day of minutes, again"],
            minutes,
            day_us,
            None,
        ),
        (
            ["31 days of minutes of one line of 20, first", "31 days of minutes, again"],
            minutes,
            all_us,
            Some(100.0),
        ),
        (
            ["8 h of seconds of one line of 20, first", "8 h of seconds, again"],
            seconds,
            SECOND_MINUTES * MINUTE_US,
            None,
        ),
    ] {
        forget(&dir.join("journal.db"));
        let historian = Historian::open(dir, kept())?;
        let mut times = Vec::new();
        for _ in 0..=effort.questions {
            let started = Instant::now();
            let n = read(&historian, &line, (end_us - span_us, end_us))?;
            times.push(started.elapsed());
            assert_eq!(n as i64, span_us / MINUTE_US, "all of them");
        }
        historian.close()?;
        let first = times.remove(0);
        times.sort_unstable();
        for (what, time) in names.into_iter().zip([first, times[times.len() / 2]]) {
            out.push(Figure { what, value: ms(time), unit: "ms", below });
        }
    }
    restart(dir, effort, out)
}

/// From nothing to the point at which all lines could poll: opened, checked, and everything read that they go on from.
fn restart(dir: &Path, effort: Effort, out: &mut Vec<Figure>) -> Result<(), StoreError> {
    let what = "restart to the first poll, 20 lines with 31 days";
    let end_us = T0_US + effort.days * DAY_MINUTES * MINUTE_US;
    let mut times = Vec::new();
    for _ in 0..effort.questions.max(1) {
        forget(&dir.join("journal.db"));
        let started = Instant::now();
        let historian = Historian::open(dir, Options::default())?;
        for line in 0..LINES {
            historian.resume(&LineId::new(format!("L{line}")), end_us - 30 * 60 * MINUTE_US)?;
        }
        times.push(started.elapsed());
        historian.close()?;
    }
    times.sort_unstable();
    let value = times[times.len() / 2].as_secs_f64();
    out.push(Figure { what, value, unit: "s", below: Some(0.5) });
    Ok(())
}

/// Drops the pages of a file from memory, so that the next read is from the disk.
fn forget(path: &Path) {
    if let Ok(file) = std::fs::File::open(path) {
        // Advice: a system that does not take it makes the first answer look quicker.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Bytes that this process handed to the block layer, 0 where the system does not tell.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

fn at(seq: u64) -> Moment {
    let passed_us = seq as i64 * TICK_US;
    Moment { utc_us: T0_US + passed_us, mono_us: 5_000_000 + passed_us }
}

fn tick(line: &LineId, seq: u64, load: Load) -> Tick {
    let n = load.polls_a_tick;
    // 5 polls in two ticks at 10 Hz: 2 and 3 in turn.
    let polls = match n {
        5 => (seq - 1) * 5 / 2..seq * 5 / 2,
        n => (seq - 1) * n..seq * n,
    };
    let every_us = TICK_US * 2 / if n == 5 { 5 } else { 2 * n as i64 };
    let name = |n| TagId::new(format!("CF01.Counter.Number{n:02}"));
    let start_us = at(seq).utc_us / MINUTE_US * MINUTE_US;
    let passed = ((at(seq).utc_us - start_us) / SECOND_US) as u8;
    let changes = Changes {
        baselines: (0..COUNTERS).map(|n| (name(n), baseline(seq, n))).collect(),
        minutes: vec![minute(start_us, seq)],
        seconds: vec![seconds(start_us, seq, passed)],
        booked_to: at(seq.saturating_sub(1)),
        ..Changes::default()
    };
    let snapshots = polls.map(|n| poll(n, every_us, load.tags)).collect();
    Tick::new((line.clone(), seq, at(seq)), changes, snapshots, Count::exact(seq * 27))
}

fn poll(n: u64, every_us: i64, tags: u64) -> Snapshot {
    let reading = |tag: u64| Reading {
        tag: tag as u16,
        value: match tag {
            0..12 => Value::Unsigned(n * 108 / 100 / (tag * tag + 1)),
            12..20 => Value::Float(f64::from(300.0_f32 + (n / 20 * (tag + 7) % 97) as f32 * 0.013)),
            _ => Value::Bool((n / 500).is_multiple_of(tag - 18)),
        },
        quality: Quality::Good,
        status: 0,
        source_us: None,
    };
    let passed_us = n as i64 * every_us + (n * 7_919 % 400) as i64;
    Snapshot {
        device: 0,
        group: 0,
        taken_at: Moment { utc_us: T0_US + passed_us, mono_us: 5_000_000 + passed_us },
        round_trip_us: 600 + (n * 104_729 % 300) as u32,
        polls: 1,
        outcome: Outcome::Taken((0..tags).map(reading).collect()),
    }
}

fn baseline(seq: u64, n: u64) -> Baseline {
    let value = seq * 27 / (n + 1);
    Baseline {
        at: at(seq),
        source_us: None,
        value,
        seen: Seen::default(),
        total: Count::exact(value),
        segment: 1,
        segment_start: 0,
        segment_sum: value,
        batch: BatchChange::default(),
        held: None,
        mapping: 0x9e37_79b9,
    }
}

/// A minute that is open.
pub(super) fn minute(start_us: i64, seq: u64) -> Minute {
    let tally = |n: u64| Tally {
        station: StationId::new(if n.is_multiple_of(2) { "CF01" } else { "CW04" }),
        counted: Counted::Reject(Reason::new(format!("reason_{n}"))),
        count: Count::exact(seq % 240 * 27 / (n + 1)),
    };
    Minute {
        start_us,
        rev: seq as u32,
        closed: false,
        time: TimeSplit([seq as i64 % 240 * TICK_US, 0, 0, 0, 0, 0]),
        polls: seq % 240,
        missed: 0,
        tallies: (0..COUNTERS).map(tally).collect(),
        weights: Vec::new(),
    }
}

/// The same when it is over.
pub(super) fn closed(start_us: i64, seq: u64) -> Minute {
    Minute { closed: true, ..minute(start_us, seq) }
}

/// The seconds of a minute up to one. Of the counters those of a filler and a checkweigher move every second, the rest are
/// of rare rejects.
fn seconds(start_us: i64, seq: u64, last: u8) -> Seconds {
    let counts =
        |n: u64| (0..=last).map(move |s| (s, Count::exact(100 + u64::from(s) % 6 / 5 * 50 + n)));
    let tally = |n: u64| SecondTally {
        station: StationId::new(if n.is_multiple_of(2) { "CF01" } else { "CW04" }),
        counted: Counted::Reject(Reason::new(format!("reason_{n}"))),
        counts: counts(n).collect(),
    };
    let us = (i64::from(last) + 1) * SECOND_US;
    Seconds {
        start_us,
        rev: seq as u32,
        closed: last == 59,
        spells: vec![Spell { offset_us: 0, us, class: TimeClass::Run }],
        tallies: (0..MOVING).map(tally).collect(),
    }
}

impl Figures {
    /// As JSON: a list of figures.
    pub fn json(&self) -> serde_json::Value {
        let figure = |figure: &Figure| serde_json::json!({ "what": figure.what, "value": figure.value, "unit": figure.unit, "below": figure.below });
        self.0.iter().map(figure).collect()
    }

    /// Whether every promise is kept.
    pub fn kept(&self) -> bool {
        self.0.iter().all(|figure| figure.below.is_none_or(|below| figure.value < below))
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | measured | promised |\n|---|---|---|")?;
        for Figure { what, value, unit, below } in &self.0 {
            let promised = below.map_or(String::new(), |below| format!("< {below} {unit}"));
            writeln!(f, "| {what} | {value:.2} {unit} | {promised} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_there_and_a_broken_promise_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let effort = Effort { ticks: 60, days: 2, questions: 1 };
        let Figures(mut figures) = run(dir.path(), effort).unwrap();
        assert!(figures.len() >= 13, "{figures:#?}");
        assert!(figures.iter().all(|figure| figure.value.is_finite()), "{figures:#?}");
        figures.push(Figure { what: "x", value: 2.0, unit: "s", below: Some(1.0) });
        assert!(!Figures(figures).kept());
    }
}
