//! How much counting one core does: samples of one ledger (the aim is 5 million a second), snapshots of a whole line
//! (500,000 a second), and a minute of a line that has run for days (as much as the first one). `capline bench count`
//! tells the first two of an installed binary.

#[path = "../../src/bench/count/load.rs"]
mod load;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use domain::line::counter::Counter;
use domain::line::tracker::{Carry, LineTracker};
use domain::reading::Snapshot;
use load::{N_SAMPLES, N_SNAPSHOTS, PERIOD_US, Plant, core_ns, ledgers, model, samples, settings};

/// Time that this thread spent on a core, in nanoseconds.
struct CoreTime;

impl Measurement for CoreTime {
    type Intermediate = u64;
    type Value = Duration;

    fn start(&self) -> u64 {
        core_ns()
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

fn ledger(criterion: &mut Criterion<CoreTime>) {
    let mut group = criterion.benchmark_group("ledger");
    group.throughput(Throughput::Elements(N_SAMPLES));
    for (name, evidence) in ledgers() {
        let samples = samples(evidence);
        let mut deltas = Vec::with_capacity(4);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut counter = Counter::new(settings());
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

/// Snapshots of a whole filler, 23 registers each, that a tracker takes in a second. The aim is 500,000.
fn tracker(criterion: &mut Criterion<CoreTime>) {
    let mut plant = Plant::new();
    let start = plant.at();
    let snapshots: Vec<Snapshot> = (0..N_SNAPSHOTS).map(|_| plant.next(PERIOD_US)).collect();
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
                    let snapshot = plant.next(PERIOD_US);
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
