//! What is counted: made-up readings of a machine at full speed, bare or with evidence, and of a whole filler. Used by
//! `tests/benches/ledger.rs` too, so that both measure the same.

use std::sync::Arc;

use domain::line::calendar::Calendar;
use domain::line::counter::{Evidence, Modulus, Resets, Sample, Settings, batch_key};
use domain::line::tracker::LineModel;
use domain::plc_map::{PlcMap, Role, Tag};
use domain::reading::{Outcome, Quality, Reading, Snapshot, Value};
use domain::units::{LineId, Moment};

/// Samples of a ledger.
pub(crate) const N_SAMPLES: u64 = 100_000;
/// Snapshots of a line.
pub(crate) const N_SNAPSHOTS: u64 = 15_000;
/// Time between two readings, in microseconds.
pub(crate) const PERIOD_US: i64 = 20_000;

/// Time that this thread spent on a core, in nanoseconds: what others do on the machine does not count.
pub(crate) fn core_ns() -> u64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    spent.tv_sec.unsigned_abs() * 1_000_000_000 + spent.tv_nsec.unsigned_abs()
}

/// How the ledger is set.
pub(crate) fn settings() -> Settings {
    Settings {
        modulus: Modulus::At(65_536),
        resets: Resets { batch: true, manual: false },
        ..Settings::default()
    }
}

/// Ledgers by what comes with their samples.
pub(crate) fn ledgers() -> [(&'static str, Evidence); 2] {
    let equipped =
        Evidence { uptime_s: Some(5_000), batch: Some(batch_key("B1")), ..Evidence::default() };
    [("bare", Evidence::default()), ("uptime_and_batch", equipped)]
}

/// A machine at full speed read every 20 ms: a stroke of 50 in every 23rd poll, and the wraps of a
/// 16-bit register.
pub(crate) fn samples(evidence: Evidence) -> Vec<Sample> {
    let sample = |n: u64| {
        let mono_us = i64::try_from(n * 20_000).unwrap_or(i64::MAX);
        Sample {
            at: Moment { utc_us: 1_700_000_000_000_000 + mono_us, mono_us },
            off_us: 0,
            source_us: Some(mono_us),
            value: (n / 23 * 50) % 65_536,
            evidence: Evidence {
                uptime_s: evidence.uptime_s.map(|start| start + n / 50),
                ..evidence
            },
        }
    };
    (0..N_SAMPLES).map(sample).collect()
}

/// A line of one filler as it is described in its map, with all its registers.
pub(crate) fn model() -> LineModel {
    let text = include_str!("../../../plc-maps/cf01-modbus.toml");
    let map = PlcMap::parse("cf01-modbus.toml", text).expect("the map of the demo is sound");
    LineModel {
        id: LineId::new("L1"),
        stations: vec![Arc::new(map)],
        counting: 0..1,
        target_per_minute: 6_500,
        calendar: Calendar::new(jiff::tz::TimeZone::UTC, Vec::new()),
        micro_stop_us: 300_000_000,
        time_scale: 1.0,
    }
}

/// The plant at a moment: full speed, with a stop of 30 s in every ten minutes.
pub(crate) struct Plant {
    model: LineModel,
    now_us: i64,
    made: u64,
}

impl Plant {
    /// At its begin.
    pub(crate) fn new() -> Plant {
        Plant { model: model(), now_us: 0, made: 0 }
    }

    /// Its moment.
    pub(crate) fn at(&self) -> Moment {
        Moment { utc_us: 1_700_000_000_000_000 + self.now_us, mono_us: self.now_us }
    }

    /// Its registers so much later.
    pub(crate) fn next(&mut self, period_us: i64) -> Snapshot {
        let strokes = |us: i64| us / 461_538;
        let stands = self.now_us / 1_000_000 % 600 >= 570;
        if !stands {
            let n = strokes(self.now_us + period_us) - strokes(self.now_us);
            self.made += 50 * n.unsigned_abs();
        }
        self.now_us += period_us;
        let seconds = self.now_us.unsigned_abs() / 1_000_000;
        let map = &self.model.stations[0];
        let fast = map.tags.iter().enumerate().filter(|(_, tag)| tag.group == 0);
        let reading = |(i, tag): (usize, &Tag)| Reading {
            tag: i as u16,
            value: match tag.role {
                Role::State => Value::Unsigned(if stands { 5 } else { 3 }),
                Role::Infeed | Role::Good => Value::Unsigned(self.made % (1 << 31)),
                Role::Reject(_) | Role::Sample => Value::Unsigned(self.made / 1_000 % 65_536),
                Role::Odometer { .. } => Value::Unsigned(self.made / 50),
                Role::Heartbeat | Role::Uptime => Value::Unsigned(seconds % 65_536),
                _ => Value::Unsigned(0),
            },
            quality: Quality::Good,
            status: 0,
            source_us: None,
        };
        Snapshot {
            device: 0,
            group: 0,
            taken_at: self.at(),
            round_trip_us: 700,
            polls: 1,
            outcome: Outcome::Taken(fast.map(reading).collect()),
        }
    }
}
