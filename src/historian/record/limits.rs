//! Limits ↔ JSON. The hash is taken of the canonical text and not of this form, so that the form may change.

use std::sync::Arc;

use domain::quality::characteristic::ChartKind;
use domain::quality::limits::{Baseline, Evidence, Excluded, Limits, LimitsLaw};
use domain::spc::rules::{Hits, RuleId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Form {
    chart: String,
    subgroup_minutes: u32,
    center: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sigma_z: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sigma: Option<f64>,
    ewma_l: f64,
    rules: String,
    from_us: i64,
    to_us: i64,
    n_used: usize,
    excluded: Vec<(i64, String)>,
    sigma_z_mr: Option<f64>,
    sigma_z_sd: Option<f64>,
    lag1: Option<f64>,
    chi2_ratio: Option<f64>,
    chi2_p: Option<f64>,
}

/// What a row of limits has in columns of its own.
pub(in crate::historian) struct LimitsRow {
    pub(in crate::historian) characteristic: String,
    pub(in crate::historian) version: u32,
    pub(in crate::historian) made_us: i64,
    pub(in crate::historian) author: String,
    pub(in crate::historian) reason: String,
    pub(in crate::historian) form: String,
}

/// The stored form of limits.
pub(in crate::historian) fn limits_json(limits: &Limits) -> String {
    let (center, sigma_z, sigma) = match limits.law {
        LimitsLaw::Rate { center, sigma_z } => (center, Some(sigma_z), None),
        LimitsLaw::Individuals { center, sigma } => (center, None, Some(sigma)),
    };
    let Evidence { sigma_z_mr, sigma_z_sd, lag1, chi2_ratio, chi2_p } = limits.evidence;
    let form = Form {
        chart: limits.kind.word().to_owned(),
        subgroup_minutes: limits.subgroup_minutes,
        center,
        sigma_z,
        sigma,
        ewma_l: limits.ewma_l,
        rules: names(limits.rules.iter().copied()),
        from_us: limits.baseline.from_us,
        to_us: limits.baseline.to_us,
        n_used: limits.baseline.n_used,
        excluded: limits
            .baseline
            .excluded
            .iter()
            .map(|out| (out.start_us, out.reason.clone()))
            .collect(),
        sigma_z_mr,
        sigma_z_sd,
        lag1,
        chi2_ratio,
        chi2_p,
    };
    serde_json::json!(form).to_string()
}

/// The limits of a row; in words what is wrong where it cannot be.
pub(in crate::historian) fn limits(row: LimitsRow) -> Result<Limits, String> {
    let form: Form = serde_json::from_str(&row.form).map_err(|error| error.to_string())?;
    let kind = ChartKind::from_word(&form.chart)
        .ok_or_else(|| format!("`{}` is no kind of chart", form.chart))?;
    let law = match (form.sigma_z, form.sigma) {
        (Some(sigma_z), None) => LimitsLaw::Rate { center: form.center, sigma_z },
        (None, Some(sigma)) => LimitsLaw::Individuals { center: form.center, sigma },
        _ => return Err("limits have either sigma_z or sigma".to_owned()),
    };
    Ok(Limits {
        version: row.version,
        characteristic: Arc::from(row.characteristic),
        kind,
        subgroup_minutes: form.subgroup_minutes,
        law,
        ewma_l: form.ewma_l,
        rules: hits(&form.rules)?.iter().collect(),
        baseline: Baseline {
            from_us: form.from_us,
            to_us: form.to_us,
            n_used: form.n_used,
            excluded: form
                .excluded
                .into_iter()
                .map(|(start_us, reason)| Excluded { start_us, reason })
                .collect(),
        },
        evidence: Evidence {
            sigma_z_mr: form.sigma_z_mr,
            sigma_z_sd: form.sigma_z_sd,
            lag1: form.lag1,
            chi2_ratio: form.chi2_ratio,
            chi2_p: form.chi2_p,
        },
        author: row.author,
        reason: row.reason,
        made_us: row.made_us,
        decision: None,
    })
}

/// Names of rules, separated by commas.
pub(in crate::historian) fn names(rules: impl Iterator<Item = RuleId>) -> String {
    rules.map(RuleId::name).collect::<Vec<_>>().join(",")
}

/// The rules of such names.
pub(in crate::historian) fn hits(names: &str) -> Result<Hits, String> {
    names.split(',').filter(|name| !name.is_empty()).try_fold(Hits::NONE, |hits, name| {
        RuleId::parse(name).map(|id| hits.with(id)).ok_or_else(|| format!("`{name}` is no rule"))
    })
}
