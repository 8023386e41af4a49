//! Results as JSON, in the words of the case specification. A number that is not defined is null.

use serde_json::{Map, Value, json};

use crate::digest::sha256;
use crate::spc::chart::{Panel, Point, Status};
use crate::spc::rules::{RuleId, RuleSet};

/// A chart: status, estimates, panels, and a summary of the first panel's signals.
pub(super) fn chart(
    status: Status,
    estimates: Value,
    panels: &[Panel],
    rules: &[Vec<RuleId>],
) -> Value {
    let written: Vec<Value> =
        panels.iter().zip(rules).map(|(panel, rules)| self::panel(panel, rules)).collect();
    let summary =
        panels.iter().zip(rules).next().map(|(panel, rules)| rules_summary(&panel.points, rules));
    json!({
        "status": status.name(),
        "estimates": estimates,
        "panels": written,
        "rules_summary": summary,
    })
}

/// The names of the rules in a set.
pub(super) fn ids(rules: &RuleSet) -> Vec<RuleId> {
    rules.rules().iter().map(|rule| rule.id()).collect()
}

/// A panel by columns.
pub(super) fn panel(panel: &Panel, rules: &[RuleId]) -> Value {
    let column = |of: fn(&Point) -> Option<f64>| -> Value { panel.points.iter().map(of).collect() };
    json!({
        "name": panel.name,
        "stat": column(|p| p.stat),
        "cl": column(|p| p.cl),
        "lcl": column(|p| p.lcl),
        "ucl": column(|p| p.ucl),
        "sigma": column(|p| p.sigma),
        "z": column(|p| p.z),
        "rules": self::rules(&panel.points, rules),
    })
}

/// For each rule the positions that complete it.
pub(super) fn rules(points: &[Point], rules: &[RuleId]) -> Value {
    rules
        .iter()
        .map(|&id| (id.name().to_owned(), json!(hits(points, id))))
        .collect::<Map<_, _>>()
        .into()
}

/// For each rule the number of positions, the first twenty, and a hash of all.
pub(super) fn rules_summary(points: &[Point], rules: &[RuleId]) -> Value {
    let summary = |id: RuleId| {
        let hits = hits(points, id);
        let first = &hits[..hits.len().min(20)];
        let lines: String = hits.iter().map(|i| format!("{i}\n")).collect();
        json!({ "count": hits.len(), "first": first, "sha256": sha256(&lines) })
    };
    rules.iter().map(|&id| (id.name().to_owned(), summary(id))).collect::<Map<_, _>>().into()
}

/// One object of a single stage, a list of several.
pub(super) fn estimates<T>(fits: &[T], staged: bool, write: impl Fn(&T) -> Value) -> Value {
    match fits {
        [fit] if !staged => write(fit),
        _ => fits.iter().map(write).collect(),
    }
}

fn hits(points: &[Point], id: RuleId) -> Vec<usize> {
    points.iter().enumerate().filter(|(_, point)| point.hits.contains(id)).map(|(i, _)| i).collect()
}
