//! What must hold for any data: chunks, order and units do not matter, and nothing panics.

use proptest::prelude::*;

use super::attribute::{
    Attribute, AttributeStream, Family, Frozen, Laney, Law, Prime, Subgroup, chart,
};
use super::chart::{Exclusion, Settings};
use super::individuals::{Individuals, IndividualsStream};
use super::memory::{Cusum, CusumStream, Ewma, EwmaGap, EwmaLimits, EwmaStream};
use super::p_prime::{PrimeChart, PrimeOptions};
use super::pareto::pareto;
use super::rules::{RuleId, RuleSet};
use super::variables::{Means, Spread, Within};
use crate::stats::summary::Summary;

/// Subgroups as a line makes them: mostly full, some stops.
fn subgroups() -> impl Strategy<Value = Vec<Option<(u64, u64)>>> {
    let running = (0_u64..120, 6400_u64..6601).prop_map(Some);
    prop::collection::vec(
        prop_oneof![15 => running, 1 => Just(None), 1 => Just(Some((0, 0)))],
        0..200,
    )
}

/// Values with gaps.
fn values() -> impl Strategy<Value = Vec<Option<f64>>> {
    prop::collection::vec(
        prop_oneof![15 => (-50.0..50.0_f64).prop_map(Some), 1 => Just(None)],
        2..120,
    )
}

/// The lengths of chunks.
fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..40, 0..8)
}

fn as_subgroups(data: &[Option<(u64, u64)>]) -> Vec<Option<Subgroup>> {
    data.iter().map(|s| s.map(|(d, n)| Subgroup { count: d as f64, size: n as f64 })).collect()
}

/// Judges `data` with a stream that is stored and loaded again wherever a chunk ends.
fn in_chunks<S: Clone, T: Copy, R>(
    data: &[T],
    cuts: &[usize],
    stream: S,
    push: fn(&mut S, T) -> R,
) -> Vec<R> {
    let mut stream = stream;
    let mut results = Vec::new();
    let mut rest = data;
    for cut in cuts.iter().chain([&usize::MAX]) {
        let (chunk, later) = rest.split_at((*cut).min(rest.len()));
        let mut loaded = stream.clone();
        results.extend(chunk.iter().map(|item| push(&mut loaded, *item)));
        (stream, rest) = (loaded, later);
    }
    results
}

fn close(a: Option<f64>, b: Option<f64>, scale: f64) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * scale.max(a.abs()).max(b.abs()),
        (None, None) => true,
        _ => false,
    }
}

proptest! {
    /// Shows: SPC-02
    #[test]
    fn a_stream_in_any_chunks_judges_as_the_batch(data in subgroups(), cuts in cuts()) {
        let data = as_subgroups(&data);
        let settings = Settings { rules: RuleSet::standard(&RuleId::ALL), ..Settings::default() };
        let p_prime = Attribute { family: Family::P, prime: Some(Prime::default()), frozen: None };
        let batch = chart(&data, p_prime, &settings);
        let stream = AttributeStream::new(batch.fits[0].law, &settings);
        prop_assert_eq!(in_chunks(&data, &cuts, stream, AttributeStream::push), batch.points);
    }

    #[test]
    fn charts_with_a_memory_do_not_see_chunks(values in values(), cuts in cuts()) {
        let samples: Vec<_> = values.iter().map(|v| v.map(|v| (v, 1.0))).collect();
        let (limits, gap) = (EwmaLimits::Exact, EwmaGap::Carry);
        let ewma = Ewma { lambda: 0.2, l: 2.7, target: 0.0, sigma: 20.0, limits, gap };
        let ewma = EwmaStream::new(ewma);
        let ewma = |cuts: &[usize]| in_chunks(&samples, cuts, ewma.clone(), EwmaStream::push);
        prop_assert_eq!(ewma(&cuts), ewma(&[]));
        let (fir, reset_after_signal) = (0.5, true);
        let cusum = Cusum { k: 0.5, h: 4.0, target: 0.0, sigma: 20.0, fir, reset_after_signal };
        let cusum = CusumStream::new(cusum);
        let cusum = |cuts: &[usize]| in_chunks(&samples, cuts, cusum.clone(), CusumStream::push);
        prop_assert_eq!(cusum(&cuts), cusum(&[]));
        let settings = Settings { rules: RuleSet::nelson(), ..Settings::default() };
        let batch = Individuals::default().chart(&values, &settings);
        let fit = batch.estimates[0];
        let kind = Individuals::default();
        let stream = IndividualsStream::new(&kind, fit.center, fit.sigma, &settings);
        let judged = in_chunks(&values, &cuts, stream, IndividualsStream::push);
        for (i, both) in judged.into_iter().enumerate() {
            prop_assert_eq!(both, [batch.panels[0].points[i], batch.panels[1].points[i]]);
        }
    }

    #[test]
    fn the_order_of_subgroups_does_not_move_a_plain_chart(data in subgroups(), turn in 0_usize..200) {
        let data = as_subgroups(&data);
        let mut turned = data.clone();
        turned.rotate_left(if data.is_empty() { 0 } else { turn % data.len() });
        let plain = Attribute { family: Family::P, prime: None, frozen: None };
        let law = |data: &[Option<Subgroup>]| chart(data, plain, &Settings::default()).fits[0].law;
        prop_assert!(close(law(&data).center, law(&turned).center, 0.0));
    }

    #[test]
    fn units_do_not_matter_to_a_u_prime_chart(data in subgroups(), exponent in -3_i32..6) {
        let data = as_subgroups(&data);
        let scale = 10.0_f64.powi(exponent);
        let grow = |s: Subgroup| Subgroup { size: s.size * scale, ..s };
        let scaled: Vec<_> = data.iter().map(|s| s.map(grow)).collect();
        let options = PrimeOptions::default();
        let (a, b) = (PrimeChart::u(&data, &options), PrimeChart::u(&scaled, &options));
        prop_assert_eq!(a.status, b.status);
        prop_assert!(close(a.estimates.sigma_z, b.estimates.sigma_z, 1.0));
        for (a, b) in a.points.iter().zip(&b.points) {
            prop_assert!(close(a.z, b.z, 1.0));
            prop_assert!(close(a.ucl, b.ucl.map(|ucl| ucl * scale), 0.0));
        }
    }

    #[test]
    fn units_and_origin_do_not_matter_to_individuals(
        values in values(),
        exponent in -6_i32..6,
        origin in -1e3..1e3_f64,
    ) {
        let scale = 10.0_f64.powi(exponent);
        let other: Vec<_> = values.iter().map(|v| v.map(|v| scale * (v + origin))).collect();
        let a = Individuals::default().chart(&values, &Settings::default());
        let b = Individuals::default().chart(&other, &Settings::default());
        let sigma = a.estimates[0].sigma;
        prop_assert!(close(sigma.map(|s| s * scale), b.estimates[0].sigma, scale));
        // With almost no dispersion z is rounding noise of the origin.
        if sigma.is_some_and(|s| s > 1e-3) {
            for (a, b) in a.panels[0].points.iter().zip(&b.panels[0].points) {
                prop_assert!(close(a.z, b.z, 1.0), "{:?} {:?}", a.z, b.z);
            }
        }
    }

    #[test]
    fn the_values_within_a_subgroup_have_no_order(
        groups in prop::collection::vec(prop::collection::vec(0.0..1e3_f64, 1..9), 1..30),
    ) {
        let summaries = |reverse: bool| -> Vec<Option<Summary>> {
            let summary = |group: &Vec<f64>| {
                let mut group = group.clone();
                if reverse {
                    group.reverse();
                }
                Some(Summary::of(&group))
            };
            groups.iter().map(summary).collect()
        };
        let kinds = [(Spread::Range, Within::Range), (Spread::StandardDeviation, Within::Pooled)];
        for (spread, within) in kinds {
            let kind = Means { spread, within, frozen: None };
            let judged = |reverse| kind.chart(&summaries(reverse), &Settings::default());
            let (a, b) = (judged(false), judged(true));
            prop_assert_eq!(a.status, b.status);
            prop_assert!(close(a.estimates[0].center, b.estimates[0].center, 1.0));
            prop_assert!(close(a.estimates[0].sigma, b.estimates[0].sigma, 1.0));
        }
    }

    #[test]
    fn limits_enclose_the_centre_and_stay_possible(data in subgroups(), k in 0.0..6.0_f64) {
        let settings = Settings { k, ..Settings::default() };
        let chart = PrimeChart::p(&data, &PrimeOptions { settings, ..PrimeOptions::default() });
        for point in chart.points.iter().chain(&chart.plain) {
            if let (Some(lcl), Some(cl), Some(ucl)) = (point.lcl, point.cl, point.ucl) {
                prop_assert!((0.0..=1.0).contains(&lcl) && lcl <= cl && cl <= ucl && ucl <= 1.0);
            }
        }
    }

    #[test]
    fn a_pareto_accounts_for_every_count(
        counts in prop::collection::btree_map("[a-d]{1,3}", 0_u64..1_000_000, 0..12),
    ) {
        let rows = pareto(counts.clone());
        let total = rows.iter().map(|row| row.count).sum::<u64>();
        prop_assert_eq!(total, counts.values().sum::<u64>());
        prop_assert!(rows.windows(2).all(|pair| pair[0].count >= pair[1].count));
        prop_assert!(rows.last().and_then(|row| row.cumulative).is_none_or(|all| all == 1.0));
    }

    #[test]
    fn no_settings_make_a_chart_panic(
        data in subgroups(),
        stages in prop::collection::vec((0_usize..300, 0_usize..300).prop_map(|(a, b)| a..b), 0..4),
        baseline in prop::option::of((0_usize..300, 0_usize..300).prop_map(|(a, b)| a..b)),
        index in 0_usize..300,
        k in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1.0), Just(3.0)],
        center in prop_oneof![Just(f64::NAN), Just(-1.0), Just(0.0), Just(2.0), Just(1e308)],
        sigma_z in prop_oneof![Just(f64::NAN), Just(-1.0), Just(0.0), Just(1e308)],
    ) {
        let excluded = vec![Exclusion { index, reason: String::new() }];
        let rules = RuleSet::nelson();
        let settings = Settings { k, stages, baseline, excluded, rules, ..Settings::default() };
        for frozen in [None, Some(Frozen { center, sigma_z })] {
            let settings = settings.clone();
            let options = PrimeOptions { settings, frozen, ..PrimeOptions::default() };
            prop_assert_eq!(PrimeChart::p(&data, &options).points.len(), data.len());
        }
        let law = Law { family: Family::Np, center: Some(center), laney: Laney::On(Some(sigma_z)) };
        let mut stream = AttributeStream::new(law, &Settings::default());
        stream.push(Some(Subgroup { count: f64::INFINITY, size: f64::MIN_POSITIVE }));
        stream.push(Some(Subgroup { count: f64::NAN, size: -1.0 }));
    }
}
