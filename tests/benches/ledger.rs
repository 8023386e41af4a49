//! How many samples a second one counter ledger takes on one core. The aim is 5 million: a line has
//! about thirty counters, read fifty times a second, so that a plant leaves the core idle.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::line::counter::{Counter, Evidence, Modulus, Resets, Sample, Settings, batch_key};
use domain::units::Moment;

const N_SAMPLES: u64 = 100_000;

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

fn ledger(criterion: &mut Criterion) {
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

criterion_group!(benches, ledger);
criterion_main!(benches);
