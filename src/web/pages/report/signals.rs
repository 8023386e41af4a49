//! Characteristics against their limits over a whole shift: signals, and which of them differ when all are compared
//! at once. For the report only; a live alarm is judged by its own chart.

use domain::line::event::EventKind;
use domain::line::minute::{Minute, join_weights};
use domain::quality::characteristic::{Characteristic, Measure};
use domain::quality::limits::in_force;
use domain::quality::record::StoredIncident;
use domain::quality::signal::{compare, over_a_period};
use domain::quality::stream::Judged;
use domain::quality::subgroup::subgroups;
use domain::quality::workbench::{By, Evaluation, evaluate};
use maud::{Markup, html};
use serde::Serialize;

use super::incidents::{BEFORE_US, of_period};
use super::paper::Sheet;
use super::tables::head;
use crate::config::LineConfig;
use crate::web::AppParts;
use crate::web::api::charts::limits_at;
use crate::web::i18n::Key;
use crate::web::pages::spc::name;

/// Share of false ones that is accepted among those that are said to differ.
const FALSE_SHARE: f64 = 0.05;

/// A characteristic over the period.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Compared {
    /// Its name in the configuration.
    pub(super) id: String,
    /// Version of the limits at the end.
    pub(super) version: u32,
    /// Subgroups judged.
    pub(super) judged: usize,
    /// Subgroups with a signal.
    pub(super) signals: usize,
    /// Incidents that began.
    pub(super) incidents: usize,
    /// Distance from the centre in sigma of the whole period.
    pub(super) z: f64,
    /// Two-sided probability without a change.
    pub(super) p_value: f64,
    /// The same, adjusted for all that were compared.
    pub(super) adjusted: f64,
    /// Whether it differs among all.
    pub(super) differs: bool,
    /// What was weighed, of a mean of weights. Not written for anything else, whose reports keep their hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weights: Option<Weights>,
}

/// Weights of the whole subgroups of the period, in milligrams.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Weights {
    /// How many.
    pub(super) n: u64,
    /// Their mean.
    pub(super) mean_mg: f64,
    /// Their standard deviation.
    pub(super) sigma_mg: Option<f64>,
}

/// A chart on paper.
#[derive(Clone, Debug)]
pub(super) struct Charted {
    /// Its name in the configuration.
    pub(super) id: String,
    /// Its subgroups.
    pub(super) judged: Vec<Judged>,
}

/// What the record says of the period.
pub(super) struct Gathered {
    /// Limits that were in force at its end: characteristic and version.
    pub(super) limits: Vec<(String, u32)>,
    /// The comparison of all characteristics that had limits by then, those that differ most first.
    pub(super) compared: Vec<Compared>,
    /// Their charts.
    pub(super) charts: Vec<Charted>,
    /// Signals as work.
    pub(super) incidents: Vec<StoredIncident>,
    /// Minutes, oldest first.
    pub(super) minutes: Vec<Minute>,
}

/// Reads the minutes of the period and judges them.
pub(super) fn gather(
    parts: &AppParts,
    config: &LineConfig,
    (from_us, to_us): (i64, i64),
) -> Result<Gathered, String> {
    let mut minutes = parts.history.minutes(&config.id, from_us, to_us)?;
    if config.characteristics.iter().any(|one| one.measure.series().is_some()) {
        // Minutes come without them, and their characteristics would have nothing to be compared by.
        join_weights(&mut minutes, parts.history.weights(&config.id, (from_us, to_us))?);
    }
    let events = parts.history.events(&config.id, from_us, to_us, &[EventKind::Batch])?;
    let batches: Vec<i64> = events.iter().map(|(_, event)| event.at_us).collect();
    let (mut in_force_then, mut rows, mut charts) = (Vec::new(), Vec::new(), Vec::new());
    for characteristic in &config.characteristics {
        // What was made or decided later would judge the period by itself, and change what was said of it.
        let limits = limits_at(parts.quality.limits(&config.id, &characteristic.id)?, to_us);
        if let Some(judging) = in_force(&limits, to_us) {
            in_force_then.push((characteristic.id.to_string(), judging.version));
        }
        let evaluation = evaluate(
            characteristic,
            &subgroups(characteristic, &minutes, &batches),
            By::InForce(&limits),
        );
        let judged = || evaluation.judged.iter().filter(|judged| judged.point.z.is_some());
        let Some(z) = over_a_period(judged().filter_map(|judged| judged.point.z)) else { continue };
        rows.push(Compared {
            id: characteristic.id.to_string(),
            version: evaluation.judged.last().map_or(0, |judged| judged.version),
            judged: judged().count(),
            signals: judged().filter(|judged| judged.signals()).count(),
            incidents: evaluation.incidents.len(),
            z,
            p_value: 1.0,
            adjusted: 1.0,
            differs: false,
            weights: weights(characteristic, &evaluation),
        });
        charts.push(Charted { id: characteristic.id.to_string(), judged: evaluation.judged });
    }
    let standing: Vec<_> = rows.iter().map(|row| (row.id.as_str().into(), row.z)).collect();
    let compared = compare(&standing, FALSE_SHARE);
    for row in &mut rows {
        if let Some(found) = compared.iter().find(|found| *found.characteristic == *row.id) {
            (row.p_value, row.adjusted) = (found.p_value, found.adjusted);
            row.differs = found.stands_out;
        }
    }
    rows.sort_by(|a, b| a.p_value.total_cmp(&b.p_value));
    let place = |chart: &Charted| rows.iter().position(|row| row.id == chart.id);
    charts.sort_by_key(place);
    let stored = parts.quality.incidents(&config.id, (from_us - BEFORE_US, to_us))?;
    let incidents = of_period(stored, (from_us, to_us));
    Ok(Gathered { limits: in_force_then, compared: rows, charts, incidents, minutes })
}

/// What was weighed, rounded as the workbench shows it; of a mean of weights only.
fn weights(characteristic: &Characteristic, evaluation: &Evaluation) -> Option<Weights> {
    let all = evaluation
        .weights()
        .filter(|_| matches!(characteristic.measure, Measure::Weight { .. }))?;
    let rounded = |mg: f64| (mg * 100.0).round() / 100.0;
    Some(Weights {
        n: all.n as u64,
        mean_mg: rounded(all.mean),
        sigma_mg: all.sigma_overall.map(rounded),
    })
}

impl Sheet<'_> {
    /// The table of the comparison, in words where one differs.
    pub(super) fn compared(&self) -> Markup {
        let (lang, rows) = (self.lang, &self.facts.compared);
        let named = |id: &str| {
            let found = |one: &&Characteristic| *one.id == *id;
            let known = self.config.characteristics.iter().find(found);
            known.map_or_else(|| id.to_owned(), |one| name(lang, one))
        };
        let p = |p: f64| if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") };
        let weighed = |weights: &Weights| {
            let sigma = weights.sigma_mg.map_or_else(|| "–".to_owned(), |mg| format!("{mg:.2}"));
            lang.say(Key::ComparedWeights)
                .replace("{n}", &weights.n.to_string())
                .replace("{mean}", &format!("{:.2}", weights.mean_mg))
                .replace("{sigma}", &sigma)
        };
        let verdict = |row: &Compared| match (row.differs, row.z > 0.0) {
            (true, true) => Key::DiffersHigh,
            (true, false) => Key::DiffersLow,
            (false, _) => Key::DiffersNot,
        };
        html! {
            section aria-labelledby="compared" {
                h2 #compared { (lang.mark(Key::Compared)) }
                @if rows.is_empty() { p { (lang.mark(Key::ComparedNone)) } } @else {
                    table.rows.compared {
                        (head(lang, &[Key::SpcCharacteristic, Key::SpcLimits, Key::SpcSubgroup, Key::SpcSignals, Key::ComparedZ, Key::ComparedP, Key::ComparedVerdict]))
                        tbody {
                            @for row in rows {
                                tr {
                                    th scope="row" {
                                        (named(&row.id))
                                        @if let Some(weights) = &row.weights { br; span.small { (weighed(weights)) } }
                                    }
                                    td { "v" (row.version) }
                                    td { (row.judged) }
                                    td { (row.signals) }
                                    td { (format!("{:+.2}", row.z).replace('-', "−")) }
                                    td { (p(row.adjusted)) }
                                    td.text { @if row.differs { b { (lang.mark(verdict(row))) } } @else { (lang.mark(verdict(row))) } }
                                }
                            }
                        }
                    }
                    p.small { (lang.say(Key::ComparedNote).replace("{n}", &rows.len().to_string())) }
                }
            }
        }
    }
}
