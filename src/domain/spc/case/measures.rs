//! Cases of measurements: charts that estimate from the values they judge.

use serde_json::{Value, json};

use super::place::Place;
use super::settings::settings;
use super::{Case, CaseError, write};
use crate::spc::chart::{Panel, Settings, Status};
use crate::spc::individuals::{
    Frozen, IndividualSigma, Individuals, IndividualsFit, VariablesChart,
};
use crate::spc::multivariate::{Rows, t_squared};
use crate::spc::rare::{GMethod, TFit, TMethod, g_chart, t_chart};
use crate::spc::rules::{RuleId, RuleSet};
use crate::spc::short_run::{PartSigma, z_mr};
use crate::spc::variables::{Means, MeansFit, Spread, ThreeWay, ThreeWayFit, Within};
use crate::stats::summary::Summary;

pub(super) fn i_mr(case: &Case) -> Result<Value, CaseError> {
    let settings = settings(&case.params, RuleSet::nelson())?;
    let methods = [
        ("mr", IndividualSigma::MovingRange),
        ("mr_median", IndividualSigma::MedianRange),
        ("sd", IndividualSigma::StandardDeviation),
    ];
    let kind = Individuals {
        span: case.params.index_or("mr_span", 2)?,
        method: case.params.choose_or("sigma_method", &methods, IndividualSigma::MovingRange)?,
        frozen: frozen(case)?,
    };
    let chart = kind.chart(&case.data.need("x")?.series()?, &settings);
    let estimates = |fit: &IndividualsFit| {
        json!({
            "center": fit.center,
            "sigma": fit.sigma,
            "mr_bar": fit.mr_bar,
            "n_used": fit.n_used,
        })
    };
    Ok(variables(&chart, &settings, estimates))
}

pub(super) fn xbar_r(case: &Case) -> Result<Value, CaseError> {
    xbar(case, Spread::Range, Within::Range)
}

pub(super) fn xbar_s(case: &Case) -> Result<Value, CaseError> {
    xbar(case, Spread::StandardDeviation, Within::StandardDeviation)
}

fn xbar(case: &Case, spread: Spread, default: Within) -> Result<Value, CaseError> {
    let settings = settings(&case.params, RuleSet::nelson())?;
    let kind = Means {
        spread,
        within: within(&case.params, "sigma_method", default)?,
        frozen: frozen(case)?,
    };
    let chart = kind.chart(&summaries(case)?, &settings);
    let estimates = |fit: &MeansFit| {
        json!({
            "center": fit.center,
            "sigma": fit.sigma,
            "r_bar": fit.r_bar,
            "s_bar": fit.s_bar,
        })
    };
    Ok(variables(&chart, &settings, estimates))
}

pub(super) fn imr_s(case: &Case) -> Result<Value, CaseError> {
    let settings = settings(&case.params, RuleSet::nelson())?;
    let kind =
        ThreeWay { within: within(&case.params, "sigma_method", Within::StandardDeviation)? };
    let chart = kind.chart(&summaries(case)?, &settings);
    let estimates = |fit: &ThreeWayFit| {
        json!({
            "center": fit.center,
            "sigma_means": fit.sigma_means,
            "mr_bar": fit.mr_bar,
            "sigma_within": fit.sigma_within,
            "sigma_between": fit.sigma_between,
            "sigma_between_within": fit.sigma_between_within,
        })
    };
    Ok(variables(&chart, &settings, estimates))
}

/// The panel of location has all rules, the others those for dispersions.
fn variables<E>(
    chart: &VariablesChart<E>,
    settings: &Settings,
    estimates: impl Fn(&E) -> Value,
) -> Value {
    let estimates = write::estimates(&chart.estimates, !settings.stages.is_empty(), estimates);
    write::chart(
        chart.status,
        estimates,
        &chart.panels,
        &location_and_dispersion(settings, chart.panels.len()),
    )
}

fn location_and_dispersion(settings: &Settings, n_panels: usize) -> Vec<Vec<RuleId>> {
    let mut rules = vec![write::ids(&settings.rules.for_dispersion()); n_panels];
    rules[0] = write::ids(&settings.rules);
    rules
}

fn frozen(case: &Case) -> Result<Option<Frozen>, CaseError> {
    let Some(frozen) = case.params.get("frozen") else { return Ok(None) };
    Ok(Some(Frozen {
        center: frozen.need("center")?.number()?,
        sigma: frozen.need("sigma")?.number()?,
    }))
}

/// How sigma within is estimated.
pub(super) fn within(params: &Place, key: &str, default: Within) -> Result<Within, CaseError> {
    let methods =
        [("rbar", Within::Range), ("sbar", Within::StandardDeviation), ("pooled", Within::Pooled)];
    params.choose_or(key, &methods, default)
}

/// The subgroups of a case as lists of values: given, or the rows of a table. A missing subgroup is empty.
pub(super) fn groups(case: &Case) -> Result<Vec<Vec<f64>>, CaseError> {
    if let Some(table) = &case.table {
        return Ok(table.rows());
    }
    let group = |place: &Place| {
        let values = if place.is_null() { Vec::new() } else { place.series()? };
        Ok(values.into_iter().flatten().collect())
    };
    case.data.need("groups")?.list()?.iter().map(group).collect()
}

fn summaries(case: &Case) -> Result<Vec<Option<Summary>>, CaseError> {
    let summary = |values: &Vec<f64>| Some(Summary::of(values)).filter(|summary| summary.n() > 0);
    Ok(groups(case)?.iter().map(summary).collect())
}

pub(super) fn g(case: &Case) -> Result<Value, CaseError> {
    let settings = settings(&case.params, RuleSet::default())?;
    let methods = [("probability", GMethod::Probability), ("sigma", GMethod::Sigma)];
    let method = case.params.choose_or("method", &methods, GMethod::Probability)?;
    let chart = g_chart(&case.data.need("x")?.series()?, method, &settings);
    let estimates = write::estimates(
        &chart.estimates,
        !settings.stages.is_empty(),
        |fit| json!({ "center": fit.center, "p": fit.p, "sigma": fit.sigma }),
    );
    Ok(write::chart(chart.status, estimates, &[chart.panel], &[vec![RuleId::Limit]]))
}

pub(super) fn t(case: &Case) -> Result<Value, CaseError> {
    let settings = settings(&case.params, RuleSet::nelson())?;
    let exponent = case.params.number_or("exponent", 1.0 / 3.6)?;
    if exponent <= 0.0 {
        return Err(case.params.need("exponent")?.error("a number above zero"));
    }
    let methods = [
        ("power", TMethod::Power(exponent)),
        ("weibull", TMethod::Weibull),
        ("exponential", TMethod::Exponential),
    ];
    let method = case.params.choose_or("method", &methods, TMethod::Power(exponent))?;
    let chart = t_chart(&case.data.need("x")?.series()?, method, &settings);
    let estimates =
        write::estimates(&chart.estimates, !settings.stages.is_empty(), |fit| match fit {
            TFit::Power { center_y, sigma_y, .. } => {
                json!({ "center": fit.center(), "center_y": center_y, "sigma_y": sigma_y })
            }
            TFit::Law(law) => {
                let (shape, scale) = (law.map(|law| law.shape), law.map(|law| law.scale));
                json!({ "center": fit.center(), "shape": shape, "scale": scale })
            }
        });
    let rules = write::ids(&settings.rules);
    Ok(write::chart(chart.status, estimates, &[chart.panel], &[rules]))
}

/// Most variables of a T² chart: its covariance is inverted.
const MAX_VARIABLES: usize = 100;

pub(super) fn t2(case: &Case) -> Result<Value, CaseError> {
    let settings = settings(&case.params, RuleSet::default())?;
    let alpha = case.params.number_or("alpha", 0.001)?;
    let row = |place: &Place| match place.numbers()? {
        row if row.len() <= MAX_VARIABLES => Ok(row),
        _ => Err(place.error(&format!("at most {MAX_VARIABLES} variables"))),
    };
    let series: Vec<Rows> = match case.data.get("groups") {
        Some(groups) => groups
            .list()?
            .iter()
            .map(|group| group.list()?.iter().map(row).collect())
            .collect::<Result<_, _>>()?,
        None => {
            let rows = case.data.need("x")?.list()?;
            let position =
                |place: &Place| Ok(if place.is_null() { Vec::new() } else { vec![row(place)?] });
            rows.iter().map(position).collect::<Result<_, CaseError>>()?
        }
    };
    let chart = t_squared(&series, alpha, &settings);
    let estimates = json!({
        "mean": chart.law.mean,
        "cov": chart.law.covariance,
        "ucl_phase1": chart.law.ucl_phase1,
        "ucl_phase2": chart.law.ucl_phase2,
    });
    Ok(write::chart(chart.law.status, estimates, &[chart.panel], &[vec![RuleId::Limit]]))
}

pub(super) fn zmr(case: &Case) -> Result<Value, CaseError> {
    let settings = settings(&case.params, RuleSet::nelson())?;
    let methods = [("by_parts", PartSigma::ByParts), ("constant", PartSigma::Constant)];
    let method = case.params.choose_or("sigma_method", &methods, PartSigma::ByParts)?;
    let parts = case.data.need("part")?.list()?;
    let parts =
        parts.iter().map(|part| part.text().map(str::to_owned)).collect::<Result<Vec<_>, _>>()?;
    let values = case.data.need("x")?.series()?;
    if values.len() != parts.len() {
        return Err(case
            .data
            .need("part")?
            .error(&format!("a list of {} products, one for each value", values.len())));
    }
    let chart = z_mr(&values, &parts, method, &settings);
    let estimates = json!({ "mean": chart.mean, "sigma": chart.sigma });
    let rules = location_and_dispersion(&settings, chart.panels.len());
    Ok(write::chart(chart.status, estimates, &chart.panels, &rules))
}

/// The status of a chart whose law is given.
pub(super) fn given_status(n_points: usize, sigma: f64) -> Status {
    Status::of((n_points > 0).then_some(0.0), Some(sigma))
}

/// One panel under a given law.
pub(super) fn given(panel: Panel, center: f64, sigma: f64, rule: RuleId) -> Value {
    let n_points = panel.points.iter().filter(|point| point.stat.is_some()).count();
    let estimates = json!({ "center": center, "sigma": sigma });
    write::chart(given_status(n_points, sigma), estimates, &[panel], &[vec![rule]])
}
