//! How much counting one core does: samples of one ledger (the aim is 5 million a second), snapshots of a whole line
//! (500,000 a second), and a minute of a line that has run for days (as much as the first one).

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use domain::line::calendar::Calendar;
use domain::line::counter::{Counter, Evidence, Modulus, Resets, Sample, Settings, batch_key};
use domain::line::tracker::{Carry, LineModel, LineTracker};
use domain::plc_map::{PlcMap, Role, Tag};
use domain::reading::{Outcome, Quality, Reading, Snapshot, Value};
use domain::units::{LineId, Moment};

const N_SAMPLES: u64 = 100_000;

/// Time that this thread spent on a core, in nanoseconds: what others do on the machine does not count. Linux only.
struct CoreTime;

impl Measurement for CoreTime {
    type Intermediate = u64;
    type Value = Duration;

    fn start(&self) -> u64 {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        text.split(' ').next().and_then(|ns| ns.parse().ok()).expect("a Linux with schedstat")
    }

    fn end(&self, start: u64) -> Duration {
        Duration::from_nanos(self.start() - start)
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// A machine at full speed read every 20 ms: a stroke of 50 in every 23rd poll, and the wraps of a
/// 16-bit register.
fn samples(evidence: Evidence) -> Vec<Sample> {
    let sample = |n: u64| {
        let mono_us = i64::try_from(n * 20_000).unwrap_or(i64::MAX);
        Sample {
            at: Moment { utc_us: 1_700_000_000_000_000 + mono_us, mono_us },
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

fn ledger(criterion: &mut Criterion<CoreTime>) {
    let settings = Settings {
        modulus: Modulus::At(65_536),
        resets: Resets { batch: true, manual: false },
        ..Settings::default()
    };
    let equipped =
        Evidence { uptime_s: Some(5_000), batch: Some(batch_key("B1")), ..Evidence::default() };
    let mut group = criterion.benchmark_group("ledger");
    group.throughput(Throughput::Elements(N_SAMPLES));
    for (name, evidence) in [("bare", Evidence::default()), ("uptime_and_batch", equipped)] {
        let samples = samples(evidence);
        let mut deltas = Vec::with_capacity(4);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut counter = Counter::new(settings);
                for sample in &samples {
                    counter.sample(black_box(sample), &mut deltas);
                    black_box(&deltas);
                    deltas.clear();
                }
                counter.total()
            });
        });
    }
    group.finish();
}

/// A line of one filler as it is described in its map, with all its registers.
fn model() -> LineModel {
    let text = include_str!("../../plc-maps/cf01-modbus.toml");
    let map = PlcMap::parse("cf01-modbus.toml", text).expect("the map of the demo is sound");
    LineModel {
        id: LineId::new("L1"),
        stations: vec![Arc::new(map)],
        counting: 0,
        target_per_minute: 6_500,
        calendar: Calendar::new(jiff::tz::TimeZone::UTC, Vec::new()),
        time_scale: 1.0,
    }
}

/// The plant at a moment: full speed, with a stop of 30 s in every ten minutes.
struct Plant {
    model: LineModel,
    now_us: i64,
    made: u64,
}

impl Plant {
    fn new() -> Plant {
        Plant { model: model(), now_us: 0, made: 0 }
    }

    fn at(&self) -> Moment {
        Moment { utc_us: 1_700_000_000_000_000 + self.now_us, mono_us: self.now_us }
    }

    fn next(&mut self, period_us: i64) -> Snapshot {
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

/// Snapshots of a whole filler, 23 registers each, that a tracker takes in a second. The aim is 500,000.
fn tracker(criterion: &mut Criterion<CoreTime>) {
    const N_SNAPSHOTS: u64 = 15_000;
    let mut plant = Plant::new();
    let start = plant.at();
    let snapshots: Vec<Snapshot> = (0..N_SNAPSHOTS).map(|_| plant.next(20_000)).collect();
    let mut group = criterion.benchmark_group("tracker");
    group.throughput(Throughput::Elements(N_SNAPSHOTS));
    group.bench_function("snapshots", |bencher| {
        bencher.iter(|| {
            let mut tracker = LineTracker::new(model(), start, Carry::default());
            for snapshot in &snapshots {
                tracker.advance(black_box(snapshot));
            }
            tracker.total()
        });
    });
    group.finish();
}

/// One more minute at 50 Hz, with four ticks a second, after so many days: its cost must not grow.
fn days(criterion: &mut Criterion<CoreTime>) {
    let mut group = criterion.benchmark_group("minute_after_days");
    group.sample_size(10);
    for days in [0, 1, 10] {
        let mut plant = Plant::new();
        let mut tracker = LineTracker::new(model(), plant.at(), Carry::default());
        for second in 0..days * 86_400 {
            tracker.advance(&plant.next(1_000_000));
            if second % 60 == 59 {
                tracker.check(plant.at());
                black_box(tracker.take_changes());
            }
        }
        group.bench_function(BenchmarkId::from_parameter(days), |bencher| {
            bencher.iter(|| {
                for i in 0..3_000 {
                    let snapshot = plant.next(20_000);
                    tracker.advance(&snapshot);
                    if i % 12 == 0 {
                        tracker.check(plant.at());
                        black_box(tracker.take_changes());
                    }
                }
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CoreTime);
    targets = ledger, tracker, days
}
criterion_main!(benches);
