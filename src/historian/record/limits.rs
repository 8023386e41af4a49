//! Limits ↔ JSON. The hash is taken of the canonical text and not of this form, so that the form may change.

use std::sync::Arc;

use domain::quality::characteristic::ChartKind;
use domain::quality::limits::{Baseline, Evidence, Excluded, Limits, LimitsLaw, SigmaMethod};
use domain::spc::rules::{Hits, RuleId};
use serde::{Deserialize, Serialize};

/// A number as its shortest decimal text. A JSON number is read back by some readers with an error in the last bit, and
/// then the record would no longer match its hash.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Exact(f64);

impl From<Exact> for String {
    fn from(exact: Exact) -> String {
        exact.0.to_string()
    }
}

impl TryFrom<String> for Exact {
    type Error = std::num::ParseFloatError;

    fn try_from(text: String) -> Result<Exact, Self::Error> {
        text.parse().map(Exact)
    }
}

#[derive(Serialize, Deserialize)]
struct Form {
    chart: String,
    subgroup_minutes: u32,
    center: Exact,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sigma_z: Option<Exact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sigma: Option<Exact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sigma_within: Option<Exact>,
    ewma_l: Exact,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arl0: Option<Exact>,
    rules: String,
    from_us: i64,
    to_us: i64,
    n_used: usize,
    excluded: Vec<(i64, String)>,
    sigma_z_mr: Option<Exact>,
    sigma_z_sd: Option<Exact>,
    lag1: Option<Exact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sigma_method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sigma_df: Option<Exact>,
    chi2_ratio: Option<Exact>,
    chi2_p: Option<Exact>,
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
    let (center, sigma_z, sigma, sigma_within) = match limits.law {
        LimitsLaw::Rate { center, sigma_z } => (center, Some(sigma_z), None, None),
        LimitsLaw::Individuals { center, sigma } => (center, None, Some(sigma), None),
        LimitsLaw::ThreeWay { center, sigma, sigma_within } => {
            (center, None, Some(sigma), Some(sigma_within))
        }
    };
    let Evidence { sigma_z_mr, sigma_z_sd, lag1, sigma_method, sigma_df, chi2_ratio, chi2_p } =
        limits.evidence;
    let form = Form {
        chart: limits.kind.word().to_owned(),
        subgroup_minutes: limits.subgroup_minutes,
        center: Exact(center),
        sigma_z: sigma_z.map(Exact),
        sigma: sigma.map(Exact),
        sigma_within: sigma_within.map(Exact),
        ewma_l: Exact(limits.ewma_l),
        arl0: limits.arl0.map(Exact),
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
        sigma_z_mr: sigma_z_mr.map(Exact),
        sigma_z_sd: sigma_z_sd.map(Exact),
        lag1: lag1.map(Exact),
        sigma_method: sigma_method.map(|method| method.word().to_owned()),
        sigma_df: sigma_df.map(Exact),
        chi2_ratio: chi2_ratio.map(Exact),
        chi2_p: chi2_p.map(Exact),
    };
    serde_json::json!(form).to_string()
}

/// The limits of a row; in words what is wrong where it cannot be.
pub(in crate::historian) fn limits(row: LimitsRow) -> Result<Limits, String> {
    let form: Form = serde_json::from_str(&row.form).map_err(|error| error.to_string())?;
    let kind = ChartKind::from_word(&form.chart)
        .ok_or_else(|| format!("`{}` is no kind of chart", form.chart))?;
    let center = form.center.0;
    let law = match (form.sigma_z, form.sigma, form.sigma_within) {
        (Some(sigma_z), None, None) => LimitsLaw::Rate { center, sigma_z: sigma_z.0 },
        (None, Some(sigma), None) => LimitsLaw::Individuals { center, sigma: sigma.0 },
        (None, Some(sigma), Some(within)) => {
            LimitsLaw::ThreeWay { center, sigma: sigma.0, sigma_within: within.0 }
        }
        _ => return Err("limits have either sigma_z or sigma".to_owned()),
    };
    let number = |exact: Option<Exact>| exact.map(|exact| exact.0);
    let method = |word: &str| {
        SigmaMethod::from_word(word).ok_or_else(|| format!("`{word}` is no way to estimate sigma"))
    };
    let sigma_method = form.sigma_method.as_deref().map(method).transpose()?;
    Ok(Limits {
        version: row.version,
        characteristic: Arc::from(row.characteristic),
        kind,
        subgroup_minutes: form.subgroup_minutes,
        law,
        ewma_l: form.ewma_l.0,
        arl0: number(form.arl0),
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
            sigma_z_mr: number(form.sigma_z_mr),
            sigma_z_sd: number(form.sigma_z_sd),
            lag1: number(form.lag1),
            sigma_method,
            sigma_df: number(form.sigma_df),
            chi2_ratio: number(form.chi2_ratio),
            chi2_p: number(form.chi2_p),
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
