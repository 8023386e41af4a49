//! Counts of a machine that says it stands. They are kept, for the counter is the truth about capsules; that state and counter
//! contradict each other is said once a standstill.

use super::LineTracker;
use crate::line::event::EventKind;
use crate::line::state::State;
use crate::plc_map::Role;
use crate::units::{Count, Moment, SECOND_US};

/// A machine coasts to rest, and what is inside it runs out, for so long in microseconds.
const COASTS_US: i64 = 30 * SECOND_US;

/// A standstill may count this part of what the machine makes in a minute: a few capsules that were pushed by hand.
const MINUTE_PARTS: u64 = 10;

/// What a machine counted in the standstill that lasts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    /// When it began, by the boot clock in microseconds.
    since_us: i64,
    counted: u64,
    told: bool,
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
    /// Looks at good capsules that were counted from one reading to another: whether their machine said that it stood.
    pub(super) fn counted_at_rest(
        &mut self,
        position: usize,
        (from, to): (Moment, Moment),
        count: Count,
    ) {
        let ledger = &self.ledgers[position];
        if *self.role(ledger) != Role::Good || count.low() == 0 {
            return;
        }
        let station = &mut self.stations[ledger.station];
        let status = station.state_status();
        if !rests(status.state) || from.mono_us - status.since_mono_us < COASTS_US {
            return;
        }
        if station.standing.since_us != status.since_mono_us {
            station.standing = Standing { since_us: status.since_mono_us, ..Standing::default() };
        }
        let standing = &mut station.standing;
        standing.counted = standing.counted.saturating_add(count.low());
        let few = station.map.max_per_minute / MINUTE_PARTS + station.map.step;
        if standing.counted <= few || std::mem::replace(&mut standing.told, true) {
            return;
        }
        let detail = format!(
            "it counted {} capsules in {} s while it said {}: the counts are kept, one of the two is wrong",
            standing.counted,
            (to.mono_us - status.since_mono_us) / SECOND_US,
            status.state.word(),
        );
        let mut event = station.event(EventKind::Alarm, to.utc_us, "counts_at_rest", detail);
        event.tag = Some(ledger.id.clone());
        self.events.push(event);
    }
}
