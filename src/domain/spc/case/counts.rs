//! Cases of counts: the attribute charts, their stream and the diagnostics that choose between them.

use serde_json::{Value, json};

use super::generator::Generator;
use super::settings::{named_rules, settings};
use super::{Case, CaseError, write};
use crate::spc::attribute::{
    Attribute, AttributeStream, Family, Fit, Frozen, Laney, Law, Prime, SigmaZ, Subgroup, chart,
};
use crate::spc::chart::{Panel, Settings};
use crate::spc::rules::RuleSet;
use crate::spc::{pareto as reasons, subgroup_length};
use crate::stats::{interval, overdispersion as tests};

/// Most ways to chunk a stream, and lengths to join minutes to: each goes through all data.
const MAX_CHUNKINGS: usize = 100;

type Subgroups = Vec<Option<Subgroup>>;

pub(super) fn p(case: &Case) -> Result<Value, CaseError> {
    attribute(case, "p", Family::P, None)
}

pub(super) fn np(case: &Case) -> Result<Value, CaseError> {
    attribute(case, "np", Family::Np, None)
}

pub(super) fn c(case: &Case) -> Result<Value, CaseError> {
    attribute(case, "c", Family::C, None)
}

pub(super) fn u(case: &Case) -> Result<Value, CaseError> {
    attribute(case, "u", Family::U, None)
}

pub(super) fn p_prime(case: &Case) -> Result<Value, CaseError> {
    let prime = prime(case)?;
    attribute(case, "p_prime", Family::P, Some(prime))
}

pub(super) fn u_prime(case: &Case) -> Result<Value, CaseError> {
    let prime = prime(case)?;
    attribute(case, "u_prime", Family::U, Some(prime))
}

fn prime(case: &Case) -> Result<Prime, CaseError> {
    let methods = [("mr", SigmaZ::MovingRange), ("sd", SigmaZ::StandardDeviation)];
    let method = case.params.choose_or("sigma_z_method", &methods, SigmaZ::MovingRange)?;
    Ok(Prime { method, floor_at_one: case.params.flag_or("sigma_z_floor", false)? })
}

fn attribute(
    case: &Case,
    name: &'static str,
    family: Family,
    prime: Option<Prime>,
) -> Result<Value, CaseError> {
    let data = subgroups(case, family)?;
    let settings = settings(&case.params, RuleSet::nelson())?;
    let frozen = frozen(case)?;
    let judged = chart(&data, Attribute { family, prime, frozen }, &settings);
    let estimates = write::estimates(&judged.fits, !settings.stages.is_empty(), estimates);
    let rules = write::ids(&settings.rules);
    let panels = [Panel { name, points: judged.points }];
    let mut result = write::chart(judged.status, estimates, &panels, std::slice::from_ref(&rules));
    if prime.is_some() {
        let plain = chart(&data, Attribute { family, prime: None, frozen }, &settings);
        let center = plain.fits.last().and_then(|fit| fit.law.center);
        let summary = write::rules_summary(&plain.points, &rules);
        result["p_chart_same_data"] = json!({ "center": center, "rules_summary": summary });
    }
    if family == Family::P && data.iter().flatten().all(|subgroup| subgroup.count == 0.0) {
        let n = data.iter().flatten().map(|subgroup| subgroup.size).sum::<f64>();
        result["upper_bound_one_sided_95"] =
            json!(interval::upper_bound_without_rejects(n as u64, 0.95));
    }
    Ok(result)
}

fn estimates(fit: &Fit) -> Value {
    let Fit { law, dispersion } = fit;
    let sigma_z = match law.laney {
        Laney::Off => return json!({ "center": law.center, "sigma": law.center.map(f64::sqrt) }),
        Laney::On(sigma_z) => sigma_z,
    };
    json!({
        "center": law.center,
        "sigma_z": sigma_z,
        "sigma_z_mr": dispersion.sigma_z_mr,
        "sigma_z_sd": dispersion.sigma_z_sd,
        "lag1_r": dispersion.lag1_r,
        "n_used": dispersion.n_used,
    })
}

fn frozen(case: &Case) -> Result<Option<Frozen>, CaseError> {
    let Some(frozen) = case.params.get("frozen") else { return Ok(None) };
    let center = frozen.need("center")?.number()?;
    Ok(Some(Frozen { center, sigma_z: frozen.number_or("sigma_z", 1.0)? }))
}

/// The subgroups of a case: listed, in a table, or generated.
fn subgroups(case: &Case, family: Family) -> Result<Subgroups, CaseError> {
    let divisor = case.params.number_or("unit_divisor", 1.0)?;
    let subgroup = |(count, size): (Option<f64>, Option<f64>)| {
        let subgroup = Subgroup { count: count?, size: size? / divisor };
        family.usable(Some(subgroup))
    };
    let (counts, sizes) = counts_and_sizes(case, family)?;
    verify(case, &counts, &sizes)?;
    Ok(counts.into_iter().zip(sizes).map(subgroup).collect())
}

type Series = Vec<Option<f64>>;

fn counts_and_sizes(case: &Case, family: Family) -> Result<(Series, Series), CaseError> {
    if let Some(table) = &case.table {
        let count_column = case.params.get("count_column").map_or(Ok("d"), |place| place.text())?;
        let column = |title: &str| Ok(table.column(title)?.iter().copied().map(Some).collect());
        return Ok((column(count_column)?, column("n")?));
    }
    if let Some(generator) = case.data.get("generator") {
        let subgroups = Generator::read(&generator)?.subgroups();
        return Ok(subgroups.into_iter().map(|(d, n)| (Some(d as f64), Some(n as f64))).unzip());
    }
    let counts = match case.data.get("c") {
        Some(counts) => counts.series()?,
        None => case.data.need("d")?.series()?,
    };
    // A c chart, and a Poisson test without sizes, have equal units.
    let equal = || {
        if family == Family::C {
            Ok(vec![Some(1.0); counts.len()])
        } else {
            case.data.need("n")?.series()
        }
    };
    let sizes = case.data.get("n").map_or_else(equal, |sizes| sizes.series())?;
    if sizes.len() == counts.len() {
        return Ok((counts, sizes));
    }
    Err(case
        .data
        .need("n")?
        .error(&format!("a list of {} sizes, one for each count", counts.len())))
}

/// Checks the hash of `n,d` lines that comes with generated data, so that a wrong generator cannot pass unseen.
fn verify(case: &Case, counts: &Series, sizes: &Series) -> Result<(), CaseError> {
    let Some(stated) = case.data.get("sha256_n_d") else { return Ok(()) };
    if case.params.get("count_column").is_some() {
        return Ok(());
    }
    let line = |(d, n): (&Option<f64>, &Option<f64>)| {
        format!("{},{}\n", n.unwrap_or(0.0), d.unwrap_or(0.0))
    };
    let hash = crate::digest::sha256(counts.iter().zip(sizes).map(line).collect::<String>());
    if stated.text()? == hash {
        Ok(())
    } else {
        Err(stated.error(&format!("{hash}, the hash of the data")))
    }
}

/// A frozen chart over the data in chunks; the events must not depend on the chunks.
pub(super) fn stream(case: &Case) -> Result<Value, CaseError> {
    let kinds = [
        ("p", (Family::P, false)),
        ("np", (Family::Np, false)),
        ("c", (Family::C, false)),
        ("u", (Family::U, false)),
        ("p_prime", (Family::P, true)),
        ("u_prime", (Family::U, true)),
    ];
    let (family, primed) = case.params.need("chart")?.choose(&kinds)?;
    let rules = named_rules(&case.params.need("rules")?)?;
    let settings = settings(&case.params, rules)?;
    let frozen_place = case.params.need("frozen")?;
    let frozen = frozen(case)?.ok_or_else(|| frozen_place.error("a law"))?;
    let laney = if primed { Laney::On(Some(frozen.sigma_z)) } else { Laney::Off };
    let law = Law { family, center: Some(frozen.center), laney };
    let data = subgroups(case, family)?;
    let chunks = case.params.need("chunk_sizes")?;
    let mut all = Vec::new();
    for size in chunks.short_list(MAX_CHUNKINGS)? {
        all.push(events(&data, law, &settings, size.index()?.max(1)));
    }
    all.dedup();
    match all.as_slice() {
        [events] => {
            Ok(json!({ "status": law.status().name(), "events": events, "n_events": events.len() }))
        }
        _ => Err(chunks.error("at least one size, and the same events for each")),
    }
}

fn events(data: &Subgroups, law: Law, settings: &Settings, chunk: usize) -> Vec<Value> {
    let mut stream = AttributeStream::new(law, settings);
    let mut events = Vec::new();
    for (start, subgroups) in data.chunks(chunk).enumerate() {
        // What survives a chunk is this one value: a service that stores and loads it judges as if it never stopped.
        let mut resumed = stream.clone();
        for (i, subgroup) in subgroups.iter().enumerate() {
            let hits = resumed.push(*subgroup).hits;
            events.extend(
                hits.iter().map(|rule| json!({ "index": start * chunk + i, "rule": rule.name() })),
            );
        }
        stream = resumed;
    }
    events
}

pub(super) fn overdispersion(case: &Case) -> Result<Value, CaseError> {
    let families = [("binomial", Family::P), ("poisson", Family::U)];
    let family = case.params.choose_or("family", &families, Family::P)?;
    let data = subgroups(case, if case.data.get("n").is_none() { Family::C } else { family })?;
    let counts: Vec<_> =
        data.iter().flatten().map(|subgroup| (subgroup.count, subgroup.size)).collect();
    let test = if family == Family::P { tests::binomial(&counts) } else { tests::poisson(&counts) };
    let settings = settings(&case.params, RuleSet::default())?;
    let judged =
        chart(&data, Attribute { family, prime: Some(Prime::default()), frozen: None }, &settings);
    let rate = if family == Family::P { "p_bar" } else { "u_bar" };
    let dispersion = judged.fits.first().map(|fit| fit.dispersion).unwrap_or_default();
    Ok(json!({
        "status": judged.status.name(),
        rate: test.map(|test| test.rate),
        "chi2": test.map(|test| test.chi2),
        "df": test.map(|test| test.df),
        "ratio": test.map(|test| test.ratio),
        "p_value": test.map(|test| test.p_value),
        "tarone_z": test.and_then(|test| test.tarone_z),
        "sigma_z_mr": dispersion.sigma_z_mr,
        "sigma_z_sd": dispersion.sigma_z_sd,
        "lag1_r": dispersion.lag1_r,
        "advice": subgroup_length::advise(&dispersion, test.map(|test| test.ratio)).name(),
    }))
}

pub(super) fn overdispersion_by_length(case: &Case) -> Result<Value, CaseError> {
    let whole = |subgroup: &Subgroup| (subgroup.count as u64, subgroup.size as u64);
    let minutes: Vec<_> =
        subgroups(case, Family::P)?.iter().map(|minute| minute.as_ref().map(whole)).collect();
    let lengths = case.params.need("lengths")?.short_list(MAX_CHUNKINGS)?;
    let lengths = lengths.iter().map(|length| length.index()).collect::<Result<Vec<_>, _>>()?;
    let settings = settings(&case.params, RuleSet::default())?;
    let rows: Vec<Value> = subgroup_length::by_length(&minutes, &lengths, &settings)
        .iter()
        .map(|row| {
            json!({
                "minutes": row.length,
                "subgroups": row.subgroups,
                "center": row.center,
                "sigma_z_mr": row.dispersion.sigma_z_mr,
                "sigma_z_sd": row.dispersion.sigma_z_sd,
                "chi2_ratio": row.chi2_ratio,
                "lag1_r": row.dispersion.lag1_r,
                "n1_p": row.n1_p,
                "n1_pprime": row.n1_p_prime,
                "advice": subgroup_length::advise(&row.dispersion, row.chi2_ratio).name(),
            })
        })
        .collect();
    Ok(json!({ "status": "ok", "rows": rows }))
}

pub(super) fn pareto(case: &Case) -> Result<Value, CaseError> {
    let table = case.table.as_ref();
    let table = table.ok_or_else(|| case.data.error("a csv with a column for each reason"))?;
    let reason = |(_, (title, counts)): (usize, &(String, Vec<f64>))| {
        let total = counts.iter().map(|count| *count as u64).fold(0, u64::saturating_add);
        (title.clone(), total)
    };
    // After the totals `n` and `d` every column is a reason.
    let columns =
        table.values().iter().enumerate().filter(|(_, (title, _))| title != "n" && title != "d");
    let rows = reasons::pareto(columns.map(reason));
    let total = rows.iter().map(|row| row.count).fold(0, u64::saturating_add);
    let row = |row: &reasons::ParetoRow| {
        json!({
            "reason": row.reason,
            "count": row.count,
            "share": row.share,
            "cumulative": row.cumulative,
        })
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    let status = if total > 0 { "ok" } else { "no_data" };
    Ok(json!({ "status": status, "total": total, "rows": rows }))
}
