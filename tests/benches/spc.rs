//! How fast a chart judges. The aims: a day of 43,200 points with all eight rules at 20 million points a second, and
//! 200 ns for a point that arrives at a running p′ chart.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::spc::attribute::{AttributeStream, Family, Laney, Law, Subgroup};
use domain::spc::chart::Settings;
use domain::spc::rules::{RuleEngine, RuleSet};

const N_POINTS: u64 = 43_200;

/// Bell-shaped z without a library: the sum of four bytes of SplitMix64.
fn zs() -> Vec<f64> {
    let z = |i: u64| {
        let mut z = (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let z = z ^ (z >> 31);
        let sum: u64 = (0..4).map(|byte| (z >> (8 * byte)) & 0xff).sum();
        (sum as f64 - 510.0) / 147.8
    };
    (0..N_POINTS).map(z).collect()
}

fn spc(criterion: &mut Criterion) {
    let zs = zs();
    let mut group = criterion.benchmark_group("spc");
    group.throughput(Throughput::Elements(N_POINTS));
    group.bench_function("rules_n1_to_n8", |bencher| {
        bencher.iter(|| {
            let mut engine = RuleEngine::new(RuleSet::nelson());
            let judge = |n: u64, z: &f64| n + u64::from(!engine.push(*z, *z).is_empty());
            black_box(&zs).iter().fold(0, judge)
        });
    });
    let subgroups: Vec<Subgroup> = zs
        .iter()
        .map(|z| Subgroup { count: (28.0 + 5.3 * z).round().max(0.0), size: 6_500.0 })
        .collect();
    let law = Law { family: Family::P, center: Some(28.0 / 6_500.0), laney: Laney::On(Some(1.1)) };
    for (name, rules) in
        [("p_prime_alarm", RuleSet::alarm()), ("p_prime_n1_to_n8", RuleSet::nelson())]
    {
        let settings = Settings { rules, ..Settings::default() };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut stream = AttributeStream::new(law, &settings);
                let judge =
                    |n: u64, s: &Subgroup| n + u64::from(!stream.push(Some(*s)).hits.is_empty());
                black_box(&subgroups).iter().fold(0, judge)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, spc);
criterion_main!(benches);
