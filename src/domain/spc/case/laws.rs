//! What must hold for every chart type, asked as a case: units, order and chunks do not matter.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::run;

/// A case of a chart of measurements from values of one unit, in a scale of 2ᵏ: such a scale loses no bit.
type Scaled = fn(&[f64], f64) -> Value;

fn times(values: &[f64], scale: f64) -> Vec<f64> {
    values.iter().map(|x| x * scale).collect()
}

fn groups(values: &[f64], scale: f64) -> Vec<Vec<f64>> {
    values.chunks_exact(4).map(|group| times(group, scale)).collect()
}

/// Chart types of measurements: z and rules have no unit.
const MEASURED: [(&str, Scaled); 9] = [
    ("i_mr", |x, u| json!({ "chart": "i_mr", "data": { "x": times(x, u) } })),
    ("xbar_r", |x, u| json!({ "chart": "xbar_r", "data": { "groups": groups(x, u) } })),
    ("xbar_s", |x, u| json!({ "chart": "xbar_s", "data": { "groups": groups(x, u) } })),
    ("ewma", |x, u| {
        let params = json!({ "lam": 0.2, "L": 2.7, "target": 50.0 * u, "sigma": 9.0 * u });
        json!({ "chart": "ewma", "params": params, "data": { "x": times(x, u) } })
    }),
    ("cusum", |x, u| {
        let params = json!({ "k": 0.5, "h": 4.0, "target": 50.0 * u, "sigma": 9.0 * u });
        json!({ "chart": "cusum", "params": params, "data": { "x": times(x, u) } })
    }),
    ("ma", |x, u| {
        let params = json!({ "span": 3, "center": 50.0 * u, "sigma": 9.0 * u });
        json!({ "chart": "ma", "params": params, "data": { "x": times(x, u) } })
    }),
    (
        "t",
        |x, u| json!({ "chart": "t", "params": { "method": "power" }, "data": { "x": times(x, u) } }),
    ),
    ("t2", |x, u| {
        let rows: Vec<[f64; 2]> = x.chunks_exact(2).map(|row| [row[0] * u, row[1]]).collect();
        json!({ "chart": "t2", "data": { "x": rows } })
    }),
    ("zmr", |x, u| {
        let part: Vec<&str> = (0..x.len()).map(|i| if i % 20 < 10 { "A" } else { "B" }).collect();
        json!({ "chart": "zmr", "data": { "x": times(x, u), "part": part } })
    }),
];

/// Everything of a result that has no unit.
fn without_unit(chart: &str, result: &Value) -> Vec<(String, Value)> {
    let mut found = vec![("status".to_owned(), result["status"].clone())];
    for (i, panel) in result["panels"].as_array().into_iter().flatten().enumerate() {
        // A moving range or a spread is plotted in the unit of the values, its z is not.
        for key in ["z", "rules"] {
            found.push((format!("{i}.{key}"), panel[key].clone()));
        }
        // A squared distance has none at all.
        if chart == "t2" {
            found.push((format!("{i}.stat"), panel["stat"].clone()));
        }
    }
    for key in ["c_plus", "c_minus", "n_plus", "n_minus", "rules"] {
        found.push((key.to_owned(), result[key].clone()));
    }
    found
}

/// Whether two results are one, up to rounding.
fn same(a: &Value, b: &Value, tolerance: f64) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, tolerance))
        }
        (Value::Object(a), Value::Object(b)) => {
            let within =
                |(key, a): (&String, &Value)| b.get(key).is_some_and(|b| same(a, b, tolerance));
            a.len() == b.len() && a.iter().all(within)
        }
        _ => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs())),
            _ => a == b,
        },
    }
}

/// Results that must not see the order of their data: a case for data in an order, and where the result stands.
type Ordered = (&'static str, fn(&[(u64, u64)]) -> Value, &'static [&'static str]);

fn column(data: &[(u64, u64)], get: fn(&(u64, u64)) -> u64) -> Vec<u64> {
    data.iter().map(get).collect()
}

fn counted(chart: &str, count: &str, data: &[(u64, u64)]) -> Value {
    let mut case = json!({ "chart": chart, "data": { "n": column(data, |s| s.1) } });
    case["data"][count] = json!(column(data, |s| s.0));
    case
}

fn measured(chart: &str, data: &[(u64, u64)]) -> Value {
    let x: Vec<f64> = data.iter().map(|(d, n)| *d as f64 + *n as f64 / 7_000.0).collect();
    json!({ "chart": chart, "params": { "lsl": -10, "usl": 200 , "sigma_within_method": "sd"}, "data": { "x": x } })
}

const UNORDERED: [Ordered; 12] = [
    ("p", |d| counted("p", "d", d), &["/estimates/center"]),
    ("np", |d| counted("np", "d", d), &["/estimates/center"]),
    ("c", |d| counted("c", "c", d), &["/estimates/center"]),
    ("u", |d| counted("u", "c", d), &["/estimates/center"]),
    ("p_prime", |d| counted("p_prime", "d", d), &["/estimates/center", "/estimates/sigma_z_sd"]),
    ("u_prime", |d| counted("u_prime", "c", d), &["/estimates/center", "/estimates/sigma_z_sd"]),
    (
        "capability_binomial",
        |d| counted("capability_binomial", "d", d),
        &["/p", "/clopper_pearson"],
    ),
    (
        "overdispersion",
        |d| {
            let mut case = counted("overdispersion", "d", d);
            case["params"] = json!({ "family": "binomial" });
            case
        },
        &["/chi2", "/tarone_z", "/sigma_z_sd"],
    ),
    (
        "normality",
        |d| measured("normality", d),
        &["/anderson_darling", "/shapiro_wilk", "/jarque_bera"],
    ),
    ("univariate", |d| measured("univariate", d), &["/mean", "/sd"]),
    (
        "capability",
        |d| measured("capability", d),
        &["/indices/Ppk", "/indices/Cpk", "/sigma_overall"],
    ),
    (
        "t2",
        |d| {
            let x: Vec<[f64; 2]> = d.iter().map(|(d, n)| [*d as f64, *n as f64]).collect();
            json!({ "chart": "t2", "data": { "x": x } })
        },
        &["/estimates/mean", "/estimates/cov", "/estimates/ucl_phase2"],
    ),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn units_do_not_matter_to_any_chart_of_measurements(
        values in prop::collection::vec(1.0..100.0_f64, 24..80),
        exponent in -20_i32..20,
        pick in 0..MEASURED.len(),
    ) {
        let (chart, case) = MEASURED[pick];
        let result = |scale| run(&case(&values, scale), None);
        let (one, other) = (result(1.0).unwrap(), result(2.0_f64.powi(exponent)).unwrap());
        let pairs = without_unit(chart, &one).into_iter().zip(without_unit(chart, &other));
        for ((place, a), (_, b)) in pairs {
            prop_assert!(same(&a, &b, 1e-9), "{chart}: {place}: {a} {b}");
        }
    }

    #[test]
    fn what_has_no_order_does_not_see_one(
        data in prop::collection::vec((0_u64..120, 6_400_u64..6_600), 12..60),
        turn in 1_usize..60,
        pick in 0..UNORDERED.len(),
    ) {
        let (chart, case, places) = UNORDERED[pick];
        let mut turned = data.clone();
        turned.rotate_left(turn % data.len());
        turned.reverse();
        let (a, b) = (run(&case(&data), None).unwrap(), run(&case(&turned), None).unwrap());
        for place in places {
            let (a, b) = (a.pointer(place), b.pointer(place));
            let (a, b) = (a.unwrap_or(&Value::Null), b.unwrap_or(&Value::Null));
            prop_assert!(!a.is_null(), "{chart} tells {place}");
            prop_assert!(same(a, b, 1e-7), "{chart}{place}: {a} {b}");
        }
    }

    #[test]
    fn a_stream_of_any_chart_of_counts_does_not_see_chunks(
        data in prop::collection::vec((0_u64..120, 6_400_u64..6_600), 1..120),
        sizes in prop::collection::vec(1_usize..40, 1..5),
        primed in any::<bool>(),
        unit in any::<bool>(),
    ) {
        let chart = match (unit, primed) {
            (false, false) => "p",
            (false, true) => "p_prime",
            (true, false) => "u",
            (true, true) => "u_prime",
        };
        let mut case = counted("stream", if unit { "c" } else { "d" }, &data);
        case["params"] = json!({
            "chart": chart, "frozen": { "center": 0.008, "sigma_z": 1.2 },
            "rules": ["N1", "N2", "N3", "N5"], "chunk_sizes": [1],
        });
        let whole = run(&case, None);
        case["params"]["chunk_sizes"] = json!(sizes);
        prop_assert_eq!(run(&case, None), whole);
    }
}

/// A law that is not there would not be missed by the tests above: these say what they would see.
#[test]
fn a_unit_or_an_order_that_matters_is_seen() {
    let values: Vec<f64> = (0..40).map(|i| 50.0 + f64::from(i % 7)).collect();
    let (_, ewma) = MEASURED[3];
    let mut other = ewma(&values, 8.0);
    other["params"]["sigma"] = json!(9.0);
    let [a, b] =
        [ewma(&values, 1.0), other].map(|case| without_unit("ewma", &run(&case, None).unwrap()));
    assert!(a.iter().zip(&b).any(|((_, a), (_, b))| !same(a, b, 1e-9)));
    let case = |x: Vec<f64>| run(&json!({ "chart": "i_mr", "data": { "x": x } }), None).unwrap();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let sigma = |result: Value| result["estimates"]["sigma"].as_f64().unwrap();
    assert!((sigma(case(values)) - sigma(case(sorted))).abs() > 0.1, "moving ranges see the order");
}
