//! The tables that can be read out, and their words.

use domain::line::rollup::PeriodKind;

/// What can be read out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Minutes with their counts.
    Minutes,
    /// Seconds with their counts, as far as they are kept.
    Seconds,
    /// Clock hours.
    Hours,
    /// Shifts.
    Shifts,
    /// Batches.
    Batches,
    /// Events, with the counts of gaps.
    Events,
    /// Stops as recorded.
    Stops,
    /// What people said about stops.
    StopRevisions,
    /// Weights by minute.
    Weights,
    /// What people did with batches.
    BatchEntries,
    /// Control limits and what was decided about them.
    Limits,
    /// Judged subgroups.
    Points,
    /// Runs of signals.
    Incidents,
    /// What people did about them.
    IncidentWork,
    /// Final reports, each with its page.
    Reports,
    /// What people said about gaps.
    GapNotes,
    /// What the ledger of each counter goes on from.
    Counters,
    /// Readings as they came from the devices, as far as they are kept.
    Readings,
}

impl What {
    /// All of it, in the order in which it is written.
    pub const ALL: [What; 18] = [
        What::Minutes,
        What::Seconds,
        What::Hours,
        What::Shifts,
        What::Batches,
        What::Events,
        What::Stops,
        What::StopRevisions,
        What::Weights,
        What::BatchEntries,
        What::Limits,
        What::Points,
        What::Incidents,
        What::IncidentWork,
        What::Reports,
        What::GapNotes,
        What::Counters,
        What::Readings,
    ];

    /// The word for it in commands, file names and manifests.
    pub fn word(self) -> &'static str {
        match self {
            What::Minutes => "minutes",
            What::Seconds => "seconds",
            What::Hours => "hours",
            What::Shifts => "shifts",
            What::Batches => "batches",
            What::Events => "events",
            What::Stops => "stops",
            What::StopRevisions => "stop_revisions",
            What::Weights => "weights",
            What::BatchEntries => "batch_entries",
            What::Limits => "limits",
            What::Points => "points",
            What::Incidents => "incidents",
            What::IncidentWork => "incident_work",
            What::Reports => "reports",
            What::GapNotes => "gap_notes",
            What::Counters => "counters",
            What::Readings => "readings",
        }
    }

    /// What that word means.
    pub fn from_word(word: &str) -> Option<What> {
        What::ALL.into_iter().find(|what| what.word() == word)
    }

    /// Whether a day of it is a file of its own.
    pub fn is_large(self) -> bool {
        matches!(self, What::Seconds | What::Readings)
    }

    /// The kind of period that it is of.
    pub(super) fn period(self) -> Option<PeriodKind> {
        match self {
            What::Hours => Some(PeriodKind::Hour),
            What::Shifts => Some(PeriodKind::Shift),
            What::Batches => Some(PeriodKind::Batch),
            _ => None,
        }
    }
}
