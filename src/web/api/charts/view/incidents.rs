//! Signals as work: incidents, what was done about them, and points as they were told.

use domain::quality::record::{StoredIncident, StoredPoint, Work, WorkKind};
use domain::quality::signal::Incident;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ms, rounded};

/// An incident as the shown limits give it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShownIncident {
    /// Start of the first subgroup, UTC milliseconds.
    opened_ms: i64,
    /// Start of the last subgroup, UTC milliseconds.
    last_ms: i64,
    /// Rules on the chart and on its companion.
    rules: Vec<&'static str>,
    /// Subgroups with a signal.
    points: u32,
    /// `study`, `notice` or `page`.
    level: &'static str,
    /// Whether a point lay outside the limits of the chart.
    beyond: bool,
}

/// An incident of the record.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentView {
    /// Its number.
    id: i64,
    /// Of what.
    characteristic: String,
    /// Version of the limits that judged.
    version: u32,
    /// What it is.
    #[serde(flatten)]
    what: ShownIncident,
    /// Whether it has ended.
    over: bool,
    /// Whether somebody acknowledged it.
    acknowledged: bool,
    /// Who has it, the last one named.
    owner: Option<String>,
    /// What was done, oldest first.
    work: Vec<WorkView>,
}

/// Something that was done.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkView {
    /// When, UTC milliseconds.
    at_ms: i64,
    /// By whom.
    author: String,
    /// `acknowledge`, `cause`, `action`, `owner` or `note`.
    kind: &'static str,
    /// In words.
    text: String,
}

/// A point as it was told at the time.
#[derive(Serialize, ToSchema)]
pub(crate) struct ToldView {
    /// Start, UTC milliseconds.
    t: i64,
    /// 0 for what was said first; more for each correction.
    rev: u32,
    /// Version of the limits that judged.
    version: u32,
    /// Whether it could be judged.
    fitness: String,
    /// Rejects.
    x: u64,
    /// Capsules.
    n: u64,
    /// Distance from the centre in sigma.
    z: Option<f64>,
    /// Rules completed, separated by commas.
    rules: String,
    /// When it was told, UTC milliseconds.
    told_ms: i64,
}

impl ShownIncident {
    /// The view of an incident.
    pub(super) fn of(incident: &Incident) -> ShownIncident {
        let rules = incident.rules.iter().chain(incident.companion.iter());
        ShownIncident {
            opened_ms: ms(incident.opened_us),
            last_ms: ms(incident.last_us),
            rules: rules.map(|rule| rule.name()).collect(),
            points: incident.n_points,
            level: incident.level.word(),
            beyond: incident.is_beyond(),
        }
    }
}

impl IncidentView {
    /// The view of an incident of the record.
    pub(crate) fn of(stored: &StoredIncident) -> IncidentView {
        let is = |kind| move |work: &&Work| work.kind == kind;
        let owner = stored.work.iter().rev().find(is(WorkKind::Owner));
        IncidentView {
            id: stored.id,
            characteristic: stored.incident.characteristic.to_string(),
            version: stored.incident.version,
            what: ShownIncident::of(&stored.incident),
            over: stored.incident.over,
            acknowledged: stored.work.iter().any(|work| work.kind == WorkKind::Acknowledge),
            owner: owner.map(|work| work.text.clone()),
            work: stored.work.iter().map(WorkView::of).collect(),
        }
    }
}

impl WorkView {
    fn of(work: &Work) -> WorkView {
        WorkView {
            at_ms: ms(work.at_us),
            author: work.author.clone(),
            kind: work.kind.word(),
            text: work.text.clone(),
        }
    }
}

impl ToldView {
    /// The view of a point of the record.
    pub(crate) fn of(point: StoredPoint) -> ToldView {
        ToldView {
            t: ms(point.start_us),
            rev: point.rev,
            version: point.version,
            fitness: point.fitness,
            x: point.rejected,
            n: point.size,
            z: point.z.and_then(|z| rounded(z, 3)),
            rules: point.rules,
            told_ms: ms(point.told_us),
        }
    }
}
