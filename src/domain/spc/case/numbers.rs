//! Cases without a chart: capability, normality, run lengths, intervals, quantiles, constants and moments.

use serde_json::{Value, json};

use super::measures::{groups, within};
use super::place::Place;
use super::settings::range;
use super::{Case, CaseError};
use crate::spc::arl as lengths;
use crate::spc::capability::{
    Capability, Index, Indices, ProcessSummary, Tolerance, binomial_capability, by_percentiles,
    capability as capable, df_within, summarise_individuals,
};
use crate::spc::chart::Settings;
use crate::spc::constants::{Constants, MEDIAN_RANGE_OF_TWO, factors};
use crate::spc::individuals::{IndividualSigma, Individuals};
use crate::spc::rules::{Pattern, Rule, RuleId, RuleSet};
use crate::spc::variables::{Within, sigma_within};
use crate::stats::summary::{self, Summary};
use crate::stats::weibull::Weibull;
use crate::stats::{interval, normality as tests, quantile};

/// Most rows that each solve an equation or an integral.
const MAX_ROWS: usize = 1_000;

pub(super) fn capability(case: &Case) -> Result<Value, CaseError> {
    let tolerance = tolerance(&case.params)?;
    let confidence = case.params.number_or("conf", 0.95)?;
    let Some(process) = process(case)? else { return Ok(json!({ "status": "no_data" })) };
    let indices = indices(&capable(&process, &tolerance, confidence));
    let status = match (process.sigma_within, process.sigma_overall) {
        (Some(w), Some(o)) if w > 0.0 && o > 0.0 => "ok",
        (None, _) | (_, None) => "insufficient_data",
        _ => "degenerate",
    };
    Ok(json!({
        "status": status,
        "mean": process.mean,
        "sigma_within": process.sigma_within,
        "sigma_overall": process.sigma_overall,
        "N": process.n as u64,
        "df_within": whole(process.df_within),
        "indices": indices,
    }))
}

/// Degrees of freedom as a whole number where they are one.
fn whole(df: f64) -> Value {
    if df.fract() == 0.0 && (0.0..1e15).contains(&df) { json!(df as u64) } else { json!(df) }
}

fn tolerance(params: &Place) -> Result<Tolerance, CaseError> {
    let tolerance = Tolerance {
        lsl: params.number_if_any("lsl")?,
        usl: params.number_if_any("usl")?,
        target: params.number_if_any("target")?,
    };
    match (tolerance.lsl, tolerance.usl) {
        (Some(lsl), Some(usl)) if usl <= lsl => {
            Err(params.need("usl")?.error(&format!("a limit above lsl = {lsl}")))
        }
        _ => Ok(tolerance),
    }
}

/// The mean and both standard deviations of a case: given, from subgroups, or from individual values.
fn process(case: &Case) -> Result<Option<ProcessSummary>, CaseError> {
    if let Some(given) = case.params.get("from_summary") {
        return Ok(Some(ProcessSummary {
            mean: given.need("mean")?.number()?,
            sigma_within: given.number_if_any("sigma_within")?,
            sigma_overall: given.number_if_any("sigma_overall")?,
            n: given.need("N")?.number()?,
            df_within: given.need("df_within")?.number()?,
        }));
    }
    if let Some(values) = case.data.get("x") {
        return individuals(case, &values.numbers()?);
    }
    let all = groups(case)?;
    let rows = case.params.get("rows").map_or(Ok(0..all.len()), |rows| range(&rows))?;
    let chosen = all.get(rows.start.min(all.len())..rows.end.min(all.len())).unwrap_or_default();
    let values: Vec<f64> = chosen.concat();
    let groups: Vec<Summary> = chosen.iter().map(|group| Summary::of(group)).collect();
    let within = within(&case.params, "sigma_within_method", Within::Pooled)?;
    let sigma = sigma_within(&groups, within, Constants::Exact);
    Ok(summarise_individuals(&values, sigma, df_within(&groups, within)))
}

fn individuals(case: &Case, values: &[f64]) -> Result<Option<ProcessSummary>, CaseError> {
    let methods = [
        ("mr", IndividualSigma::MovingRange),
        ("mr_median", IndividualSigma::MedianRange),
        ("sd", IndividualSigma::StandardDeviation),
    ];
    let method =
        case.params.choose_or("sigma_within_method", &methods, IndividualSigma::MovingRange)?;
    let kind = Individuals { method, ..Individuals::default() };
    let series: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
    let sigma =
        kind.chart(&series, &Settings::default()).estimates.first().and_then(|fit| fit.sigma);
    // k - span + 1 with a span of two (Minitab), which is also what a standard deviation has.
    Ok(summarise_individuals(values, sigma, values.len().saturating_sub(1) as f64))
}

fn indices(capability: &Capability) -> Value {
    let Capability { within, overall, .. } = capability;
    let value = |index: &Option<Index>| index.map(|index| index.value);
    let interval = |index: &Option<Index>| index.and_then(|index| index.interval);
    let expected = |indices: &Indices| {
        let e = indices.expected;
        json!({ "ppm_below": e.ppm_below, "ppm_above": e.ppm_above, "ppm_total": e.ppm_total })
    };
    json!({
        "Cp": value(&within.both), "Cp_ci": interval(&within.both),
        "Cpl": within.lower, "Cpu": within.upper,
        "Cpk": value(&within.worst), "Cpk_ci": interval(&within.worst),
        "Pp": value(&overall.both), "Pp_ci": interval(&overall.both),
        "Ppl": overall.lower, "Ppu": overall.upper,
        "Ppk": value(&overall.worst), "Ppk_ci": interval(&overall.worst),
        "Cpm": capability.cpm, "Cpm_n_minus_1": capability.cpm_n_minus_1, "Cpm_n": capability.cpm_n,
        "expected_within": expected(within), "expected_overall": expected(overall),
        "z_bench_overall": capability.z_bench_overall,
    })
}

pub(super) fn capability_nonnormal(case: &Case) -> Result<Value, CaseError> {
    type Fitting = fn(&[f64]) -> Option<Weibull>;
    let laws: [(&str, Fitting); 2] =
        [("weibull", Weibull::fit), ("exponential", Weibull::exponential)];
    let fit = case.params.need("dist")?.choose(&laws)?;
    let tolerance = tolerance(&case.params)?;
    let law = fit(&case.data.need("x")?.numbers()?);
    let result = law.and_then(|law| by_percentiles(|p| law.quantile(p), &tolerance));
    let (Some(law), Some(r)) = (law, result) else {
        return Ok(json!({ "status": "insufficient_data" }));
    };
    Ok(json!({
        "status": "ok",
        "fit": { "shape": law.shape, "scale": law.scale },
        "indices": {
            "p00135": r.p00135, "p50": r.p50, "p99865": r.p99865,
            "Pp": r.pp, "Ppl": r.ppl, "Ppu": r.ppu, "Ppk": r.ppk,
        },
    }))
}

pub(super) fn capability_binomial(case: &Case) -> Result<Value, CaseError> {
    let confidence = case.params.number_or("conf", 0.95)?;
    let total = |key: &str| -> Result<u64, CaseError> {
        let list = case.data.need(key)?.list()?;
        list.iter().try_fold(0_u64, |sum, item| Ok(sum.saturating_add(item.count()?)))
    };
    let (d, n) = (total("d")?, total("n")?);
    let Some(r) = binomial_capability(d, n, confidence) else {
        return Ok(json!({ "status": "no_data" }));
    };
    Ok(json!({
        "status": "ok",
        "defectives": r.defectives,
        "inspected": r.inspected,
        "p": r.p,
        "clopper_pearson": r.clopper_pearson,
        "wilson": r.wilson,
        "ppm": 1e6 * r.p,
        "ppm_ci": [1e6 * r.clopper_pearson.0, 1e6 * r.clopper_pearson.1],
        "process_z": r.process_z,
        "process_z_ci": r.process_z_interval,
    }))
}

pub(super) fn normality(case: &Case) -> Result<Value, CaseError> {
    let x = case.data.need("x")?.numbers()?;
    let shape = tests::shape(&x);
    let (ad, sw, jb) =
        (tests::anderson_darling(&x), tests::shapiro_wilk(&x), tests::jarque_bera(&x));
    Ok(json!({
        "status": if shape.is_some() { "ok" } else { "insufficient_data" },
        "n": x.len(),
        "mean": summary::mean(&x),
        "sd": summary::sd(&x),
        "skewness_g1": shape.map(|s| s.g1),
        "skewness_G1": shape.map(|s| s.big_g1),
        "excess_kurtosis_g2": shape.map(|s| s.g2),
        "excess_kurtosis_G2": shape.map(|s| s.big_g2),
        "anderson_darling": ad.map(|t| json!({ "A2": t.a2, "A2_star": t.a2_star, "p": t.p })),
        "shapiro_wilk": sw.map(|t| json!({ "W": t.statistic, "p": t.p })),
        "jarque_bera": jb.map(|t| json!({ "JB": t.statistic, "p": t.p })),
    }))
}

/// Computes each row of `data.rows` and gives it back with `result` added.
fn rows(
    case: &Case,
    result: &str,
    compute: impl Fn(&Place) -> Result<Option<f64>, CaseError>,
) -> Result<Value, CaseError> {
    let row = |place: &Place| {
        let mut row = place.object()?;
        row.insert(result.to_owned(), json!(compute(place)?));
        Ok(Value::Object(row))
    };
    let rows = case.data.need("rows")?.short_list(MAX_ROWS)?;
    let rows = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "status": "ok", "rows": rows }))
}

pub(super) fn arl(case: &Case) -> Result<Value, CaseError> {
    rows(case, "arl", |row| {
        let mu = row.number_or("mu", 0.0)?;
        match row.need("kind")?.text()? {
            "shewhart" => Ok(Some(lengths::shewhart(row.number_or("k", 3.0)?, mu))),
            "ewma" => Ok(lengths::ewma(row.need("lam")?.number()?, row.need("L")?.number()?, mu)),
            "cusum" => {
                let (k, h) = (row.need("k")?.number()?, row.need("h")?.number()?);
                Ok(lengths::cusum(k, h, row.number_or("fir", 0.0)?, mu))
            }
            "run_rules" => Ok(lengths::run_rules(&run_rules(row)?, mu)),
            _ => Err(row.need("kind")?.error("shewhart, ewma, cusum or run_rules")),
        }
    })
}

/// The rules of a row; `run_length` is the length of its one-side rule.
fn run_rules(row: &Place) -> Result<RuleSet, CaseError> {
    let n = row.get("run_length").map(|place| place.count()).transpose()?;
    let n = n.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let with_length = |rule: Rule| match (rule.pattern(), n) {
        (Pattern::SameSide { .. }, Some(n)) => Rule::new(rule.id(), Pattern::SameSide { n }),
        _ => rule,
    };
    let rule = |item: &Place| {
        let rule = RuleId::parse(item.text()?).and_then(Rule::standard);
        rule.map(with_length).ok_or_else(|| item.error("a rule with a pattern"))
    };
    Ok(RuleSet::custom(row.need("rules")?.list()?.iter().map(rule).collect::<Result<Vec<_>, _>>()?))
}

pub(super) fn arl_design(case: &Case) -> Result<Value, CaseError> {
    let row = |place: &Place| {
        let arl0 = place.need("arl0")?;
        let (lambda, k) = (place.number_or("ewma_lam", 0.1)?, place.number_or("cusum_k", 0.5)?);
        let design = lengths::design(arl0.number()?, lambda, k);
        Ok(json!({
            "arl0": arl0.number()?,
            "shewhart_k": design.map(|d| d.shewhart_k),
            "ewma_lam": lambda,
            "ewma_L": design.map(|d| d.ewma_l),
            "cusum_k": k,
            "cusum_h": design.map(|d| d.cusum_h),
        }))
    };
    let rows = case.data.need("rows")?.short_list(MAX_ROWS)?;
    let rows = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "status": "ok", "rows": rows }))
}

pub(super) fn intervals(case: &Case) -> Result<Value, CaseError> {
    let conf = case.params.number_or("conf", 0.95)?;
    let pair = |place: &Place| match place.list()?.as_slice() {
        [x, n] => Ok((x.count()?, n.number()?)),
        _ => Err(place.error("a count and what it was found in")),
    };
    let binomial = |place: &Place| {
        let (x, n) = pair(place)?;
        let n = n as u64;
        let (exact, score) = (interval::clopper_pearson(x, n, conf), interval::wilson(x, n, conf));
        Ok(json!({ "x": x, "n": n, "conf": conf, "clopper_pearson": exact, "wilson": score }))
    };
    let poisson = |place: &Place| {
        let (x, exposure) = pair(place)?;
        let exact = interval::garwood(x, exposure, conf);
        Ok(json!({ "x": x, "exposure": exposure, "conf": conf, "poisson_exact": exact }))
    };
    let all = |key: &str,
               write: &dyn Fn(&Place) -> Result<Value, CaseError>|
     -> Result<Vec<Value>, CaseError> {
        case.data.get(key).map_or(Ok(Vec::new()), |list| list.list()?.iter().map(write).collect())
    };
    let (binomial, poisson) = (all("binomial", &binomial)?, all("poisson", &poisson)?);
    Ok(json!({ "status": "ok", "binomial": binomial, "poisson": poisson }))
}

pub(super) fn quantiles(case: &Case) -> Result<Value, CaseError> {
    rows(case, "q", |row| {
        let p = row.need("p")?.number()?;
        let parameter = |key: &str| row.need(key)?.number();
        match row.need("dist")?.text()? {
            "normal" => Ok(quantile::normal(p)),
            "chi2" => Ok(quantile::chi_square(p, parameter("df")?)),
            "t" => Ok(quantile::student_t(p, parameter("df")?)),
            "f" => Ok(quantile::fisher_f(p, parameter("d1")?, parameter("d2")?)),
            "beta" => Ok(quantile::beta(p, parameter("a")?, parameter("b")?)),
            _ => Err(row.need("dist")?.error("normal, chi2, t, f or beta")),
        }
    })
}

pub(super) fn constants(case: &Case) -> Result<Value, CaseError> {
    let row = |place: &Place| {
        let n = place.index()?;
        let f = factors(n).ok_or_else(|| place.error("a subgroup of two or more"))?;
        Ok(json!({
            "n": n, "d2": f.d2, "d3": f.d3, "c4": f.c4, "A2": f.a2, "A3": f.a3,
            "D3": f.big_d3, "D4": f.big_d4, "B3": f.b3, "B4": f.b4,
        }))
    };
    let rows = case.data.need("n")?.short_list(MAX_ROWS)?;
    let rows = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "status": "ok", "rows": rows, "d4_median_mr2": MEDIAN_RANGE_OF_TWO }))
}

pub(super) fn univariate(case: &Case) -> Result<Value, CaseError> {
    let x = case.data.need("x")?.numbers()?;
    Ok(json!({
        "status": match x.len() { 0 => "no_data", 1 => "insufficient_data", _ => "ok" },
        "n": x.len(),
        "mean": summary::mean(&x),
        "sd": summary::sd(&x),
        "lag1_r": summary::lag1(&x),
    }))
}
