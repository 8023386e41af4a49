//! Every reference case, one test each; a failure names the source of the expected values.

use std::path::PathBuf;

use serde_json::Value;

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
