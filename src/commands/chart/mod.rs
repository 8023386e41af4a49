//! A control chart of a table for people: columns of a CSV file → a case → limits and signals in a table.

mod data;
mod report;
mod table;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::process::ExitCode;

use domain::spc::case;
use domain::spc::rules::{Rule, RuleId};
use serde_json::{Map, Value, json};

use super::spc::{Baseline, Kind};
use super::{Refusal, print, read, svg};
use data::Charted;
pub(super) use report::significant;
use table::Table;

/// What was asked for.
pub(super) struct Request<'a> {
    pub(super) kind: Kind,
    pub(super) csv: &'a Path,
    pub(super) count: Option<&'a str>,
    pub(super) size: Option<&'a str>,
    pub(super) value: Option<&'a str>,
    pub(super) group: Option<&'a str>,
    pub(super) baseline: Option<Baseline>,
    pub(super) rules: &'a [String],
    /// Settings of charts with a memory, by their names in the schema.
    pub(super) settings: Vec<(&'static str, f64)>,
    pub(super) svg: Option<&'a Path>,
}

/// One panel as computed, by columns.
pub(super) struct Panel {
    pub(super) name: String,
    pub(super) stat: Vec<Option<f64>>,
    pub(super) center: Vec<Option<f64>>,
    pub(super) lower: Vec<Option<f64>>,
    pub(super) upper: Vec<Option<f64>>,
    /// Rules that judge it: those that were asked for, of a chart with limits of its own the test of these.
    pub(super) rules: Vec<String>,
    /// Which of them each point completes.
    pub(super) signals: Vec<Vec<String>>,
}

pub(super) fn run(request: &Request<'_>) -> Result<ExitCode, Refusal> {
    let text = read(request.csv)?;
    let chart = chart(request, &text).map_err(|message| Refusal::of(request.csv, &message))?;
    if let Some(path) = request.svg {
        std::fs::write(path, chart.svg).map_err(|error| {
            Refusal::of(path, &format!("cannot be written: {error}; give another file with --svg"))
        })?;
    }
    Ok(print(&chart.text))
}

/// A chart as text and as a drawing.
struct Chart {
    text: String,
    svg: String,
}

fn chart(request: &Request<'_>, text: &str) -> Result<Chart, String> {
    let table = Table::read(text)?;
    let charted = Charted::of(request, &table)?;
    let mut params: Map<String, Value> =
        request.settings.iter().map(|(key, value)| ((*key).to_owned(), number(*value))).collect();
    if let Some(Baseline { from, to }) = request.baseline {
        let n = charted.labels.len();
        if to > n {
            return Err(format!(
                "--baseline {from}..{to} ends after the last point, which is {n}; end it there"
            ));
        }
        params.insert("baseline".into(), json!([from - 1, to]));
        if request.kind.remembers() {
            data::law_of_baseline(request.kind, &charted.data, &mut params)?;
        }
    }
    let case = json!({ "chart": request.kind.schema(), "params": params, "data": charted.data });
    let result = case::run(&case, None).map_err(|error| error.to_string())?;
    let panels = panels(&result, request)?;
    let title = format!("{} chart of {}", request.kind.schema(), request.csv.display());
    let text = report::report(request, &charted.labels, charted.title, &result, &panels);
    Ok(Chart { text, svg: svg::draw(&title, &charted.labels, &panels) })
}

/// A whole number as one: the schema wants a span to be.
fn number(x: f64) -> Value {
    if x.fract() == 0.0 && (0.0..1e9).contains(&x) { json!(x as u64) } else { json!(x) }
}

fn panels(result: &Value, request: &Request<'_>) -> Result<Vec<Panel>, String> {
    let all = result["panels"].as_array().into_iter().flatten();
    let panels = all.map(|panel| match panel.get("c_plus") {
        Some(_) => Ok(sums(panel)),
        None => Ok(vec![shewhart(panel, request)?]),
    });
    Ok(panels.collect::<Result<Vec<_>, String>>()?.into_iter().flatten().collect())
}

fn column(panel: &Value, key: &str) -> Vec<Option<f64>> {
    panel[key].as_array().into_iter().flatten().map(Value::as_f64).collect()
}

/// Whether a panel shows a spread, of which the rules on two and three zones say nothing (Minitab judges these by N1 to
/// N4).
fn is_spread(name: &str) -> bool {
    matches!(name, "mr" | "r" | "s")
}

fn shewhart(panel: &Value, request: &Request<'_>) -> Result<Panel, String> {
    let name = panel["name"].as_str().unwrap_or_default().to_owned();
    let own: Vec<String> =
        panel["rules"].as_object().into_iter().flat_map(Map::keys).cloned().collect();
    let zoned = |rule: &&String| {
        !is_spread(&name) || !matches!(rule.as_str(), "N5" | "N6" | "N7" | "N8" | "WE2" | "WE3")
    };
    // A chart that lists no N2 has a test of its own limits only: its points are not independent.
    let rules: Vec<String> = match own.iter().any(|rule| rule == "N2") {
        true => request.rules.iter().filter(zoned).cloned().collect(),
        false => own,
    };
    let stat = column(panel, "stat");
    let mut found = panel["rules"].clone();
    let others: Map<String, Value> = rules
        .iter()
        .filter(|rule| found.get(rule.as_str()).is_none())
        .map(|rule| (rule.clone(), json!({})))
        .collect();
    if !others.is_empty() {
        let data = json!({ "stat": panel["stat"], "z": panel["z"] });
        let case = json!({ "chart": "rules", "params": { "rule_params": others }, "data": data });
        let judged = case::run(&case, None).map_err(|error| error.to_string())?;
        for (rule, hits) in judged["rules"].as_object().into_iter().flatten() {
            found[rule] = hits.clone();
        }
    }
    Ok(Panel {
        signals: signals(&found, &rules, stat.len()),
        center: column(panel, "cl"),
        lower: column(panel, "lcl"),
        upper: column(panel, "ucl"),
        name,
        stat,
        rules,
    })
}

/// The two sums of a CUSUM, each with its decision interval.
fn sums(panel: &Value) -> Vec<Panel> {
    let h = panel["h"].as_f64();
    let sum = |key: &str, rule: &str| {
        let stat = column(panel, key);
        let rules = vec![rule.to_owned()];
        Panel {
            name: key.to_owned(),
            center: vec![Some(0.0); stat.len()],
            lower: vec![None; stat.len()],
            upper: vec![h; stat.len()],
            signals: signals(&panel["rules"], &rules, stat.len()),
            stat,
            rules,
        }
    };
    vec![sum("c_plus", "UPPER"), sum("c_minus", "LOWER")]
}

fn signals(found: &Value, rules: &[String], n: usize) -> Vec<Vec<String>> {
    let mut signals = vec![Vec::new(); n];
    for rule in rules {
        let hits = found[rule.as_str()].as_array().into_iter().flatten();
        for hit in hits.filter_map(|hit| usize::try_from(hit.as_u64()?).ok()) {
            if let Some(signals) = signals.get_mut(hit) {
                signals.push(rule.clone());
            }
        }
    }
    signals
}

/// Rules that can be asked for: those with a pattern.
pub(super) fn known_rules() -> Vec<&'static str> {
    RuleId::ALL.into_iter().filter(|id| Rule::standard(*id).is_some()).map(RuleId::name).collect()
}
