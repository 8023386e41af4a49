//! What is kept of charts: incidents with the work on them, and points as they were told.

use super::signal::Incident;

/// An incident with what was done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIncident {
    /// Its number in the journal.
    pub id: i64,
    /// What it is.
    pub incident: Incident,
    /// What was done, oldest first.
    pub work: Vec<Work>,
}

/// One thing that a person did about an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// When, UTC microseconds.
    pub at_us: i64,
    /// By whom.
    pub author: String,
    /// What.
    pub kind: WorkKind,
    /// In words: the cause, the action, the new owner.
    pub text: String,
}

/// What can be done about an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkKind {
    /// Somebody has seen it.
    Acknowledge,
    /// The assignable cause was found.
    Cause,
    /// Something was done, after the out-of-control action plan.
    Action,
    /// Somebody takes it over.
    Owner,
    /// Anything else worth keeping.
    Note,
}

impl WorkKind {
    /// All kinds.
    pub const ALL: [WorkKind; 5] =
        [WorkKind::Acknowledge, WorkKind::Cause, WorkKind::Action, WorkKind::Owner, WorkKind::Note];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            WorkKind::Acknowledge => "acknowledge",
            WorkKind::Cause => "cause",
            WorkKind::Action => "action",
            WorkKind::Owner => "owner",
            WorkKind::Note => "note",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<WorkKind> {
        WorkKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A judged subgroup as it was told, to show what was said before a correction.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPoint {
    /// Start of the subgroup, UTC microseconds.
    pub start_us: i64,
    /// 0 for what was said first.
    pub rev: u32,
    /// Version of the limits that judged.
    pub version: u32,
    /// Whether it could be judged.
    pub fitness: String,
    /// Rejects.
    pub rejected: u64,
    /// Capsules.
    pub size: u64,
    /// What was plotted.
    pub stat: Option<f64>,
    /// Its distance in sigma.
    pub z: Option<f64>,
    /// Rules completed on the chart.
    pub rules: String,
    /// Rules completed on its companion.
    pub companion_rules: String,
    /// When it was told, UTC microseconds.
    pub told_us: i64,
}
