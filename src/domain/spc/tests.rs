//! Charts against published data and against each other.

use super::arl;
use super::attribute::Frozen;
use super::chart::{Exclusion, GapPolicy, MrScreen, Point, Settings, Status};
use super::constants::{Constants, c4, factors};
use super::individuals::Individuals;
use super::memory::{Cusum, CusumStream};
use super::multivariate::t_squared;
use super::p_prime::{PrimeChart, PrimeOptions};
use super::rules::{RuleId, RuleSet};
use super::subgroup_length::{Advice, advise, by_length};

/// Patients seen within four hours, English accident and emergency departments, weeks of 2011
/// (Mohammed et al. 2013, BMJ Qual Saf 22:362): the data set of every p′ tutorial.
fn nhs() -> Vec<Option<(u64, u64)>> {
    let case = include_str!("../../../tests/cases/spc/pprime_nhs_accidents.json");
    let case: serde_json::Value = serde_json::from_str(case).expect("a JSON case");
    let counts = |key: &str| -> Vec<u64> {
        case["data"][key]
            .as_array()
            .expect("an array")
            .iter()
            .map(|v| v.as_u64().expect("a count"))
            .collect()
    };
    counts("d").into_iter().zip(counts("n")).map(Some).collect()
}

fn n_beyond(points: &[Point]) -> usize {
    points.iter().filter(|point| point.hits.contains(RuleId::N1)).count()
}

/// Shows: SPC-05
#[test]
fn p_prime_takes_the_false_alarms_from_a_p_chart() {
    let chart = PrimeChart::p(&nhs(), &PrimeOptions::default());
    assert_eq!((n_beyond(&chart.plain), n_beyond(&chart.points)), (16, 0));
    let sigma_z = chart.estimates.sigma_z.expect("twenty weeks");
    assert!((sigma_z - 10.636846382868491).abs() < 1e-9, "{sigma_z}");
    assert_eq!(chart.status, Status::Ok);
}

#[test]
fn excluded_and_empty_subgroups_do_not_estimate_and_gaps_stay_gaps() {
    let mut data = nhs();
    data.extend([Some((5, 0)), None, Some((0, 250_000))]);
    let excluded = vec![Exclusion { index: 22, reason: "no data entry".into() }];
    let options = PrimeOptions {
        settings: Settings { excluded, ..Settings::default() },
        ..PrimeOptions::default()
    };
    let chart = PrimeChart::p(&data, &options);
    let clean = PrimeChart::p(&nhs(), &PrimeOptions::default());
    assert_eq!(chart.estimates, clean.estimates);
    assert_eq!(chart.points[20..22], [Point::default(); 2]);
    assert!(chart.points[22].hits.contains(RuleId::N1), "an excluded point is still judged");
}

#[test]
fn a_frozen_chart_judges_as_the_baseline_it_came_from() {
    let baseline = PrimeChart::p(&nhs(), &PrimeOptions::default());
    let (center, sigma_z) =
        (baseline.estimates.center.expect("a rate"), baseline.estimates.sigma_z.expect("a σz"));
    let frozen = Some(Frozen { center, sigma_z });
    let later = PrimeChart::p(&nhs()[5..], &PrimeOptions { frozen, ..PrimeOptions::default() });
    for (later, first) in later.points.iter().zip(&baseline.points[5..]) {
        assert_eq!((later.z, later.lcl, later.ucl), (first.z, first.lcl, first.ucl));
    }
}

#[test]
fn each_stage_has_its_own_law_and_its_own_runs() {
    let data: Vec<_> = nhs()
        .into_iter()
        .chain(nhs().into_iter().map(|week| week.map(|(d, n)| (d / 2, n))))
        .collect();
    let settings =
        Settings { stages: vec![0..20, 20..40], rules: RuleSet::nelson(), ..Settings::default() };
    let staged = PrimeChart::p(&data, &PrimeOptions { settings, ..PrimeOptions::default() });
    let alone = Settings { rules: RuleSet::nelson(), ..Settings::default() };
    let second =
        PrimeChart::p(&data[20..], &PrimeOptions { settings: alone, ..PrimeOptions::default() });
    assert_eq!(staged.points[20..], second.points[..]);
    assert_eq!(staged.stages.len(), 2);
    assert_eq!(staged.estimates, second.estimates);
}

#[test]
fn a_baseline_without_a_reject_calls_the_first_one_a_signal() {
    let data = [Some((0, 6500)), Some((0, 6500)), Some((0, 6400)), Some((1, 6500))];
    let settings = Settings { baseline: Some(0..3), ..Settings::default() };
    let chart = PrimeChart::p(&data, &PrimeOptions { settings, ..PrimeOptions::default() });
    assert_eq!(chart.status, Status::Degenerate);
    assert_eq!(n_beyond(&chart.points[..3]), 0);
    assert!(chart.points[3].hits.contains(RuleId::N1));
}

#[test]
fn the_floor_keeps_p_prime_from_being_narrower_than_p() {
    let even: Vec<_> = (0..30).map(|i| Some((50 + i % 2, 6500))).collect();
    let with_floor = PrimeOptions { floor_at_one: true, ..PrimeOptions::default() };
    let (laney, floored) =
        (PrimeChart::p(&even, &PrimeOptions::default()), PrimeChart::p(&even, &with_floor));
    assert!(laney.estimates.sigma_z.expect("a σz") < 0.2);
    assert_eq!(floored.estimates.sigma_z, Some(1.0));
    assert_eq!(floored.points, floored.plain);
}

#[test]
fn a_bridged_gap_joins_its_neighbours() {
    let values = [Some(1.0), Some(2.0), None, Some(5.0)];
    let mr = |gap: GapPolicy| {
        let chart = Individuals::default().chart(&values, &Settings { gap, ..Settings::default() });
        chart.estimates[0].mr_bar
    };
    assert_eq!((mr(GapPolicy::Break), mr(GapPolicy::Bridge)), (Some(1.0), Some(2.0)));
}

#[test]
fn nelsons_screen_drops_one_wild_range_once() {
    // Nineteen ranges of 1 and two of 10: D4 times their mean of 39/21 is 6.07, and only the 10s are above.
    let mut values: Vec<Option<f64>> = (0..20).map(|i| Some(f64::from(i % 2))).collect();
    values.extend([Some(11.0), Some(1.0)]);
    let mr = |screen| {
        let settings = Settings { screen, ..Settings::default() };
        Individuals::default().chart(&values, &settings).estimates[0].mr_bar.expect("ranges")
    };
    assert!((mr(MrScreen::None) - 39.0 / 21.0).abs() < 1e-12);
    assert_eq!(mr(MrScreen::Nelson), 1.0);
}

#[test]
fn constants_hold_for_every_size_and_beyond_the_tables() {
    // Mean ranges of Tippett 1925 (Biometrika 17) for large samples.
    for (n, d2) in [(50, 4.49815), (100, 5.01519), (200, 5.49209), (500, 6.07340), (1000, 6.48287)]
    {
        let exact = Constants::Exact.d2(n).expect("a size");
        assert!((exact - d2).abs() < 1e-4, "{n}: {exact}");
    }
    assert_eq!(Constants::Table.d2(2), Some(1.128));
    assert_eq!(Constants::Table.big_d4(2), Some(3.267));
    assert_eq!((factors(0), factors(1)), (None, None));
    let (below, above) = (c4(9999.0).expect("c4"), c4(10_000.0).expect("c4"));
    assert!(
        below < above && above < 1.0 && above - below < 1e-8,
        "the expansion meets the formula: {below} {above}"
    );
}

#[test]
fn t_squared_limits_of_subgroups_agree_with_montgomery_11_1() {
    // Twenty samples of ten, two variables, alpha 0.001: UCL = 2·19·9/179 F = 13.72; digits of F from SciPy.
    let value =
        |i: usize, j: usize| (((i * 37 + j * 101) % 97) as f64, ((i * 53 + j * 29) % 89) as f64);
    let row = |i: usize, j: usize| vec![value(i, j).0, value(i, j).1];
    let series: Vec<Vec<Vec<f64>>> =
        (0..20).map(|i| (0..10).map(|j| row(i, j)).collect()).collect();
    let chart = t_squared(&series, 0.001, &Settings::default());
    let ucl = chart.law.ucl_phase1.expect("a limit");
    assert!((ucl - 13.720741594151821).abs() < 1e-9, "{ucl}");
    // T² does not depend on the units or on the mixture in which the variables are given.
    let mix = |v: &Vec<f64>| vec![1000.0 * v[0] - 3.0 * v[1], 7.0 + v[1]];
    let mixed: Vec<Vec<Vec<f64>>> =
        series.iter().map(|rows| rows.iter().map(mix).collect()).collect();
    let other = t_squared(&mixed, 0.001, &Settings::default());
    for (a, b) in chart.panel.points.iter().zip(&other.panel.points) {
        let (a, b) = (a.stat.expect("a statistic"), b.stat.expect("a statistic"));
        assert!((a - b).abs() <= 1e-9 * a.max(1.0), "{a} {b}");
    }
}

/// Shows: SPC-01
#[test]
fn run_lengths_agree_with_published_tables() {
    // Half a unit of the last printed digit.
    let close = |got: Option<f64>, want: f64, half_digit: f64| {
        let got = got.expect("a run length");
        assert!((got - want).abs() <= half_digit, "{got}, expected {want}");
    };
    // Montgomery, table 9.3 (k = 0.5, h = 5); with a head start of h/2 Lucas & Crosier 1982, h = 4 and h = 5.
    close(arl::cusum(0.5, 5.0, 0.0, 1.0), 10.4, 0.05);
    close(arl::cusum(0.5, 4.0, 0.5, 0.0), 149.0, 0.5);
    close(arl::cusum(0.5, 4.0, 0.5, 1.0), 5.29, 0.005);
    close(arl::cusum(0.5, 5.0, 0.5, 0.0), 430.0, 0.5);
    close(arl::cusum(0.5, 5.0, 0.5, 1.0), 6.35, 0.005);
    // All of Western Electric 1956: Champ & Woodall 1987, table 1.
    close(arl::run_rules(&RuleSet::standard(&RuleId::ALL[8..12]), 0.0), 91.75, 0.005);
    // One rule without a memory is the Shewhart chart.
    close(arl::run_rules(&RuleSet::standard(&[RuleId::We1]), 0.5), arl::shewhart(3.0, 0.5), 1e-9);
    assert_eq!(arl::run_rules(&RuleSet::nelson(), 0.0), None, "trends have no finite memory");
}

#[test]
fn limits_of_a_budget_spend_it() {
    let design = arl::design(672.0, 0.1, 0.5).expect("a design");
    let spent = [
        Some(arl::shewhart(design.shewhart_k, 0.0)),
        arl::ewma(0.1, design.ewma_l, 0.0),
        arl::cusum(0.5, design.cusum_h, 0.0, 0.0),
    ];
    for arl in spent {
        let arl = arl.expect("a run length");
        assert!((arl - 672.0).abs() < 1e-5, "{arl}");
    }
    assert_eq!(arl::design(1.0, 0.1, 0.5), None);
    assert_eq!(arl::design(f64::NAN, 0.1, 0.5), None);
}

#[test]
fn a_cusum_tells_where_the_mean_went() {
    // Montgomery 9.1: at observation 29 C+ = 5.28 after N+ = 7, and the mean is estimated as 10 + 0.5 + 5.28/7 = 11.25.
    let case = include_str!("../../../tests/cases/spc/cusum_montgomery_9_1.json");
    let case: serde_json::Value = serde_json::from_str(case).expect("a JSON case");
    let settings =
        Cusum { k: 0.5, h: 5.0, target: 10.0, sigma: 1.0, fir: 0.0, reset_after_signal: false };
    let mut stream = CusumStream::new(settings);
    let values =
        case["data"]["x"].as_array().expect("values").iter().map(|x| x.as_f64().expect("a value"));
    let points: Vec<_> = values.map(|x| stream.push(Some((x, 1.0))).expect("a point")).collect();
    let mean = settings.shifted_mean(&points[28], 1.0).expect("a signal");
    assert!((mean - 11.25).abs() < 0.01, "{mean}");
    assert_eq!(settings.shifted_mean(&points[27], 1.0), None);
}

#[test]
fn drift_asks_for_longer_subgroups() {
    // A slow wave of 40 % of the mean: neighbours agree, so the moving range sees nothing of it.
    let wave = |i: u64| (50.0 + 20.0 * (i as f64 / 60.0).sin()) as u64;
    let noise = |i: u64| (i * 7919 + i * i * 104_729) % 13;
    let minutes: Vec<_> = (0..1440).map(|i| Some((wave(i) + noise(i), 6500))).collect();
    let rows = by_length(&minutes, &[1, 15, 60], &Settings::default());
    assert_eq!(advise(&rows[0].dispersion, rows[0].chi2_ratio), Advice::LengthenSubgroup);
    let sigma_z: Vec<f64> =
        rows.iter().map(|row| row.dispersion.sigma_z_mr.expect("a σz")).collect();
    assert!(sigma_z[0] < sigma_z[1] && sigma_z[1] < sigma_z[2], "{sigma_z:?}");
    assert_eq!(advise(&Default::default(), None), Advice::Unknown);
}

#[test]
fn the_zone_case_is_given_the_z_of_its_own_chart() {
    // The zone case repeats the estimates of another chart; this is that chart, and these are its z.
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("a JSON case");
    let zone = read(include_str!("../../../tests/cases/spc/zone_pistonrings.json"));
    let xbar = read(include_str!("../../../tests/cases/spc/xbar_r_pistonrings.json"));
    let computed = super::case::run(&xbar, None).expect("a chart");
    for key in ["center", "sigma", "r_bar"] {
        let (want, got) = (&zone["expected"]["estimates"][key], &computed["estimates"][key]);
        let (want, got) = (want.as_f64().expect("a number"), got.as_f64().expect("a number"));
        assert!((got - want).abs() <= 1e-9 * want.abs(), "{key}: {got}, expected {want}");
    }
    let zs = zone["data"]["z"]
        .as_array()
        .expect("z")
        .iter()
        .zip(computed["panels"][0]["z"].as_array().expect("z"));
    for (want, got) in zs.map(|(w, g)| (w.as_f64().expect("z"), g.as_f64().expect("z"))) {
        assert!((got - want).abs() <= 1e-8 * want.abs().max(1.0), "{got}, expected {want}");
    }
}
