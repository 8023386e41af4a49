//! The store against real files. `tick` makes the ticks; `assert_resumes` is what a start must find.

mod andon;
mod anew;
mod audit;
mod copies;
mod crash;
mod frame;
mod golden;
mod hours;
mod lines;
mod measure;

mod quality;
mod raw;
mod refuse;
mod reports;
mod store;
mod trial;
mod weights;

use std::path::Path;
use std::time::Duration;

use domain::audit::Actor;
use domain::line::balance::{Difference, SectionState, Sign};
use domain::line::batch::Remark;
use domain::line::batch::hand::{Did, Entry};
use domain::line::chronicle::Past;
use domain::line::counter::{Baseline, BatchChange, Clocked, Evidence, Held, Seen};
use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, Minute, Tally, TimeSplit};
use domain::line::rollup::{PeriodKind, Rollup, Spending};
use domain::line::second::{SecondTally, Seconds, Spell};
use domain::line::state::{State, TimeClass};
use domain::line::stop::key_cause::KeyCause;
use domain::line::stop::{Cause, Flags, Stop};
use domain::reading::{Outcome, Quality, Reading, Snapshot, Value};
use domain::units::{Count, LineId, MINUTE_US, Moment, Reason, StationId, TagId};

use super::keep::Rounds;
use super::{Historian, Options, Resume, StoredState, Tick};

/// 2026-01-05T06:00:00Z.
const T0_US: i64 = 1_767_592_800_000_000;
const TICK_US: i64 = 250_000;

fn open(dir: &Path) -> Historian {
    Historian::open(dir, Options { keep_raw: Duration::from_secs(3_600), ..Options::default() })
        .unwrap()
}

/// The housekeeping of a store, to be made to go round by a test.
fn rounds(historian: &Historian, dir: &Path) -> Rounds {
    let options = Options { keep_raw: Duration::from_secs(2 * 86_400), ..Options::default() };
    Rounds::new(dir, historian.0.gauge.clone(), historian.0.writer.hand(), options)
}

/// Who does things here.
fn by() -> Actor {
    Actor { from: "10.0.0.7".to_owned(), ..Actor::named("Li") }
}

fn l1() -> LineId {
    LineId::new("L1")
}

fn at(seq: u64) -> Moment {
    let passed_us = seq as i64 * TICK_US;
    Moment { utc_us: T0_US + passed_us, mono_us: 5_000_000 + passed_us }
}

/// A tick of which every part tells its number: `seq` capsules in the baseline, in the minute and in the total,
/// and an event with its number.
fn tick(line: &LineId, seq: u64) -> Tick {
    Tick {
        line: line.clone(),
        seq,
        at: at(seq),
        snapshots: vec![snapshot(seq)],
        baselines: vec![(TagId::new("CF01.Good"), baseline(seq))],
        minutes: vec![minute(T0_US, seq)],
        seconds: vec![seconds(T0_US, seq)],
        events: vec![event(seq, EventKind::Count, Some(Count::between(seq, seq, seq + 2)))],
        states: states(seq),
        stops: vec![stop(seq)],
        rollups: vec![rollup(seq)],
        batch_entries: vec![batch_entry(seq)],
        notes: Vec::new(),
        balance: Some(vec![section(seq)]),
        weighings: Vec::new(),
        booked_to: at(seq.saturating_sub(1)),
        total: Count::exact(seq),
    }
}

/// Seconds with a spell, an exact and a doubtful count.
fn seconds(start_us: i64, seq: u64) -> Seconds {
    let counts = vec![(0, Count::exact(seq)), (59, Count::between(0, 1, seq + 1))];
    let (station, counted) = (StationId::new("CF01"), Counted::Good);
    Seconds {
        start_us,
        rev: seq as u32,
        closed: false,
        spells: vec![Spell { offset_us: 7, us: 250_000 + seq as i64, class: TimeClass::Run }],
        tallies: vec![SecondTally { station, counted, counts }],
    }
}

fn batch_entry(seq: u64) -> Entry {
    Entry {
        did: if seq.is_multiple_of(2) { Did::Closed } else { Did::Opened },
        id: format!("B-{}", seq.div_ceil(2)).into(),
        start_us: T0_US + seq.div_ceil(2) as i64,
        at_us: at(seq).utc_us,
        product: if seq.is_multiple_of(2) { "".into() } else { "Vitamin C 500 mg".into() },
        by: "li".into(),
    }
}

fn section(seq: u64) -> SectionState {
    let wide = i128::from(seq);
    SectionState {
        inlets: vec![TagId::new("CF01.In")],
        outlets: vec![TagId::new("CF01.Good"), TagId::new("CF01.Dented")],
        capacity: 900,
        base_in: Count::between(seq, seq + 1, seq + 2),
        base_out: vec![Count::exact(seq), Count::ZERO],
        at_base: (-wide, 900),
        grown: Difference { low: -wide - 1, best: 0, high: wide },
        minutes: seq,
        since_us: T0_US,
        at_us: at(seq).utc_us,
        found: seq.is_multiple_of(3).then_some((Sign::TooEmpty, seq)),
    }
}

fn snapshot(seq: u64) -> Snapshot {
    let reading = |tag, value| Reading {
        tag,
        value,
        quality: Quality::Good,
        status: 0,
        source_us: Some(at(seq).utc_us - 3_000),
    };
    let readings = vec![
        reading(0, Value::Unsigned(seq)),
        reading(1, Value::Float(312.5)),
        reading(2, Value::Text("B-2041".into())),
    ];
    Snapshot {
        device: 0,
        group: 0,
        taken_at: at(seq),
        round_trip_us: 700,
        polls: 1,
        outcome: Outcome::Taken(readings),
    }
}

fn baseline(seq: u64) -> Baseline {
    let clocked = |value| Some(Clocked { value, at_us: at(seq).mono_us });
    Baseline {
        at: at(seq),
        source_us: Some(at(seq).utc_us - 3_000),
        value: seq,
        seen: Seen {
            uptime: clocked(86_400 + seq),
            batch: Some(u64::MAX - 7),
            since_reset: clocked(3),
            heartbeat: None,
            odometer: clocked(seq),
        },
        total: Count::between(seq, seq, seq + 2),
        segment: 3,
        segment_start: 17,
        segment_sum: seq,
        batch: BatchChange { reset_due: 1, id_due: 2, hidden: u64::MAX, hidden_for: 3 },
        held: seq.is_multiple_of(2).then(|| held(seq)),
        // As in the journals that earlier versions wrote.
        mapping: 0,
    }
}

fn held(seq: u64) -> Held {
    let evidence = Evidence {
        uptime_s: Some(4),
        batch: Some(u64::MAX),
        batch_settled: false,
        since_reset_s: None,
        heartbeat: Some(65_535),
        session_lost: true,
        ran_on: false,
        bounds: Some((3, u64::MAX)),
        odometer: Some(u64::MAX),
    };
    Held { at: at(seq), source_us: None, value: 9, evidence, missed: true }
}

fn minute(start_us: i64, seq: u64) -> Minute {
    let tally = |station, counted, n| Tally {
        station: StationId::new(station),
        counted,
        count: Count::between(n, n, n + seq % 3),
    };
    Minute {
        start_us,
        rev: seq as u32,
        closed: false,
        time: TimeSplit([seq as i64 * TICK_US, 0, 5, 0, 0, 7]),
        polls: seq,
        missed: 1,
        weights: Vec::new(),
        tallies: vec![
            tally("CF01", Counted::Good, seq),
            tally("CF01", Counted::Reject(Reason::new("no_dose")), 2),
            tally("CF01", Counted::Reject(Reason::new("unseparated")), 1),
            tally("CW01", Counted::Infeed, seq + 3),
        ],
    }
}

fn event(seq: u64, kind: EventKind, count: Option<Count>) -> Event {
    Event {
        at_us: at(seq).utc_us,
        from_us: Some(at(seq).utc_us - 9),
        kind,
        station: Some(StationId::new("CF01")),
        tag: None,
        word: format!("tick {seq}"),
        count,
        detail: "wrap 65536 or reset".to_owned(),
    }
}

/// Counts of the record told by an event; each tick has one.
fn n_counted(historian: &Historian) -> u64 {
    let all = historian.events(&l1(), 0, i64::MAX, Some(&[EventKind::Count]), usize::MAX);
    all.unwrap().len() as u64
}

/// A stop a tick, which ends with the next one.
fn stop(seq: u64) -> Stop {
    let key = match seq % 3 {
        0 => KeyCause::None,
        1 => KeyCause::Station(StationId::new("CW04")),
        _ => KeyCause::Undecided(vec![StationId::new("CF01"), StationId::new("CW04")]),
    };
    Stop {
        number: seq.div_ceil(2),
        from: at((seq + seq % 2).saturating_sub(1)),
        to: seq.is_multiple_of(2).then(|| at(seq)),
        cause: Cause::ALL[seq as usize % 7],
        state: State::ALL[seq as usize % 22],
        reason: Some(-3),
        key,
        flags: Flags::from_bits(9),
    }
}

/// A batch that is open.
fn rollup(seq: u64) -> Rollup {
    let tally = |counted, n| Tally {
        station: StationId::new("CF01"),
        counted,
        count: Count::between(n, n, n + seq % 3),
    };
    Rollup {
        kind: PeriodKind::Batch,
        name: "B-2041".into(),
        start_us: T0_US,
        end_us: None,
        rev: seq as u32,
        closed: false,
        remark: Some(Remark::NoReset),
        estimated: true,
        spending: Spending {
            time: TimeSplit([seq as i64, 1, 2, 3, 4, 5]),
            setup_us: 6,
            overlap_us: 7,
            order_us: 8,
            failures: seq,
        },
        counts: vec![tally(Counted::Good, seq), tally(Counted::Reject(Reason::new("no_dose")), 2)],
        gaps: vec![tally(Counted::Good, 1)],
    }
}

fn states(seq: u64) -> Vec<StoredState> {
    let state = |station, state| StoredState {
        station: StationId::new(station),
        state,
        raw: Some(6),
        since_us: T0_US,
    };
    let filler = if seq.is_multiple_of(2) { State::Execute } else { State::UnknownCode };
    vec![state("CW01", filler), state("CF01", State::Unknown)]
}

/// Stores ticks `1..=n`, one after the other.
fn store(historian: &Historian, line: &LineId, n: u64) {
    for seq in 1..=n {
        historian.append(tick(line, seq)).unwrap().wait().unwrap();
    }
}

/// A start finds exactly what the last tick said, and all events.
fn assert_resumes(resume: &Resume, line: &LineId, seq: u64) {
    let last = tick(line, seq);
    assert_eq!(resume.tick_seq, seq);
    assert_eq!(resume.last_tick, Some(last.at));
    assert_eq!(resume.total, last.total);
    assert_eq!(resume.baselines, last.baselines);
    assert_eq!(resume.minutes, last.minutes);
    assert_eq!(resume.seconds, last.seconds);
    assert_eq!(resume.states, last.states);
    let open = last.stops.into_iter().find(|stop| stop.to.is_none());
    let same_boot = resume.same_boot;
    let past = Past {
        last_stop: seq.div_ceil(2),
        open_stop: open,
        rollups: last.rollups,
        balance: last.balance.unwrap_or_default(),
        last: Some(last.booked_to),
        same_boot,
    };
    assert_eq!(resume.past, past);
    let events: Vec<Event> = (1..=seq).flat_map(|seq| tick(line, seq).events).collect();
    let newest_first: Vec<Event> = events.into_iter().rev().take(50).collect();
    assert_eq!(resume.events, newest_first);
}
