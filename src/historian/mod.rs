//! Historian: what is kept. One writer, one transaction a tick, readers beside it.

use domain::line::counter::Baseline;
use domain::line::event::Event;
use domain::line::minute::Minute;
use domain::line::state::State;
use domain::reading::Snapshot;
use domain::units::{Count, LineId, Moment, TagId};

/// All that a line learned since its last tick. Stored whole or not at all.
pub struct Tick {
    /// Which line.
    pub line: LineId,
    /// When the tick was closed.
    pub at: Moment,
    /// Snapshots as read, in order of arrival: the original record.
    pub snapshots: Vec<Snapshot>,
    /// Baselines of all counters of the line, absolute: (station, tag) → baseline.
    pub baselines: Vec<(TagId, Baseline)>,
    /// Minutes that are open or changed since the last tick, absolute.
    pub minutes: Vec<Minute>,
    /// What happened.
    pub events: Vec<Event>,
    /// States of the stations, for the next start: station tag order of the line.
    pub states: Vec<StoredState>,
}

/// State of a station as it is kept for the next start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredState {
    /// Station.
    pub station: domain::units::StationId,
    /// State.
    pub state: State,
    /// Code as read.
    pub raw: Option<i64>,
    /// Since when, UTC microseconds.
    pub since_us: i64,
}

/// What a line goes on from after a start.
#[derive(Default)]
pub struct Resume {
    /// Baselines of its counters.
    pub baselines: Vec<(TagId, Baseline)>,
    /// Minutes since the asked moment, oldest first; the last may be open.
    pub minutes: Vec<Minute>,
    /// Counts of gaps that ended since the asked moment, as they were booked.
    pub gaps: Vec<Event>,
    /// The latest events of any kind, newest first.
    pub events: Vec<Event>,
    /// States.
    pub states: Vec<StoredState>,
    /// When the last tick was closed; none in a new journal.
    pub last_tick: Option<Moment>,
    /// Good capsules counted at the counting station since the journal began.
    pub total: Count,
}
