//! Every reference case, one test each; a failure names the source of the expected values.

use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{compare, run, table_name};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/spc")
}

fn read(name: &str) -> String {
    let path = folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn case(id: &str) -> (Value, Option<String>) {
    let case: Value = serde_json::from_str(&read(&format!("{id}.json"))).expect("a JSON text");
    let table = table_name(&case).map(read);
    (case, table)
}

/// Runs a case and reports every value that disagrees.
#[track_caller]
fn check(id: &str) {
    let (case, table) = case(id);
    let source = case["source"].as_str().expect("a case names its source");
    let computed =
        run(&case, table.as_deref()).unwrap_or_else(|error| panic!("{id} ({source}): {error}"));
    let comparison = compare(&case, &computed);
    let shown: Vec<String> = comparison
        .mismatches
        .iter()
        .take(10)
        .map(|m| format!("  {}: expected {}, computed {}", m.place, m.expected, m.computed))
        .collect();
    let n = comparison.mismatches.len();
    assert!(
        comparison.agrees(),
        "{id} ({source}): {n} of {} values disagree\n{}",
        comparison.compared,
        shown.join("\n")
    );
}

macro_rules! cases {
    ($($id:ident),+ $(,)?) => {
        $(#[test]
        fn $id() {
            check(stringify!($id));
        })+

        const ALL: &[&str] = &[$(stringify!($id)),+];
    };
}

cases![
    arl_cusum,
    arl_design_for_budget,
    arl_ewma,
    arl_western_electric,
    bincap_orangejuice,
    bincap_zero_rejects,
    c_circuit_excluded,
    c_circuit_phase1_2,
    cap_michelso,
    cap_nist_summary,
    cap_nonnormal_weibull,
    cap_pistonrings_pooled,
    cap_pistonrings_rbar,
    constants_2_25,
    cusum_concentration,
    cusum_montgomery_9_1,
    cusum_nist_reset,
    day_a_p,
    day_a_pareto,
    day_a_pprime,
    day_a_stream_frozen,
    day_a_subgroup_length,
    day_a_uprime_weight_low,
    edge_imr_constant,
    edge_imr_empty,
    edge_imr_gaps,
    edge_imr_large_offset,
    edge_imr_one_point,
    edge_p_all_one,
    edge_p_all_zero,
    edge_p_empty_subgroups,
    edge_pprime_no_variation,
    ewma_gap_carry,
    ewma_nist_asymptotic,
    ewma_nist_exact,
    ewma_variable_n,
    g_cabg_deaths_sigma,
    g_jasp_opportunities_probability,
    imr_nist_flowrate_table,
    imr_nist_mavro_autocorrelated,
    imr_viscosity_median,
    imr_viscosity_phase1_2,
    imr_viscosity_sd,
    intervals_a,
    large_pprime_100k,
    ma_montgomery,
    norm_michelso,
    norm_pistonrings,
    norm_valve,
    np_orangejuice,
    over_circuit_poisson,
    over_nhs,
    over_orangejuice,
    p_jasp_monthly,
    p_nhs_accidents_overdispersed,
    p_orangejuice_phase1,
    p_orangejuice_phase2_excluded,
    p_stages_orangejuice,
    pprime_nhs_accidents,
    pprime_nhs_accidents_table,
    pprime_nhs_accidents_table_screened,
    pprime_nhs_sd_variant,
    quantiles_shared,
    rules_custom_k,
    rules_gap_breaks_runs,
    rules_hand_each_nelson,
    rules_one_short_of_each,
    rules_partial_window,
    rules_random_300,
    rules_ties,
    strd_lew,
    strd_lottery,
    strd_mavro,
    strd_numacc1,
    strd_numacc2,
    strd_numacc3,
    t2_boiler,
    t2_montgomery_11_1,
    t_jasp_hours_weibull,
    t_valve_exponential,
    t_valve_power,
    u_dyedcloth_variable_n,
    u_jasp_monthly,
    u_prime_jasp_monthly,
    uprime_infections_bfh_bac,
    weights_a_between_within,
    weights_a_capability,
    weights_a_ewma,
    weights_a_xbar_s,
    xbar_r_pistonrings,
    xbar_r_pistonrings_variable_n_rbar,
    xbar_s_pistonrings,
    xbar_s_pistonrings_variable_n_pooled,
    zmr_two_products_by_parts,
    zone_pistonrings,
];

#[test]
fn every_case_in_the_folder_has_its_test() {
    let entries = std::fs::read_dir(folder()).expect("the folder of cases");
    let names =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    let mut ids: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    ids.sort();
    assert_eq!(ids, ALL);
}

/// Shows: SPC-01
#[test]
fn a_comparison_sees_what_is_wrong_and_what_is_missing() {
    let (mut case, _) = case("p_orangejuice_phase1");
    let computed = run(&case, None).expect("a chart");
    assert!(compare(&case, &computed).compared > 180, "every array is compared");
    case["expected"]["panels"][0]["z"][3] = json!(-1.19616031);
    case["expected"]["panels"][0]["rules"]["N1"] = json!([14]);
    case["expected"]["estimates"]["center"] = json!(null);
    case["expected"]["forgotten"] = json!(1);
    let places: Vec<String> =
        compare(&case, &computed).mismatches.into_iter().map(|m| m.place).collect();
    assert_eq!(places, ["estimates.center", "forgotten", "panels.0.rules.N1", "panels.0.z.3"]);
}

#[test]
fn a_case_without_expectations_does_not_agree() {
    let (mut case, _) = case("p_orangejuice_phase1");
    let computed = run(&case, None).expect("a chart");
    case["expected"] = json!({});
    assert!(!compare(&case, &computed).agrees());
}

#[test]
fn the_generator_makes_the_table_that_lies_beside_the_case() {
    let (mut case, table) = case("day_a_pprime");
    let from_table = run(&case, table.as_deref()).expect("a chart");
    case["data"]["csv"] = Value::Null;
    assert_eq!(run(&case, None).expect("a chart"), from_table);
}

#[test]
fn errors_name_the_place_the_value_and_the_way_out() {
    let message = |case: Value| run(&case, None).expect_err("not a case").to_string();
    assert_eq!(message(json!(7)), "chart: is missing");
    assert_eq!(
        message(json!({ "chart": "p", "data": { "d": [1], "n": ["many"] } })),
        "data.n.0: found \"many\"; expected a number"
    );
    assert_eq!(
        message(
            json!({ "chart": "p", "params": { "constants": "book" }, "data": { "d": [], "n": [] } })
        ),
        "params.constants: found \"book\"; expected one of exact, table"
    );
    assert_eq!(
        message(json!({ "chart": "p", "data": { "csv": "day.csv" } })),
        "data.csv: found \"day.csv\"; expected that file beside the case"
    );
    assert_eq!(
        message(json!({ "chart": "capability", "params": { "lsl": 2, "usl": 1 } })),
        "params.usl: found 1; expected a limit above lsl = 2"
    );
    let table = run(&json!({ "chart": "p", "data": { "csv": "a.csv" } }), Some("n,d\n1,x\n"))
        .expect_err("a bad table");
    assert_eq!(table.to_string(), "a.csv: line 2: found \"x\"; expected a number");
}

/// Bounded memory and time: what would take too much of either is an error that says how much is too much.
#[test]
fn a_case_that_asks_for_too_much_is_refused_at_once() {
    let generator = |n: u64, n_lo: u64| {
        json!({ "chart": "p", "data": { "generator": {
            "generator": "CLG-1", "seed": 1, "N": n, "n_lo": n_lo, "n_span": 1, "t0": 500, "amp": 0,
        } } })
    };
    let rows = |row: Value, n: usize| json!({ "rows": vec![row; n] });
    let wide: Vec<Vec<f64>> = (0..3).map(|i| vec![f64::from(i); 3_000]).collect();
    let arl = json!({ "kind": "run_rules", "rules": ["N5"], "arl0": 500 });
    for (case, words) in [
        (generator(4_000_000_000, 0), "at most 1,000,000 subgroups"),
        (generator(1_000_000, 1_000_000), "at most 4e9 capsules"),
        (json!({ "chart": "t2", "data": { "x": wide } }), "at most 100 variables"),
        (json!({ "chart": "arl", "data": rows(arl.clone(), 1_001) }), "at most 1000"),
        (json!({ "chart": "arl_design", "data": rows(arl, 1_001) }), "at most 1000"),
        (json!({ "chart": "constants", "data": { "n": vec![7; 1_001] } }), "at most 1000"),
    ] {
        let started = std::time::Instant::now();
        let error = run(&case, None).expect_err("too much").to_string();
        assert!(error.contains(words), "{error}");
        assert!(error.len() < 400, "the message does not repeat the data: {} bytes", error.len());
        assert!(started.elapsed().as_secs() < 5, "{words}");
    }
}

/// Anything that JSON can hold, with the numbers that break things.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(0), Just(1), Just(-1), Just(i64::MAX), Just(i64::MIN)]
            .prop_map(Value::from),
        Just(Value::from(u64::MAX)),
        prop_oneof![Just(0.5), Just(-0.0), Just(1e308), Just(-1e308), Just(5e-324)]
            .prop_map(Value::from),
        "[a-z_]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,4}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

/// A way down into a case.
fn steps() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..50, 0..4)
}

/// Replaces the value that the steps lead to: at each level the step picks a member.
fn replace(value: &mut Value, steps: &[usize], with: Value) {
    let n_members =
        value.as_object().map(|o| o.len()).or(value.as_array().map(Vec::len)).unwrap_or(0);
    match (steps, value) {
        ([step, rest @ ..], Value::Object(members)) if n_members > 0 => {
            if let Some(member) = members.values_mut().nth(step % n_members) {
                replace(member, rest, with);
            }
        }
        ([step, rest @ ..], Value::Array(items)) if n_members > 0 => {
            replace(&mut items[step % n_members], rest, with)
        }
        (_, value) => *value = with,
    }
}

proptest! {
    #[test]
    fn no_mutation_of_a_case_makes_the_reader_panic(
        pick in 0..ALL.len(),
        mutations in prop::collection::vec((any::<bool>(), steps(), anything()), 1..4),
    ) {
        // The large case takes a second as it is, and the others read everything that it does.
        let id = if ALL[pick] == "large_pprime_100k" { "day_a_p" } else { ALL[pick] };
        let (mut case, table) = case(id);
        for (in_params, steps, with) in mutations {
            let part = if in_params { "params" } else { "data" };
            replace(&mut case[part], &steps, with);
        }
        if let Ok(computed) = run(&case, table.as_deref()) {
            prop_assert!(computed["status"].is_string());
            let _ = compare(&case, &computed);
        }
    }

    /// Cases as text with bytes torn out, doubled and changed: what still is JSON must not make the reader panic.
    #[test]
    fn no_damaged_text_of_a_case_makes_the_reader_panic(
        pick in 0..ALL.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..9, any::<[u8; 3]>()), 1..6),
        in_table in any::<bool>(),
    ) {
        let id = if ALL[pick] == "large_pprime_100k" { "day_a_p" } else { ALL[pick] };
        let mut text = read(&format!("{id}.json")).into_bytes();
        let table = table_name(&case(id).0).map(read);
        let mut damaged = table.clone().map(String::into_bytes);
        let target = match &mut damaged {
            Some(table) if in_table => table,
            _ => &mut text,
        };
        for (at, n, bytes) in damage {
            let at = at.index(target.len().max(1)).min(target.len());
            let end = (at + n).min(target.len());
            target.splice(at..end, bytes);
        }
        let table = damaged.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        if let Ok(case) = serde_json::from_slice::<Value>(&text) {
            let _ = run(&case, table.as_deref());
        }
    }

    #[test]
    fn nothing_that_json_can_hold_makes_the_reader_panic(
        value in anything(),
        chart in 0..super::CHARTS.len(),
        table in ".{0,40}",
    ) {
        let _ = run(&value, Some(&table));
        let (chart, _) = super::CHARTS[chart];
        let mut case = json!({ "chart": chart });
        for part in ["params", "data", "expected", "tolerance"] {
            case[part] = value.clone();
        }
        let computed = run(&case, Some(&table)).unwrap_or(Value::Null);
        let _ = compare(&case, &computed);
    }
}
