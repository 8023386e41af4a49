//! What goes into the store at once, and what a start gets out of it.

use std::sync::Arc;

use domain::audit::{Actor, Note, What};
use domain::line::balance::SectionState;
use domain::line::batch::hand::Entry;
use domain::line::chronicle::Past;
use domain::line::counter::Baseline;
use domain::line::event::{Event, EventKind};
use domain::line::minute::Minute;
use domain::line::rollup::Rollup;
use domain::line::second::Seconds;
use domain::line::state::State;
use domain::line::stop::Stop;
use domain::line::tracker::Changes;
use domain::line::weighing::Sequence;
use domain::line::weight::Series;
use domain::reading::Snapshot;
use domain::units::{Count, LineId, Moment, StationId, TagId};

/// All that a line learned since its last tick. Stored whole or not at all.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Which line.
    pub line: LineId,
    /// Number of the tick, one more than that of the line's last one ([`Resume::tick_seq`]); the first is 1.
    pub seq: u64,
    /// When the tick was closed.
    pub at: Moment,
    /// Snapshots as read, in order of arrival: the original record.
    pub snapshots: Vec<Snapshot>,
    /// Baselines of all counters of the line, absolute: (station, tag) → baseline.
    pub baselines: Vec<(TagId, Baseline)>,
    /// Minutes that are open or changed since the last tick, absolute.
    pub minutes: Vec<Minute>,
    /// The seconds of these minutes, absolute.
    pub seconds: Vec<Seconds>,
    /// What happened.
    pub events: Vec<Event>,
    /// States of the stations, for the next start: station tag order of the line.
    pub states: Vec<StoredState>,
    /// Stops that began, changed or ended, absolute.
    pub stops: Vec<Stop>,
    /// Hours, shifts and batches that changed, absolute.
    pub rollups: Vec<Rollup>,
    /// Batches that people opened and closed.
    pub batch_entries: Vec<Entry>,
    /// What the audit trail says of it.
    pub notes: Vec<Note>,
    /// The balance of material, if it was judged; absolute.
    pub balance: Option<Vec<SectionState>>,
    /// The last number taken of each series of weights, absolute.
    pub weighings: Vec<(StationId, Series, Sequence)>,
    /// Up to when the time of the line is booked.
    pub booked_to: Moment,
    /// Good capsules counted by the machines of the output together since the journal began, absolute.
    pub total: Count,
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

/// What the positions in a device's snapshots mean: the tags of its map, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceTags {
    /// The machine.
    pub station: domain::units::StationId,
    /// Its tags. A reading's `tag` is a position in here.
    pub tags: Vec<TagId>,
    /// Whether it is one of several side by side that together make the output of the line.
    pub beside: bool,
}

/// Snapshots in the order in which they are stored, all of one layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Readings {
    /// What positions in them mean, empty where nobody said.
    pub devices: Arc<[DeviceTags]>,
    /// As read.
    pub snapshots: Vec<Snapshot>,
}

/// What a line goes on from after a start.
#[derive(Debug, Default)]
pub struct Resume {
    /// Baselines of its counters.
    pub baselines: Vec<(TagId, Baseline)>,
    /// Minutes since the asked moment, oldest first; the last may be open.
    pub minutes: Vec<Minute>,
    /// The seconds of those that are open.
    pub seconds: Vec<Seconds>,
    /// The latest events of any kind, newest first.
    pub events: Vec<Event>,
    /// States.
    pub states: Vec<StoredState>,
    /// The last number taken of each series of weights.
    pub weighings: Vec<(StationId, Series, Sequence)>,
    /// When the last tick was closed; none in a new journal.
    pub last_tick: Option<Moment>,
    /// Number of the last tick, 0 in a new journal.
    pub tick_seq: u64,
    /// Whether the stored boot times are of the present boot. If not, they must not be compared with the clock.
    pub same_boot: bool,
    /// Good capsules counted by the machines of the output together since the journal began.
    pub total: Count,
    /// Stops and periods that had not ended, and hours since the asked moment.
    pub past: Past,
}

impl Tick {
    /// A tick of what a tracker learned and what was read for it.
    pub fn new(
        (line, seq, at): (LineId, u64, Moment),
        changes: Changes,
        snapshots: Vec<Snapshot>,
        total: Count,
    ) -> Tick {
        let Changes {
            baselines,
            minutes,
            seconds,
            events,
            states,
            stops,
            rollups,
            weighings,
            orders,
            balance,
            booked_to,
        } = changes;
        let stored =
            |(station, state, raw, since_us)| StoredState { station, state, raw, since_us };
        let states = states.into_iter().map(stored).collect();
        Tick {
            line,
            seq,
            at,
            snapshots,
            baselines,
            minutes,
            seconds,
            events,
            states,
            stops,
            rollups,
            batch_entries: orders,
            notes: Vec::new(),
            balance,
            weighings,
            booked_to,
            total,
        }
    }

    /// Whether the audit trail goes on with it.
    pub(super) fn is_noted(&self) -> bool {
        !self.notes.is_empty() || self.clock_steps().next().is_some()
    }

    /// All that the audit trail says of it.
    pub(super) fn all_notes(&self) -> impl Iterator<Item = Note> {
        let step = |event: &Event| {
            Note::new(&Actor::system(), What::ClockStepped, self.line.as_str())
                .why(event.detail.clone())
        };
        self.notes.iter().cloned().chain(self.clock_steps().map(step))
    }

    fn clock_steps(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.kind == EventKind::Clock)
    }

    /// Takes in the tick that follows, so that both are stored as one: for a tick that came back.
    ///
    /// What happened and what was read is joined in order. What is absolute is taken from the later tick, where it
    /// has it. The number stays, since it is the one that is due.
    pub fn absorb(&mut self, later: Tick) {
        self.at = later.at;
        self.total = later.total;
        self.booked_to = later.booked_to;
        self.snapshots.extend(later.snapshots);
        self.events.extend(later.events);
        self.batch_entries.extend(later.batch_entries);
        self.notes.extend(later.notes);
        self.balance = later.balance.or(self.balance.take());
        supersede(&mut self.baselines, later.baselines, |(tag, _)| tag.clone());
        supersede(&mut self.minutes, later.minutes, |minute| minute.start_us);
        supersede(&mut self.seconds, later.seconds, |seconds| seconds.start_us);
        supersede(&mut self.stops, later.stops, |stop| stop.number);
        supersede(&mut self.rollups, later.rollups, |rollup| (rollup.kind, rollup.start_us));
        supersede(&mut self.weighings, later.weighings, |(station, series, _)| {
            (station.clone(), *series)
        });
        supersede(&mut self.states, later.states, |state| state.station.clone());
    }
}

/// Replaces what has the same key and adds the rest.
fn supersede<T, K: PartialEq>(old: &mut Vec<T>, new: Vec<T>, key: impl Fn(&T) -> K) {
    for item in new {
        match old.iter_mut().find(|old| key(old) == key(&item)) {
            Some(old) => *old = item,
            None => old.push(item),
        }
    }
}
