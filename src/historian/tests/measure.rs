//! A tick of a real line stays small, and so does the log. Figures of a day are those of `capline bench store`.

use super::*;

const STATIONS: usize = 2;
const COUNTERS: u64 = 12;
const TAGS: u64 = 30;
/// 100 Hz in ticks of 250 ms.
const POLLS: u64 = 25;

/// One line, 250 ms ticks, 100 Hz polls of 30 tags: twelve counters, eight measurements, ten flags and words.
fn load(seq: u64) -> Tick {
    let mut tick = tick(&l1(), seq);
    tick.snapshots = ((seq - 1) * POLLS..seq * POLLS).map(poll).collect();
    let name = |n| TagId::new(format!("CF01.Counter.Number{n:02}"));
    tick.baselines = (0..COUNTERS).map(|n| (name(n), account(seq, n))).collect();
    tick.minutes = vec![account_minute(seq)];
    tick.seconds = vec![account_seconds(seq)];
    tick.events =
        if seq.is_multiple_of(40) { vec![event(seq, EventKind::State, None)] } else { Vec::new() };
    tick.states = states(0);
    tick
}

fn poll(n: u64) -> Snapshot {
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
    let passed_us = n as i64 * 10_000 + (n * 7_919 % 400) as i64;
    Snapshot {
        device: 0,
        group: 0,
        taken_at: Moment { utc_us: T0_US + passed_us, mono_us: 5_000_000 + passed_us },
        round_trip_us: 600 + (n * 104_729 % 300) as u32,
        polls: 1,
        outcome: Outcome::Taken((0..TAGS).map(reading).collect()),
    }
}

fn account(seq: u64, n: u64) -> Baseline {
    let clocked = |value| Some(Clocked { value, at_us: at(seq).mono_us });
    Baseline {
        at: at(seq),
        source_us: None,
        value: seq * 27 / (n + 1),
        seen: Seen {
            uptime: clocked(86_400 + seq / 4),
            batch: Some(0x9e37_79b9_7f4a_7c15),
            since_reset: None,
            heartbeat: clocked(seq / 4 % 65_536),
            odometer: clocked(18_204_117 + seq / 2),
        },
        total: Count::exact(seq * 27 / (n + 1)),
        segment: 1,
        segment_start: 0,
        segment_sum: seq * 27 / (n + 1),
        batch: BatchChange::default(),
        held: None,
        mapping: 0x9e37_79b9,
    }
}

fn account_minute(seq: u64) -> Minute {
    let start_us = at(seq).utc_us / MINUTE_US * MINUTE_US;
    let tally = |n: usize| Tally {
        station: StationId::new(if n.is_multiple_of(STATIONS) { "CF01" } else { "CW01" }),
        counted: Counted::Reject(Reason::new(format!("reason_{n}"))),
        count: Count::exact(seq % 240 * 27 / (n as u64 + 1)),
    };
    let tallies = (0..COUNTERS as usize).map(tally).collect();
    Minute { start_us, rev: seq as u32, tallies, ..minute(start_us, seq) }
}

/// Six of the twelve counters move every second, as on a filler with a checkweigher behind it.
fn account_seconds(seq: u64) -> Seconds {
    let start_us = at(seq).utc_us / MINUTE_US * MINUTE_US;
    let passed = ((at(seq).utc_us - start_us) / 1_000_000) as u8;
    let counts =
        |n: u64| (0..=passed).map(move |s| (s, Count::exact(100 + u64::from(s) % 6 / 5 * 50 + n)));
    let tally = |n: u64| SecondTally {
        station: StationId::new(if n.is_multiple_of(2) { "CF01" } else { "CW01" }),
        counted: Counted::Reject(Reason::new(format!("reason_{n}"))),
        counts: counts(n).collect(),
    };
    Seconds {
        start_us,
        rev: seq as u32,
        tallies: (0..6).map(tally).collect(),
        ..seconds(start_us, seq)
    }
}

#[test]
fn a_tick_and_the_log_stay_small() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    for seq in 1..=240 {
        historian.append(load(seq)).unwrap().wait().unwrap();
    }
    let stats = historian.stats();
    historian.close().unwrap();
    let frame: usize = crate::historian::frame::encode(&load(9).snapshots).len();
    assert!(stats.wal_bytes < 16 << 20, "the log is moved into the database as it grows");
    assert!(frame < 2_048, "a frame of {frame} bytes is larger than it was");
}
