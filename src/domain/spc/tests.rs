//! Charts against published data, and the laws they keep.

use super::chart::{Exclusion, Settings, Status};
use super::p_prime::{PrimeChart, PrimeOptions};
use super::rules::RuleId;

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

#[test]
fn p_prime_takes_the_false_alarms_from_a_p_chart() {
    let chart = PrimeChart::p(&nhs(), &PrimeOptions::default());
    let beyond = |points: &[super::chart::Point]| {
        points.iter().filter(|p| p.hits.contains(RuleId::N1)).count()
    };
    assert_eq!((beyond(&chart.plain), beyond(&chart.points)), (16, 0));
    let sigma_z = chart.estimates.sigma_z.expect("twenty weeks");
    assert!((sigma_z - 10.636846382868491).abs() < 1e-9, "{sigma_z}");
    assert_eq!(chart.status, Status::Ok);
}

#[test]
fn excluded_and_empty_subgroups_do_not_estimate_and_gaps_stay_gaps() {
    let mut data = nhs();
    data.push(Some((5, 0)));
    data.push(None);
    data.push(Some((0, 250_000)));
    let excluded = vec![Exclusion { index: 22, reason: "no data entry".into() }];
    let options = PrimeOptions {
        settings: Settings { excluded, ..Settings::default() },
        ..PrimeOptions::default()
    };
    let chart = PrimeChart::p(&data, &options);
    let clean = PrimeChart::p(&nhs(), &PrimeOptions::default());
    assert_eq!(chart.estimates, clean.estimates);
    assert_eq!(chart.points[20], super::chart::Point::default());
    assert_eq!(chart.points[21], super::chart::Point::default());
    assert!(chart.points[22].hits.contains(RuleId::N1), "an excluded point is still judged");
}
