//! Cases of charts that carry something from point to point under a given law: EWMA, CUSUM, moving average, zone
//! scores, and the run rules by themselves.

use serde_json::{Map, Value, json};

use super::measures::{given, given_status};
use super::settings::custom_rules;
use super::{Case, CaseError, write};
use crate::spc::chart::{GapPolicy, Panel, Point, Settings};
use crate::spc::individuals::Individuals;
use crate::spc::memory::{
    Cusum, CusumPoint, CusumStream, Ewma, EwmaGap, EwmaLimits, EwmaStream, MovingAverage,
    MovingAverageStream, Sample,
};
use crate::spc::rules::{RuleEngine, RuleId, RuleSet};
use crate::spc::short_run::{Zone, ZoneStream};

pub(super) fn ewma(case: &Case) -> Result<Value, CaseError> {
    let samples = samples(case)?;
    let (target, sigma) = law(case, "target", &samples)?;
    let limits = [("exact", EwmaLimits::Exact), ("asymptotic", EwmaLimits::Asymptotic)];
    let gaps =
        [("carry", EwmaGap::Carry), ("restart", EwmaGap::Restart), ("break", EwmaGap::Restart)];
    let lambda = case.params.number_or("lam", 0.2)?;
    if !(lambda > 0.0 && lambda <= 1.0) {
        return Err(case.params.need("lam")?.error("a weight above 0 and not above 1"));
    }
    let mut stream = EwmaStream::new(Ewma {
        lambda,
        l: case.params.number_or("L", 3.0)?,
        target,
        sigma,
        limits: case.params.choose_or("limits", &limits, EwmaLimits::Exact)?,
        gap: case.params.choose_or("gap_policy", &gaps, EwmaGap::Carry)?,
    });
    let points = samples.into_iter().map(|sample| stream.push(sample)).collect();
    Ok(given(Panel { name: "ewma", points }, target, sigma, RuleId::Limit))
}

pub(super) fn ma(case: &Case) -> Result<Value, CaseError> {
    let samples = samples(case)?;
    let (center, sigma) = law(case, "center", &samples)?;
    let gaps = [("break", GapPolicy::Break), ("bridge", GapPolicy::Bridge)];
    let mut stream = MovingAverageStream::new(MovingAverage {
        span: case.params.index_or("span", 5)?,
        k: case.params.number_or("k", 3.0)?,
        center,
        sigma,
        gap: case.params.choose_or("gap_policy", &gaps, GapPolicy::Break)?,
    });
    let points = samples.into_iter().map(|sample| stream.push(sample)).collect();
    Ok(given(Panel { name: "ma", points }, center, sigma, RuleId::N1))
}

pub(super) fn cusum(case: &Case) -> Result<Value, CaseError> {
    let samples = samples(case)?;
    let (target, sigma) = law(case, "target", &samples)?;
    let settings = Cusum {
        k: case.params.number_or("k", 0.5)?,
        h: case.params.number_or("h", 5.0)?,
        target,
        sigma,
        fir: case.params.number_or("fir", 0.0)?,
        reset_after_signal: case.params.flag_or("reset_after_signal", false)?,
    };
    let mut stream = CusumStream::new(settings);
    let points: Vec<Option<CusumPoint>> =
        samples.iter().map(|sample| stream.push(*sample)).collect();
    let column = |of: fn(&CusumPoint) -> Value| -> Value {
        points.iter().map(|p| p.as_ref().map(of)).collect()
    };
    let shifts: Value = points
        .iter()
        .zip(&samples)
        .map(|(point, sample)| {
            point.zip(*sample).and_then(|(point, (_, n))| settings.shifted_mean(&point, n))
        })
        .collect();
    let hits = |point: &Option<CusumPoint>| Point {
        hits: point.map(|p| p.hits).unwrap_or_default(),
        ..Point::default()
    };
    let judged: Vec<Point> = points.iter().map(hits).collect();
    Ok(json!({
        "status": given_status(points.iter().flatten().count(), sigma).name(),
        "estimates": { "center": target, "sigma": sigma },
        "panels": [{
            "name": "cusum",
            "c_plus": column(|p| json!(p.c_plus)),
            "c_minus": column(|p| json!(p.c_minus)),
            "n_plus": column(|p| json!(p.n_plus)),
            "n_minus": column(|p| json!(p.n_minus)),
            "h": settings.h,
            "shifted_mean": shifts,
            "rules": write::rules(&judged, &[RuleId::Upper, RuleId::Lower]),
        }],
    }))
}

pub(super) fn zone(case: &Case) -> Result<Value, CaseError> {
    let mut settings = Zone::default();
    if let Some(weights) = case.params.get("weights") {
        let numbers = weights.numbers()?;
        settings.weights =
            numbers.try_into().map_err(|_| weights.error("four weights, the inner zone first"))?;
    }
    settings.signal = case.params.number_or("signal", settings.signal)?;
    settings.reset_after_signal = case.params.flag_or("reset_after_signal", false)?;
    let mut stream = ZoneStream::new(settings);
    let scores: Vec<_> =
        case.data.need("z")?.series()?.into_iter().map(|z| stream.push(z)).collect();
    let limit: Vec<usize> = scores
        .iter()
        .enumerate()
        .filter(|(_, s)| s.is_some_and(|(_, signals)| signals))
        .map(|(i, _)| i)
        .collect();
    // A score is a sum of weights, which the schema writes as whole numbers where they are.
    let score = |score: f64| {
        if score.fract() == 0.0 && score.abs() < 1e15 { json!(score as i64) } else { json!(score) }
    };
    let estimates: Map<String, Value> =
        ["center", "sigma", "r_bar"].iter().map(|key| ((*key).to_owned(), json!(null))).collect();
    Ok(json!({
        "status": given_status(scores.iter().flatten().count(), 1.0).name(),
        "estimates": estimates,
        "panels": [{
            "name": "zone",
            "score": scores.iter().map(|s| s.map(|(s, _)| score(s))).collect::<Value>(),
            "rules": { "LIMIT": limit },
        }],
    }))
}

pub(super) fn rules(case: &Case) -> Result<Value, CaseError> {
    let rules = case
        .params
        .get("rule_params")
        .map_or(Ok(RuleSet::nelson()), |place| custom_rules(&place))?;
    let gaps = [("break", GapPolicy::Break), ("bridge", GapPolicy::Bridge)];
    let gap = case.params.choose_or("gap_policy", &gaps, GapPolicy::Break)?;
    let z = case.data.need("z")?.series()?;
    let stat = case.data.get("stat").map_or_else(|| Ok(z.clone()), |stat| stat.series())?;
    let ids = write::ids(&rules);
    let mut engine = RuleEngine::new(rules);
    let judge = |(stat, z): (&Option<f64>, &Option<f64>)| {
        let Some((stat, z)) = stat.zip(*z) else {
            if gap == GapPolicy::Break {
                engine.gap();
            }
            return Point::default();
        };
        Point { hits: engine.push(stat, z), ..Point::default() }
    };
    let points: Vec<Point> = stat.iter().zip(&z).map(judge).collect();
    let status = given_status(z.iter().flatten().count(), 1.0);
    Ok(json!({ "status": status.name(), "rules": write::rules(&points, &ids) }))
}

/// The samples of a case: values with their sizes, one where none is given.
fn samples(case: &Case) -> Result<Vec<Sample>, CaseError> {
    let values = case.data.need("x")?.series()?;
    let sizes = case
        .data
        .get("n")
        .map_or_else(|| Ok(vec![Some(1.0); values.len()]), |sizes| sizes.series())?;
    if sizes.len() != values.len() {
        return Err(case
            .data
            .need("n")?
            .error(&format!("a list of {} sizes, one for each value", values.len())));
    }
    Ok(values.into_iter().zip(sizes).map(|(value, n)| value.zip(n)).collect())
}

/// The given centre and sigma; what is not given is estimated from the values as on an I chart.
fn law(case: &Case, center: &str, samples: &[Sample]) -> Result<(f64, f64), CaseError> {
    let values: Vec<Option<f64>> =
        samples.iter().map(|sample| sample.map(|(value, _)| value)).collect();
    let fit =
        || Individuals::default().chart(&values, &Settings::default()).estimates.first().copied();
    let given = (case.params.number_if_any(center)?, case.params.number_if_any("sigma")?);
    let center_or = |given: Option<f64>| given.or_else(|| fit()?.center).unwrap_or(f64::NAN);
    let sigma_or = |given: Option<f64>| given.or_else(|| fit()?.sigma).unwrap_or(f64::NAN);
    Ok((center_or(given.0), sigma_or(given.1)))
}
