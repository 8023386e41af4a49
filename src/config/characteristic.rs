//! `[[line.characteristic]]`: what a file changes of the charts that a line has by default.

use std::time::Duration;

use domain::plc_map::document::{At, Section};
use domain::quality::characteristic::{BatchPolicy, Characteristic, ChartKind, Measure};
use domain::spc::capability::Tolerance;
use domain::spc::rules::{Rule, RuleId};
use domain::units::MINUTE_US;

use super::read_span;

const DAY_US: i64 = 24 * 60 * MINUTE_US;

/// Applies what a file says of a characteristic. Where a map could not be read there are none to compare with, and only
/// the form is checked.
pub(super) fn read(section: &Section<'_, '_>, known: Option<&mut Vec<Characteristic>>) {
    let id = section.required_text("id", "\"reject_fraction\"");
    let kind = section.text("chart");
    let minutes = read_span(section, "subgroup", MINUTE_US, DAY_US);
    let break_after = read_span(section, "break_after", 0, DAY_US);
    let startup = read_span(section, "startup", 0, DAY_US);
    let batch = section.text("batch");
    let discards = section.boolean("startup_discards");
    let rules = section.text("rules");
    let budget = section.number("budget");
    let tolerance = ["lower_spec", "upper_spec", "target"].map(|key| (key, section.number(key)));
    section.finish();
    let (Some(id), Some(known)) = (id, known) else { return };
    let names = known.iter().map(|known| known.id.to_string()).collect::<Vec<_>>().join(", ");
    let Some(found) = known.iter_mut().find(|known| *known.id == *id.value) else {
        let message = format!("\"{}\" is nothing this line can chart; it has {names}", id.value);
        return section.report("id", message);
    };
    let us = |span: Duration| span.as_micros() as i64;
    found.break_after_us = break_after.map_or(found.break_after_us, us);
    found.startup_us = startup.map_or(found.startup_us, us);
    found.startup_discards = discards.map_or(found.startup_discards, |at| at.value);
    chart(section, kind, found);
    subgroup(section, minutes, found);
    batches(section, batch, found);
    judging(section, rules, found);
    allowed(section, tolerance, found);
    match budget.map(|at| at.value) {
        None => {}
        Some(budget) if (0.01..=100.0).contains(&budget) => found.budget_per_week = budget,
        Some(_) => section.report("budget", "budget must be from 0.01 to 100 false alarms a week"),
    }
}

/// The tolerance of single weights, in milligrams.
fn allowed(
    section: &Section<'_, '_>,
    tolerance: [(&'static str, Option<At<f64>>); 3],
    found: &mut Characteristic,
) {
    let is_weight = matches!(found.measure, Measure::Weight { .. });
    for (key, at) in &tolerance {
        match at {
            Some(at) if !is_weight => {
                section.report_at(at.line, format!("{key} is for weights; {found} has none"));
            }
            Some(at) if at.value <= 0.0 || !at.value.is_finite() => {
                section.report_at(at.line, format!("{key} must be a weight in mg"));
            }
            _ => {}
        }
    }
    let [lsl, usl, target] = tolerance.map(|(_, at)| at.map(|at| at.value));
    if lsl.zip(usl).is_some_and(|(lsl, usl)| lsl >= usl) {
        section.report("lower_spec", "lower_spec must lie below upper_spec");
    }
    found.tolerance = Tolerance { lsl, usl, target };
}

fn chart(section: &Section<'_, '_>, kind: Option<At<&str>>, found: &mut Characteristic) {
    let Some(kind) = kind else { return };
    match ChartKind::from_word(kind.value).filter(|kind| found.measure.fits(*kind)) {
        Some(kind) => found.kind = kind,
        None => {
            let fitting = ChartKind::ALL.into_iter().filter(|kind| found.measure.fits(*kind));
            let words = fitting.map(ChartKind::word).collect::<Vec<_>>().join(", ");
            let message = format!("chart = \"{}\" does not fit {found}; use {words}", kind.value);
            section.report_at(kind.line, message);
        }
    }
}

fn subgroup(section: &Section<'_, '_>, span: Option<Duration>, found: &mut Characteristic) {
    match span.map(|span| span.as_secs()) {
        None => {}
        Some(s) if s % 60 == 0 && 86_400 % s == 0 => found.subgroup_minutes = (s / 60) as u32,
        Some(_) => section.report("subgroup", "subgroup must divide a day: 1min, 5min, 15min, 1h"),
    }
}

fn batches(section: &Section<'_, '_>, batch: Option<At<&str>>, found: &mut Characteristic) {
    match batch.map(|at| at.value) {
        None => {}
        Some("break") => found.batch = BatchPolicy::Break,
        Some("stage") => found.batch = BatchPolicy::Stage,
        Some(_) => section.report("batch", "batch must be \"break\" or \"stage\""),
    }
}

fn judging(section: &Section<'_, '_>, rules: Option<At<&str>>, found: &mut Characteristic) {
    let Some(rules) = rules else { return };
    let ids = rules.value.split(',').map(|name| RuleId::parse(name.trim()));
    match ids.collect::<Option<Vec<_>>>() {
        Some(ids) if ids.iter().all(|id| Rule::standard(*id).is_some()) => found.rules = ids,
        _ => section.report_at(
            rules.line,
            "rules must be names such as \"N1,N2,N5\": N1 to N8, WE1 to WE4, AIAG2",
        ),
    }
}
