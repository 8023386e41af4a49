//! Charts of weights: minutes in, subgroups, limits, signals and capability out, against the shipped cases of 96 samples
//! of 20 weights (`tests/cases/spc/weights_a*`).

use proptest::prelude::*;
use serde_json::{Value, json};

use super::characteristic::{Characteristic, ChartKind, Measure};
use super::fixture::{T0_US, minute, standing, told};
use super::limits::{Fitted, Limits, LimitsLaw, fit};
use super::monitor::Monitor;
use super::stream::Judged;
use super::subgroup::{Fitness, Subgroup, subgroups};
use super::weights::WeightHistogram;
use super::workbench::{By, evaluate};
use crate::line::minute::Minute;
use crate::line::weight::{Account, Moments, Series, WeightTally, book};
use crate::spc::capability::Tolerance;
use crate::spc::chart::Point;
use crate::spc::rules::RuleId;
use crate::stats::{normality::anderson_darling, summary};
use crate::units::{MINUTE_US, StationId};

const DATA: &str = include_str!("../../../tests/cases/spc/weights_a.csv");
const BETWEEN_WITHIN: &str = include_str!("../../../tests/cases/spc/weights_a_between_within.json");
const EWMA: &str = include_str!("../../../tests/cases/spc/weights_a_ewma.json");
const CAPABILITY: &str = include_str!("../../../tests/cases/spc/weights_a_capability.json");

fn station() -> StationId {
    StationId::new("CW04")
}

fn samples() -> Characteristic {
    Characteristic::new(Measure::Weight { station: station(), series: Series::Sample })
}

/// A running minute in which this was weighed.
fn weighed(i: i64, series: Series, moments: Moments, account: Account) -> Minute {
    let mut minute = minute(i, 28);
    let tally = WeightTally { moments, account, ..WeightTally::nothing(station(), series, 0) };
    book(&mut minute.weights, &tally);
    minute
}

fn taken() -> Account {
    Account { records: 1, ..Account::default() }
}

/// The samples of the shipped data, in micrograms.
fn data() -> Vec<Vec<u64>> {
    let weight = |text: &str| {
        let (mg, hundredths) = text.split_once('.').unwrap();
        let number = |text: &str| text.parse::<u64>().unwrap();
        number(mg) * 1_000 + number(hundredths) * 10
    };
    let row = |line: &str| line.split(',').skip(1).map(weight).collect();
    DATA.lines().skip(1).map(row).collect()
}

/// Minutes of the shipped data: each sample in the fourth minute of its quarter of an hour.
fn minutes() -> Vec<Minute> {
    let data = data();
    (0..15 * data.len() as i64)
        .map(|i| match i % 15 {
            3 => {
                let sample = data[(i / 15) as usize].iter().map(|ug| Moments::one(*ug)).sum();
                weighed(i, Series::Sample, sample, taken())
            }
            _ => minute(i, 28),
        })
        .collect()
}

fn of(characteristic: &Characteristic, minutes: &[Minute]) -> Vec<Subgroup> {
    subgroups(characteristic, minutes, &[])
}

fn limits(characteristic: &Characteristic, fitted: Fitted, law: LimitsLaw, l: f64) -> Limits {
    Limits {
        version: 1,
        characteristic: characteristic.id.clone(),
        kind: characteristic.kind,
        subgroup_minutes: characteristic.subgroup_minutes,
        law,
        ewma_l: l,
        arl0: None,
        rules: vec![RuleId::N1, RuleId::N2],
        baseline: fitted.baseline,
        evidence: fitted.evidence,
        author: "an".to_owned(),
        reason: "first baseline".to_owned(),
        made_us: T0_US,
        decision: None,
    }
}

/// Limits of the first forty samples.
fn baseline(characteristic: &Characteristic, all: &[Subgroup]) -> Limits {
    let fitted = fit(characteristic, all, (T0_US, T0_US + 40 * 15 * MINUTE_US), &[]);
    let law = fitted.law.unwrap();
    limits(characteristic, fitted, law, 3.0)
}

fn case(text: &str) -> Value {
    serde_json::from_str::<Value>(text).unwrap()["expected"].clone()
}

fn close(ours: Option<f64>, wanted: &Value) -> bool {
    match (ours, wanted.as_f64()) {
        (Some(ours), Some(wanted)) => (ours - wanted).abs() <= 1e-8 * wanted.abs().max(1.0),
        (ours, wanted) => ours.is_none() && wanted.is_none(),
    }
}

/// What a column of a panel shows of a point.
type Column = fn(&Point) -> Option<f64>;

/// Compares a column of points with a panel of a case.
fn agrees(expected: &Value, panel: &str, points: &[Point]) {
    let panels = expected["panels"].as_array().unwrap();
    let panel = panels.iter().find(|found| found["name"] == panel).unwrap();
    let columns: [(&str, Column); 4] =
        [("stat", |p| p.stat), ("cl", |p| p.cl), ("lcl", |p| p.lcl), ("ucl", |p| p.ucl)];
    for (name, get) in columns {
        let wanted = panel[name].as_array().unwrap();
        assert_eq!(wanted.len(), points.len());
        for (i, (point, wanted)) in points.iter().zip(wanted).enumerate() {
            assert!(close(get(point), wanted), "{name} {i}: {point:?} {wanted}");
        }
    }
}

fn hits(expected: &Value, panel: usize, rule: &str) -> Vec<usize> {
    let list = expected["panels"][panel]["rules"][rule].as_array().unwrap();
    list.iter().map(|i| i.as_u64().unwrap() as usize).collect()
}

fn with(judged: &[Judged], rule: RuleId) -> Vec<usize> {
    let found = judged.iter().enumerate().filter(|(_, judged)| judged.point.hits.contains(rule));
    found.map(|(i, _)| i).collect()
}

#[test]
fn samples_give_the_three_way_chart_of_the_shipped_case() {
    let (characteristic, expected) = (samples(), case(BETWEEN_WITHIN));
    assert_eq!(characteristic.kind, ChartKind::ThreeWay);
    let all = of(&characteristic, &minutes());
    let limits = baseline(&characteristic, &all);
    let LimitsLaw::ThreeWay { center, sigma, sigma_within } = limits.law else { panic!() };
    let estimates = &expected["estimates"];
    assert!(close(Some(center), &estimates["center"]));
    assert!(close(Some(sigma), &estimates["sigma_means"]));
    assert!(close(Some(sigma_within), &estimates["sigma_within"]));
    let judged = evaluate(&characteristic, &all, By::Version(&limits)).judged;
    let column = |get: fn(&Judged) -> Point| judged.iter().map(get).collect::<Vec<_>>();
    agrees(&expected, "i", &column(|judged| judged.point));
    agrees(&expected, "mr", &column(|judged| judged.companion));
    agrees(&expected, "s", &column(|judged| judged.within.unwrap()));
    assert_eq!(with(&judged, RuleId::N1), hits(&expected, 0, "N1"));
    assert_eq!(with(&judged, RuleId::N2), hits(&expected, 0, "N2"));
}

#[test]
fn the_ewma_of_means_is_that_of_the_shipped_case() {
    let mut characteristic = samples();
    characteristic.kind = ChartKind::Ewma;
    let all = of(&characteristic, &minutes());
    let fitted = fit(&characteristic, &all, (i64::MIN, i64::MAX), &[]);
    // The case takes sigma of a single value and samples of 20; a mean of one is the same.
    let law = LimitsLaw::Individuals { center: 500.0, sigma: 9.935096109217987 / 20f64.sqrt() };
    let limits = limits(&characteristic, fitted, law, 3.0);
    let judged = evaluate(&characteristic, &all, By::Version(&limits)).judged;
    let expected = case(EWMA);
    agrees(&expected, "ewma", &judged.iter().map(|judged| judged.point).collect::<Vec<_>>());
    assert_eq!(with(&judged, RuleId::Limit), hits(&expected, 0, "LIMIT"));
}

#[test]
fn capability_is_that_of_the_shipped_case() {
    let mut characteristic = samples();
    let all = of(&characteristic, &minutes());
    let shown = |characteristic: &Characteristic| {
        evaluate(characteristic, &all[..40], By::Nothing).weight_capability(characteristic)
    };
    assert_eq!(shown(&characteristic), None, "without a tolerance there is none");
    characteristic.tolerance =
        Tolerance { lsl: Some(475.0), usl: Some(525.0), target: Some(500.0) };
    let found = shown(&characteristic).unwrap();
    let expected = &case(CAPABILITY)["indices"];
    for (name, index) in [
        ("Cp", found.within.both),
        ("Cpk", found.within.worst),
        ("Pp", found.overall.both),
        ("Ppk", found.overall.worst),
    ] {
        let index = index.unwrap();
        let interval = &expected[format!("{name}_ci")];
        assert!(close(Some(index.value), &expected[name]), "{name} {index:?}");
        let (low, high) = index.interval.unwrap();
        assert!(close(Some(low), &interval[0]) && close(Some(high), &interval[1]), "{name}");
    }
}

#[test]
fn what_is_missing_makes_a_subgroup_incomplete_and_keeps_it_out_of_limits() {
    let characteristic = samples();
    let whole = minutes();
    let clean = baseline(&characteristic, &of(&characteristic, &whole));
    for (what, account) in [
        ("missed", Account { records: 1, missed: 1, ..Account::default() }),
        ("refused", Account { records: 1, refused: 1, ..Account::default() }),
        ("unheard", Account { unheard: true, ..Account::default() }),
    ] {
        let mut damaged = whole.clone();
        // A weight of a gram would move every limit.
        damaged[15 * 7 + 4] = weighed(15 * 7 + 4, Series::Sample, Moments::one(1_000_000), account);
        let all = of(&characteristic, &damaged);
        assert_eq!(all[7].fitness, Fitness::Incomplete, "{what}");
        let limits = baseline(&characteristic, &all);
        assert_eq!(limits.baseline.n_used, clean.baseline.n_used - 1, "{what}");
        let LimitsLaw::ThreeWay { center, .. } = limits.law else { panic!() };
        assert!((center - 500.3).abs() < 0.5, "{what}: {center}");
        let judged = evaluate(&characteristic, &all, By::Version(&limits)).judged;
        assert!(judged[7].point.hits.is_empty() && judged[7].point.z.is_none(), "{what}");
    }
}

/// Negative control of the above: the same gram without the mark signals and moves the limits.
#[test]
fn a_gram_that_is_not_marked_is_seen() {
    let characteristic = samples();
    let mut damaged = minutes();
    damaged[15 * 7 + 4] = weighed(15 * 7 + 4, Series::Sample, Moments::one(1_000_000), taken());
    let all = of(&characteristic, &damaged);
    let limits = baseline(&characteristic, &all);
    let judged = evaluate(&characteristic, &all, By::Version(&limits)).judged;
    assert!(judged[7].signals());
}

#[test]
fn a_quarter_of_an_hour_without_a_sample_is_empty_and_not_zero() {
    let mut without = minutes();
    without[15 * 7 + 3].weights.clear();
    let all = of(&samples(), &without);
    assert_eq!((all[7].fitness, all[7].stat()), (Fitness::Empty, None));
}

#[test]
fn the_spread_of_all_that_was_weighed_is_charted_for_itself() {
    let measure = Measure::WeightDeviation { station: station(), series: Series::Interval };
    let characteristic = Characteristic::new(measure).with_subgroup(15);
    assert_eq!((&*characteristic.id, characteristic.unit()), ("weight_sd.CW04", "mg"));
    let minute = |i: i64| {
        let sd = 9.4 + 0.05 * f64::from((i * 7 % 11) as i32 - 5);
        let moments = Moments::of_statistics(6_480, 596.0, sd).unwrap();
        weighed(i, Series::Interval, moments, taken())
    };
    let minutes: Vec<Minute> = (0..15 * 30).map(minute).collect();
    let all = of(&characteristic, &minutes);
    assert_eq!(all.len(), 30);
    assert!(all.iter().all(|s| s.is_whole() && s.moments.n() == 15 * 6_480));
    assert!(all.iter().all(|s| (s.value.unwrap() - 9.4).abs() < 0.1));
    let fitted = fit(&characteristic, &all, (i64::MIN, i64::MAX), &[]);
    assert!(matches!(fitted.law, Some(LimitsLaw::Individuals { .. })));
}

#[test]
fn a_corrected_sample_is_judged_again_and_both_versions_are_told() {
    let characteristic = samples();
    let right = minutes();
    let mut wrong = right.clone();
    wrong[15 * 50 + 3] = weighed(
        15 * 50 + 3,
        Series::Sample,
        Moments::one(700_000) + Moments::one(700_001),
        taken(),
    );
    let limits = baseline(&characteristic, &of(&characteristic, &right));
    let mut chart = Monitor::new(characteristic, Some(limits));
    let first = told(&mut chart, &wrong[..15 * 52]);
    assert!(first[50].judged.point.hits.contains(RuleId::N1));
    let from_us = chart.rewind(right[15 * 50 + 3].start_us).unwrap();
    assert_eq!(from_us, T0_US + 50 * 15 * MINUTE_US);
    let again = told(&mut chart, &right[15 * 50..15 * 52]);
    assert_eq!((again[0].rev, again[0].judged.point.hits.is_empty()), (1, true));
}

proptest! {
    /// Minutes that run, stand, are missing, or hold parts of a sample; the chart is copied anywhere, and a sample may
    /// be split over minutes of its subgroup. What is told stays the same.
    #[test]
    fn neither_chunks_nor_the_split_of_a_sample_matter(
        kinds in prop::collection::vec(0..12_u8, 90..400),
        cuts in prop::collection::vec(1..60_usize, 1..6),
        split in 1..19_usize,
    ) {
        let characteristic = samples();
        let data = data();
        let limits = baseline(&characteristic, &of(&characteristic, &minutes()));
        let make = |parts: bool| -> Vec<Minute> {
            let make = |(i, kind): (usize, &u8)| {
                let sample = &data[i / 15 % data.len()];
                let part = |range: std::ops::Range<usize>| {
                    let moments = sample[range].iter().map(|ug| Moments::one(*ug)).sum();
                    weighed(i as i64, Series::Sample, moments, taken())
                };
                match (i % 15, parts, kind) {
                    (3, false, _) => Some(part(0..20)),
                    (3, true, _) => Some(part(0..split)),
                    (9, true, _) => Some(part(split..20)),
                    (9, false, _) => Some(minute(i as i64, 28)),
                    (_, _, 0) => None,
                    (_, _, 1) => Some(standing(i as i64)),
                    _ => Some(minute(i as i64, 28)),
                }
            };
            kinds.iter().enumerate().filter_map(make).collect()
        };
        let mut straight = Monitor::new(characteristic.clone(), Some(limits.clone()));
        told(&mut straight, &make(false));
        let mut chunked = Monitor::new(characteristic, Some(limits));
        let minutes = make(true);
        let mut rest = &minutes[..];
        for cut in cuts.iter().cycle().take(minutes.len()) {
            let (chunk, later) = rest.split_at((*cut).min(rest.len()));
            chunked = chunked.clone();
            told(&mut chunked, chunk);
            rest = later;
        }
        prop_assert!(straight.told().eq(chunked.told()));
    }
}

/// The bars count the weights of whole subgroups that are known one by one; mean, standard deviation and curve are of all.
#[test]
fn a_histogram_counts_weights_of_whole_subgroups_that_are_known() {
    let tolerance = Tolerance { lsl: Some(495.0), usl: Some(505.0), target: Some(500.0) };
    let characteristic = Characteristic { tolerance, ..samples() };
    let mut minutes = minutes();
    let missed = Account { records: 1, missed: 1, ..Account::default() };
    minutes[15 * 7 + 4] = weighed(15 * 7 + 4, Series::Sample, Moments::one(1_000_000), missed);
    let evaluation = evaluate(&characteristic, &of(&characteristic, &minutes), By::Nothing);
    let at = |i: i64| T0_US + i * MINUTE_US;
    let mut singles = Vec::new();
    let mut known = Vec::new();
    for (i, sample) in (0..).zip(data()) {
        let weights = sample.iter().map(|ug| *ug as f64 / 1e3);
        singles.extend(weights.clone().map(|mg| (at(15 * i + 3), mg)));
        known.extend(weights.filter(|_| i != 7));
    }
    singles.insert(8 * data()[0].len(), (at(15 * 7 + 4), 1_000.0));
    let found = WeightHistogram::of(&evaluation, &characteristic, &singles).expect("weights");
    let n = known.len() as u64;
    assert_eq!((found.n, found.n_single), (n, n));
    assert_eq!(found.counts.as_ref().map(|counts| counts.iter().sum()), Some(n));
    assert!(close(Some(found.mean), &json!(summary::mean(&known))), "{}", found.mean);
    assert!(close(Some(found.sigma), &json!(summary::sd(&known))), "{}", found.sigma);
    assert_eq!(found.normality, anderson_darling(&known));
    let beyond = |is: fn(f64) -> bool| known.iter().filter(|mg| is(**mg)).count() as u64;
    assert_eq!(found.outside, (Some(beyond(|mg| mg < 495.0)), Some(beyond(|mg| mg > 505.0))));
    // Without single weights nothing is counted or tested, and the curve is that of the same mean and deviation.
    let sums = WeightHistogram::of(&evaluation, &characteristic, &[]).expect("sums");
    assert_eq!((sums.mean, sums.sigma, sums.n, sums.n_single), (found.mean, found.sigma, n, 0));
    assert_eq!((sums.counts, sums.outside, sums.normality), (None, (None, None), None));
    let expected: f64 = sums.expected.iter().sum();
    assert!((expected - n as f64).abs() < 0.001 * n as f64, "{expected}");
    // One single weight, or some that are all the same, hide nothing of the law: they stand in its bins, also far outside.
    for alike in [&[(at(3), 501.0)][..], &[(at(3), 501.0), (at(18), 501.0)], &[(at(3), 900.0)]] {
        let found = WeightHistogram::of(&evaluation, &characteristic, alike).expect("a law");
        let n = alike.len() as u64;
        assert_eq!((found.mean, found.n_single), (sums.mean, n));
        assert_eq!(found.counts.map(|counts| counts.iter().sum()), Some(n));
    }
    let spread = Measure::WeightDeviation { station: station(), series: Series::Sample };
    assert!(WeightHistogram::of(&evaluation, &Characteristic::new(spread), &singles).is_none());
}
