//! Counts of a machine that says it stands. They are kept, for the counter is the truth about capsules; that state and counter
//! contradict each other is said once a standstill.

use super::LineTracker;
use crate::line::counter::{Cause, Delta, Flags};
use crate::line::event::EventKind;
use crate::line::state::State;
use crate::plc_map::Role;
use crate::units::{Count, MINUTE_US, Moment, SECOND_US};

/// A machine coasts to rest, and what is inside it runs out, for so long in microseconds.
const COASTS_US: i64 = 30 * SECOND_US;

/// A standstill may count this part of what the machine makes in a minute: a few capsules that were pushed by hand.
const MINUTE_PARTS: u64 = 10;

/// What a machine counted in the standstill that lasts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AtRest {
    /// When it began, by the boot clock in microseconds.
    since_us: i64,
    counted: u64,
    /// Counted since the state was read last, and from when to when: it counts if the state is the same at the next reading.
    waiting: Option<(Moment, Moment, u64)>,
    told: bool,
}

impl AtRest {
    /// Adds what was counted from one moment to another. `read` is from when to when the state was read.
    fn add(&mut self, (from, to): (Moment, Moment), counted: u64, read: (Moment, Moment)) {
        let (since_us, until_us) = (read.0.mono_us, read.1.mono_us);
        let confirmed = |(_, to, _): &mut (Moment, Moment, u64)| to.mono_us <= until_us;
        if let Some((from, _, counted)) = self.waiting.take_if(confirmed)
            && since_us <= from.mono_us
        {
            self.counted = self.counted.saturating_add(counted);
        }
        match self.waiting {
            _ if from.mono_us < since_us => {}
            Some((first, _, more)) => {
                self.waiting = Some((first, to, more.saturating_add(counted)))
            }
            None if until_us < to.mono_us => self.waiting = Some((from, to, counted)),
            None => self.counted = self.counted.saturating_add(counted),
        }
    }
}

/// Whether a machine in this state makes nothing at all. One that is set up, cleaned or driven by hand may.
fn rests(state: State) -> bool {
    matches!(
        state,
        State::Stopped
            | State::Idle
            | State::Suspended
            | State::Aborted
            | State::Held
            | State::Complete
    )
}

impl LineTracker {
    /// Looks at good capsules that were counted from one reading to another: whether their machine said that it stood. What was
    /// counted while nobody saw the machine proves nothing: it may have run and stopped again.
    pub(super) fn counted_at_rest(&mut self, position: usize, delta: &Delta, count: Count) {
        let ledger = &self.ledgers[position];
        if count.low() == 0 || *self.role(ledger) != Role::Good {
            return;
        }
        let station = &mut self.stations[ledger.station];
        let (state, since) = (station.state(), station.since());
        let coasts = delta.from.mono_us - since.mono_us < COASTS_US;
        if !rests(state) || coasts || !was_seen(delta) {
            return;
        }
        let tag = station.map.position(&Role::State);
        let group = tag.and_then(|tag| station.group(tag).copied());
        let Some((group, read)) = group.and_then(|group| Some((group, group.read?))) else {
            return;
        };
        if station.at_rest.since_us != since.mono_us {
            station.at_rest = AtRest { since_us: since.mono_us, ..AtRest::default() };
        }
        let at_rest = &mut station.at_rest;
        at_rest.add((delta.from, delta.to), count.low(), read);
        // Between two readings of the state it may have run for a moment, too.
        let moment = station.map.max_per_minute * group.period_us.unsigned_abs() / MINUTE_US as u64;
        let few = station.map.max_per_minute / MINUTE_PARTS + station.map.step + moment;
        if at_rest.counted <= few || std::mem::replace(&mut at_rest.told, true) {
            return;
        }
        let detail = format!(
            "it counted {} capsules in {} s while it said {}: the counts are kept, one of the two is wrong",
            at_rest.counted,
            (delta.to.mono_us - since.mono_us) / SECOND_US,
            state.word(),
        );
        let mut event = station.event(EventKind::Alarm, delta.to.utc_us, "counts_at_rest", detail);
        event.tag = Some(ledger.id.clone());
        self.events.push(event);
    }
}

/// Whether no poll is missing between the two readings of a delta.
fn was_seen(delta: &Delta) -> bool {
    let unseen = [Flags::AFTER_MISS, Flags::RESUMED];
    delta.cause != Cause::Gap && !unseen.iter().any(|flag| delta.flags.contains(*flag))
}
