//! A control chart of a table for people: columns of a CSV file → a case → limits and signals in a table.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use domain::spc::case;
use serde_json::{Map, Value, json};

use super::spc::{Baseline, Kind};
use super::{Refusal, print, read, svg};

/// What was asked for.
pub(super) struct Request<'a> {
    pub(super) kind: Kind,
    pub(super) csv: &'a Path,
    pub(super) count: Option<&'a str>,
    pub(super) size: Option<&'a str>,
    pub(super) value: Option<&'a str>,
    pub(super) baseline: Option<Baseline>,
    pub(super) rules: &'a [String],
    pub(super) svg: Option<&'a Path>,
}

/// One panel as computed, by columns.
pub(super) struct Panel {
    pub(super) name: String,
    pub(super) stat: Vec<Option<f64>>,
    pub(super) center: Vec<Option<f64>>,
    pub(super) lower: Vec<Option<f64>>,
    pub(super) upper: Vec<Option<f64>>,
    /// Rules that each point completes, of those that were asked for.
    pub(super) signals: Vec<Vec<String>>,
}

/// A rule in words (Nelson 1984).
pub(super) fn rule_words(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "N1" => "one point beyond 3 sigma",
        "N2" => "nine points on one side of the centre line",
        "N3" => "six points rising or falling",
        "N4" => "fourteen points alternating",
        "N5" => "two of three points beyond 2 sigma on one side",
        "N6" => "four of five points beyond 1 sigma on one side",
        "N7" => "fifteen points within 1 sigma",
        "N8" => "eight points beyond 1 sigma on either side",
        _ => return None,
    })
}

pub(super) fn run(request: &Request<'_>) -> Result<ExitCode, Refusal> {
    let refuse = |message: String| Refusal::of(request.csv, &message);
    let text = read(request.csv)?;
    let table = Table::read(&text).map_err(refuse)?;
    let data = data(request, &table).map_err(refuse)?;
    let mut params = Map::new();
    if let Some(Baseline { from, to }) = request.baseline {
        let n = table.labels.len();
        if to > n {
            return Err(refuse(format!(
                "--baseline {from}..{to} ends after the last point, which is {n}; end it there"
            )));
        }
        params.insert("baseline".into(), json!([from - 1, to]));
    }
    let case = json!({ "chart": request.kind.schema(), "params": params, "data": data });
    let result = case::run(&case, None).map_err(|error| refuse(error.to_string()))?;
    let panels = panels(&result, request.rules);
    if let Some(path) = request.svg {
        let title = format!("{} chart of {}", request.kind.schema(), request.csv.display());
        std::fs::write(path, svg::draw(&title, &table.labels, &panels)).map_err(|error| {
            Refusal::of(path, &format!("cannot be written: {error}; give another file with --svg"))
        })?;
    }
    Ok(print(&report(request, &table, &result, &panels)))
}

/// A table by columns of text.
struct Table<'t> {
    titles: Vec<&'t str>,
    rows: Vec<(usize, Vec<&'t str>)>,
    labels: Vec<&'t str>,
}

impl<'t> Table<'t> {
    fn read(text: &'t str) -> Result<Table<'t>, String> {
        let text = text.trim_start_matches('\u{feff}');
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let Some((_, header)) = lines.next() else {
            return Err("is empty; begin it with a header such as minute,rejected,total".into());
        };
        let titles = cells(header);
        let mut rows = Vec::new();
        let mut mistakes = Vec::new();
        for (i, line) in lines {
            let cells = cells(line);
            if cells.len() != titles.len() {
                let (n, wanted) = (cells.len(), titles.len());
                mistakes.push(format!(
                    "line {}: found {n} cells; the header has {wanted}, make them equal",
                    i + 1
                ));
            }
            rows.push((i + 1, cells));
        }
        if rows.is_empty() {
            mistakes.push("has a header and no rows; add one row for each subgroup".into());
        }
        if !mistakes.is_empty() {
            return Err(mistakes.join("\n"));
        }
        let labels = rows.iter().filter_map(|(_, cells)| cells.first().copied()).collect();
        Ok(Table { titles, rows, labels })
    }

    /// The numbers of a column; an empty cell is a gap.
    fn column(&self, title: &str) -> Result<Vec<Option<f64>>, String> {
        let Some(at) = self.titles.iter().position(|other| *other == title) else {
            let known = self.titles.join(", ");
            return Err(format!("line 1: has no column {title:?}; its columns are {known}"));
        };
        let mut mistakes = Vec::new();
        let mut numbers = Vec::with_capacity(self.rows.len());
        for (line, cells) in &self.rows {
            let cell = cells.get(at).copied().unwrap_or_default();
            let number = cell.parse().ok().filter(|x: &f64| x.is_finite());
            if number.is_none() && !cell.is_empty() {
                mistakes.push(format!(
                    "line {line}: {title}: {cell:?} is no number; write one, or nothing for a gap"
                ));
            }
            numbers.push(number);
        }
        if mistakes.is_empty() { Ok(numbers) } else { Err(mistakes.join("\n")) }
    }
}

fn cells(line: &str) -> Vec<&str> {
    line.split(',').map(|cell| cell.trim().trim_matches('"')).collect()
}

/// The data of the case.
fn data(request: &Request<'_>, table: &Table<'_>) -> Result<Value, String> {
    let column = |option: &str, title: Option<&str>| match title {
        Some(title) => table.column(title),
        None => {
            let known = table.titles.join(", ");
            Err(format!("this chart needs {option}; the columns are {known}"))
        }
    };
    Ok(match request.kind {
        Kind::IMr => json!({ "x": column("--value-column", request.value)? }),
        Kind::C => json!({ "c": column("--count-column", request.count)? }),
        kind => {
            let counts = column("--count-column", request.count)?;
            let sizes = column("--size-column", request.size)?;
            match kind {
                Kind::U | Kind::UPrime => json!({ "c": counts, "n": sizes }),
                _ => json!({ "d": counts, "n": sizes }),
            }
        }
    })
}

fn panels(result: &Value, rules: &[String]) -> Vec<Panel> {
    let column = |panel: &Value, key: &str| -> Vec<Option<f64>> {
        panel[key].as_array().into_iter().flatten().map(Value::as_f64).collect()
    };
    let panel = |panel: &Value| {
        let stat = column(panel, "stat");
        let mut signals = vec![Vec::new(); stat.len()];
        for rule in rules {
            let hits = panel["rules"][rule].as_array().into_iter().flatten();
            for hit in hits.filter_map(|hit| usize::try_from(hit.as_u64()?).ok()) {
                if let Some(signals) = signals.get_mut(hit) {
                    signals.push(rule.clone());
                }
            }
        }
        Panel {
            name: panel["name"].as_str().unwrap_or_default().to_owned(),
            center: column(panel, "cl"),
            lower: column(panel, "lcl"),
            upper: column(panel, "ucl"),
            stat,
            signals,
        }
    };
    result["panels"].as_array().into_iter().flatten().map(panel).collect()
}

fn report(request: &Request<'_>, table: &Table<'_>, result: &Value, panels: &[Panel]) -> String {
    let n = table.labels.len();
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
        text += &panel_table(&table.labels, &table.titles, panel);
        for rule in request.rules {
            let hits = panel.signals.iter().enumerate().filter(|(_, rules)| rules.contains(rule));
            let points: Vec<String> = hits.map(|(i, _)| (i + 1).to_string()).collect();
            let words = rule_words(rule).unwrap_or_default();
            let at = if points.is_empty() { "no point".into() } else { points.join(", ") };
            let _ = writeln!(text, "  {rule}, {words}: {at}");
        }
    }
    text
}

fn panel_table(labels: &[&str], titles: &[&str], panel: &Panel) -> String {
    let head = [
        "point",
        titles.first().copied().unwrap_or(""),
        &panel.name,
        "lcl",
        "cl",
        "ucl",
        "signals",
    ];
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
pub(super) fn significant(x: f64) -> String {
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
