//! Plays `tests/cases/oee/*.json`: each file holds a source, an input, what was published and what
//! is expected of us.

use std::path::Path;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Shows: CNT-10
#[test]
fn every_published_example_comes_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/oee");
    let mut n_cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        n_cases += 1;
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(case["source"].is_string(), "{}: a case names its source", path.display());
        let input: Input = serde_json::from_value(case["input"].clone()).unwrap();
        let report = serde_json::to_value(kpis(&input).unwrap()).unwrap();
        compare(&path.display().to_string(), &case["expect"], &report);
        if !case["published_wrong"].is_null() {
            let wrong = &case["published_wrong"]["total"]["oee"];
            assert_ne!(wrong, &report["total"]["oee"], "{}", path.display());
        }
    }
    assert!(n_cases >= 7, "only {n_cases} cases were found");
}

/// Everything that is expected must be found; floats agree to six digits after the point.
fn compare(place: &str, expected: &Value, found: &Value) {
    match (expected, found) {
        (Value::Object(fields), found) => {
            fields
                .iter()
                .for_each(|(name, value)| compare(&format!("{place}.{name}"), value, &found[name]));
        }
        (Value::Array(items), Value::Array(others)) => {
            assert_eq!(items.len(), others.len(), "{place}");
            for (index, item) in items.iter().enumerate() {
                compare(&format!("{place}[{index}]"), item, &others[index]);
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() < 1e-6, "{place}: expected {a}, found {b}");
        }
        (expected, found) => assert_eq!(expected, found, "{place}"),
    }
}

fn check(input: &str, expected: Expect) {
    let input: Input = serde_json::from_str(input).unwrap();
    let found = match kpis(&input) {
        Ok(report) => serde_json::to_string_pretty(&report).unwrap(),
        Err(problems) => problems.to_string(),
    };
    expected.assert_eq(&found);
}

#[test]
fn the_report_is_the_contract() {
    check(
        r#"{"ideal_cycle_s": "60/6500", "buckets": [
            {"planned_s": 3600, "run_s": 2400, "unknown_s": 600, "total": 260000, "bad": 0}]}"#,
        expect![[r#"
            {
              "buckets": [
                {
                  "availability": 0.6666666666666666,
                  "performance": 1.0,
                  "quality": 1.0,
                  "oee": 0.6666666666666666,
                  "oee_low": 0.6666666666666666,
                  "oee_high": 0.8333333333333334,
                  "coverage": 0.8333333333333334
                }
              ],
              "total": {
                "availability": 0.6666666666666666,
                "performance": 1.0,
                "quality": 1.0,
                "oee": 0.6666666666666666,
                "oee_low": 0.6666666666666666,
                "oee_high": 0.8333333333333334,
                "coverage": 0.8333333333333334
              },
              "flags": []
            }"#]],
    );
}

#[test]
fn performance_above_one_is_reported_and_flagged() {
    check(
        r#"{"ideal_cycle_s": 1, "buckets": [{"planned_s": 100, "run_s": 100, "total": 120, "bad": 0}]}"#,
        expect![[r#"
            {
              "buckets": [
                {
                  "availability": 1.0,
                  "performance": 1.2,
                  "quality": 1.0,
                  "oee": 1.2,
                  "oee_low": 1.2,
                  "oee_high": 1.2,
                  "coverage": 1.0
                }
              ],
              "total": {
                "availability": 1.0,
                "performance": 1.2,
                "quality": 1.0,
                "oee": 1.2,
                "oee_low": 1.2,
                "oee_high": 1.2,
                "coverage": 1.0
              },
              "flags": [
                "buckets[0]: performance above 100 %: the ideal cycle is too long"
              ]
            }"#]],
    );
}

#[test]
fn all_problems_are_reported_together() {
    check(
        r#"{"ideal_cycle_s": "60/0", "buckets": [
            {"planned_s": -1, "run_s": 1e300, "total": 1.5},
            {"planned_s": 1, "run_s": 1, "total": 5, "bad": 6},
            {"planned_s": 1, "run_s": 1, "bad": 6},
            {"planned_s": 1, "run_s": 1, "total": 6, "quality": 0.9},
            {"planned_s": 1, "run_s": 1, "performance": 0.9},
            {"planned_s": 1, "run_s": 1, "performance": 1.1, "quality": 1.2}]}"#,
        expect![[r#"
            ideal_cycle_s: 60/0 is no time above 0; write seconds such as 0.5, or "60/6500"
            buckets[0].planned_s: -1 is no number from 0 to 1e15; correct it
            buckets[0].run_s: 1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000 is no number from 0 to 1e15; correct it
            buckets[0].total: 1.5 is no whole number of items; correct it
            buckets[1].bad: 6 is more than the total; total counts good and bad
            buckets[2].bad: 6 has no total to be a part of; add total
            buckets[3].performance: 0.9 stands beside a total; give counts or factors
            buckets[4].quality: 0.9 is only the performance; add quality
            buckets[5].quality: 1.2 is more than all of it; give a fraction up to 1"#]],
    );
    check(r#"{"buckets": []}"#, expect!["buckets: [] holds no bucket; add one for each period"]);
}

#[test]
fn an_unknown_field_is_refused_by_name() {
    let found = serde_json::from_str::<Input>(r#"{"buckets": [{"planed_s": 1}]}"#);
    let why = found.unwrap_err().to_string();
    assert!(why.contains("unknown field `planed_s`, expected one of `planned_s`"), "{why}");
}

/// Long factors and enormous times once lost so many digits that the highest OEE came out below the lowest.
#[test]
fn long_factors_of_enormous_times_keep_their_order() {
    let bucket = |planned_s, run_s, performance, quality| Bucket {
        planned_s,
        run_s,
        unknown_s: 77_209.956_134_315_11,
        total: None,
        bad: None,
        performance: Some(performance),
        quality: Some(quality),
    };
    let buckets = vec![
        bucket(0.0, 257_632_202_251_702.0, 0.792_186_254_230_088_5, 0.703_686_009_628_330_9),
        bucket(
            60_444.752_270_735_7,
            66_342.816_994_639_36,
            1.157_014_691_098_654,
            0.928_755_856_787_039_8,
        ),
    ];
    let total = kpis(&Input { ideal_cycle_s: None, buckets }).unwrap().total;
    // Σ run × performance × quality / Σ planned, by Python's fractions.
    let oee = total.oee.unwrap();
    assert!((oee / 2376007259.245968 - 1.0).abs() < 1e-14, "{oee}");
    assert!(total.oee_low <= total.oee && total.oee <= total.oee_high, "{total:?}");
}

fn bucket() -> impl Strategy<Value = Bucket> {
    let seconds = || prop_oneof![8 => 0.0..1e5, 1 => any::<f64>(), 1 => Just(0.0)];
    let output = prop_oneof![
        (0u32..5_000, 0u32..50).prop_map(|(total, bad)| (Some((total, bad)), None)),
        (0.0..2.0, 0.0..1.0).prop_map(|factors| (None, Some(factors))),
    ];
    (seconds(), seconds(), seconds(), output).prop_map(
        |(planned_s, run_s, unknown_s, (counts, factors))| Bucket {
            planned_s,
            run_s,
            unknown_s,
            total: counts.map(|(total, _)| f64::from(total)),
            bad: counts.map(|(_, bad)| f64::from(bad)),
            performance: factors.map(|(performance, _)| performance),
            quality: factors.map(|(_, quality): (f64, f64)| quality),
        },
    )
}

proptest! {
    /// Any numbers are either calculated or refused; OEE lies in its interval.
    #[test]
    fn any_numbers_are_calculated_or_refused(
        ideal in prop_oneof![any::<f64>(), 0.0..100.0],
        buckets in prop::collection::vec(bucket(), 0..5),
    ) {
        let input = Input { ideal_cycle_s: Some(Cycle::Number(ideal)), buckets };
        match kpis(&input) {
            Ok(Report { total, .. }) => prop_assert!(total.oee_low <= total.oee && total.oee <= total.oee_high),
            Err(problems) => prop_assert!(!problems.to_string().is_empty()),
        }
    }
}
