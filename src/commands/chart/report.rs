//! A chart as text: what it rests on, a table of its points, its signals in words.

use std::fmt::Write;

use domain::spc::rules::RuleId;
use serde_json::Value;

use super::super::spc::Baseline;
use super::{Panel, Request};

pub(super) fn report(
    request: &Request<'_>,
    labels: &[&str],
    title: &str,
    result: &Value,
    panels: &[Panel],
) -> String {
    let n = labels.len();
    let from = match request.baseline {
        Some(Baseline { from, to }) => format!("points {from} to {to}"),
        None => "all points".to_owned(),
    };
    let chart = request.kind.schema().replace("_prime", "\u{2032}").replace('_', "-");
    let mut text = format!(
        "{chart} chart of {}: {n} points, limits from {from}, status {}\n",
        request.csv.display(),
        result["status"].as_str().unwrap_or_default(),
    );
    for (name, value) in result["estimates"].as_object().into_iter().flatten() {
        if value.is_u64() {
            let _ = writeln!(text, "  {name:<12} {value}");
        } else if let Some(x) = value.as_f64() {
            let _ = writeln!(text, "  {name:<12} {}", significant(x));
        }
    }
    for panel in panels {
        text += "\n";
        text += &panel_table(labels, title, panel);
        for rule in &panel.rules {
            let hits = panel.signals.iter().enumerate().filter(|(_, rules)| rules.contains(rule));
            let points: Vec<String> = hits.map(|(i, _)| (i + 1).to_string()).collect();
            let words = RuleId::parse(rule).map_or("", RuleId::meaning);
            let at = if points.is_empty() { "no point".into() } else { points.join(", ") };
            let _ = writeln!(text, "  {rule}, {words}: {at}");
        }
    }
    text
}

fn panel_table(labels: &[&str], title: &str, panel: &Panel) -> String {
    let head = ["point", title, &panel.name, "lcl", "cl", "ucl", "signals"];
    let cell = |column: &[Option<f64>], i: usize| {
        column.get(i).copied().flatten().map_or("\u{2013}".to_owned(), significant)
    };
    let rows: Vec<[String; 7]> = (0..panel.stat.len())
        .map(|i| {
            [
                (i + 1).to_string(),
                labels.get(i).copied().unwrap_or_default().to_owned(),
                cell(&panel.stat, i),
                cell(&panel.lower, i),
                cell(&panel.center, i),
                cell(&panel.upper, i),
                panel.signals[i].join(" "),
            ]
        })
        .collect();
    let width = |i: usize| {
        let cells = rows.iter().map(|row| row[i].chars().count());
        cells.chain([head[i].chars().count()]).max().unwrap_or(0)
    };
    let mut text = String::new();
    let mut line = |cells: Vec<&str>| {
        for (i, cell) in cells.iter().enumerate() {
            let _ = match i {
                6 => write!(text, "  {cell}"),
                _ => write!(text, "  {cell:>width$}", width = width(i)),
            };
        }
        text.truncate(text.trim_end().len());
        text += "\n";
    };
    line(head.to_vec());
    for row in &rows {
        line(row.iter().map(String::as_str).collect());
    }
    text
}

/// Six significant digits, without an exponent where a person would not write one.
pub(in crate::commands) fn significant(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let decimals = 5 - x.abs().log10().floor() as i64;
    match usize::try_from(decimals) {
        Ok(decimals) if decimals <= 12 => format!("{x:.decimals$}"),
        Ok(_) => format!("{x:.5e}"),
        Err(_) => format!("{x:.0}"),
    }
}
