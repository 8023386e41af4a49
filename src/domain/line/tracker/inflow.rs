//! What came into a machine bounds what can have gone out of it.
//!
//! A reject counter of four digits passes its end within a minute and a half at full speed, so that two minutes without a
//! reading leave ten thousand rejects in doubt: its own readings cannot tell. But what goes out came in or was inside,
//! `out ≤ in + inside`, and of that the other counters of the way out have taken their part for certain. The map must say how
//! many can be inside at once; nothing is guessed for it.
//!
//! A way in that a restart of the controller would have set back, and that went on for certain, says that there was none.
//!
//! Sensors miscount: a part in fifty of all that is left for that, and a machine whose counts contradict each other by more
//! than that already bounds nothing. Counters are not read at quite the same moment: for each of them so much is left as can
//! pass meanwhile.

use super::count::least;
use super::{Ledger, LineTracker, scaled};
use crate::line::balance::Difference;
use crate::line::counter::{Cause, Delta, Flags, Newest};
use crate::plc_map::Role;
use crate::reading::Reading;
use crate::units::{Count, Moment, SECOND_US};

/// What sensors may have miscounted together: one capsule of so many.
const MISCOUNTED: u64 = 50;

/// From one poll to the next no counter passes its end unseen; this is only asked after a gap.
const GAP_US: i64 = 2 * SECOND_US;

/// A controller that restarts needs longer than this, so that readings of one shorter poll are all from before or from after.
const BOOT_US: i64 = SECOND_US;

/// Remarks on a count after which it says nothing of other counters.
const VAGUE: Flags = Flags::SATURATED
    .union(Flags::BEYOND_MODULUS)
    .union(Flags::CONTRADICTED)
    .union(Flags::VIOLATION);

/// What the counters of the way in say of one moment, as they are judged one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Came {
    /// Since when; none before the first of them.
    since_us: Option<i64>,
    /// The most that came, in capsules.
    most: u64,
    /// The most that was booked of it: less, where a counter may have been set back unseen.
    booked: u64,
    counters: usize,
    /// One of them may have been set back.
    unsteady: bool,
    /// A restart of the controller sets one of them back.
    volatile: bool,
    /// One of them says nothing for certain, or says it of another time.
    doubtful: bool,
}

/// What can have gone out of a machine since one moment, and what did, in capsules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inflow {
    since_us: i64,
    /// The most that can have gone out; none where that is not known.
    most: Option<u64>,
    /// What all counters of the way out counted at least.
    gone: u64,
    /// Whether the controller ran on.
    ran_on: bool,
}

/// What that says of one counter of the way out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    /// The most that it can have counted; none where that is not known.
    pub most: Option<u64>,
    /// Whether the controller ran on.
    pub ran_on: bool,
}

impl LineTracker {
    /// Adds what a counter of the way in said, `before` being its newest reading before that.
    pub(super) fn came_in(
        &self,
        came: &mut Came,
        position: usize,
        before: Option<Newest>,
        deltas: &[Delta],
        is_sourced: bool,
    ) {
        let ledger = &self.ledgers[position];
        came.counters += 1;
        let (Some(before), [delta]) = (before.filter(|before| before.believed), deltas) else {
            came.doubtful = true;
            return;
        };
        let went_on = matches!(delta.cause, Cause::Step | Cause::Wrap | Cause::Gap);
        // It may have been set back and have caught up: then as much came as can come.
        let unverified = delta.flags.contains(Flags::UNVERIFIED);
        came.unsteady |= !went_on || unverified || !delta.count.is_exact();
        came.volatile |= ledger.counter.settings().retentive == Some(false);
        let from_us = delta.from.mono_us;
        let is_whole = from_us == before.at.mono_us && delta.to.mono_us > from_us;
        let begins_alike = came.since_us.is_none_or(|since_us| since_us == from_us);
        let is_vague = delta.flags.bits() & VAGUE.bits() != 0;
        came.doubtful |= is_vague || !is_whole || !begins_alike;
        came.since_us = Some(from_us);
        let t_us = delta.to.mono_us.saturating_sub(from_us);
        let possible = if unverified { ledger.counter.settings().most_in(t_us) } else { 0 };
        let booked = delta.count.high();
        let most = self.in_capsules(ledger, Count::exact(booked.max(possible))).high();
        let booked = self.in_capsules(ledger, Count::exact(booked)).high();
        came.booked = came.booked.saturating_add(booked);
        came.most = came.most.saturating_add(most).saturating_add(self.apart(ledger, is_sourced));
    }

    /// What readings whose way in is judged leave for the way out: after a gap, and once more, for what waited for the next
    /// reading.
    pub(super) fn inflow(
        &mut self,
        index: usize,
        came: Came,
        readings: &[Reading],
        at: Moment,
    ) -> Option<Inflow> {
        let since_us = came.since_us.filter(|_| !came.doubtful)?;
        let t_us = at.mono_us.saturating_sub(since_us);
        let is_gap = t_us >= scaled(GAP_US, self.model.time_scale);
        let was_gap = std::mem::replace(&mut self.stations[index].came_after_gap, is_gap);
        let map = &self.stations[index].map;
        let ways_in = map.tags.iter().filter(|tag| matches!(tag.role, Role::Infeed)).count();
        if !(is_gap || was_gap) || ways_in != came.counters {
            return None;
        }
        let (mut gone, mut apart) = (0_u64, 0_u64);
        for reading in readings {
            let Some((ledger, value)) = self.counted(index, reading) else { continue };
            if self.side(ledger) == Some(1) {
                apart = apart.saturating_add(self.apart(ledger, reading.source_us.is_some()));
                gone = gone.saturating_add(self.gone(ledger, value, since_us, at));
            }
        }
        let inside = map.flow.inside.filter(|_| self.balances(index, came.booked));
        let most = inside.map(|inside| {
            let most = came.most.saturating_add(inside);
            most.saturating_add(most / MISCOUNTED).saturating_add(apart)
        });
        let ran_on = came.volatile && !came.unsteady && 2 * self.off_us <= BOOT_US;
        Some(Inflow { since_us, most, gone, ran_on })
    }

    /// What that says of a counter, if it is one of the way out and was read when it began.
    pub(super) fn bound(
        &self,
        position: usize,
        value: u64,
        at: Moment,
        inflow: Option<Inflow>,
    ) -> Option<Bound> {
        let ledger = &self.ledgers[position];
        let inflow = inflow.filter(|_| self.side(ledger) == Some(1))?;
        ledger.counter.newest().filter(|newest| newest.at.mono_us == inflow.since_us)?;
        let others = inflow.gone.saturating_sub(self.gone(ledger, value, inflow.since_us, at));
        // Others that counted more than all there was: one of them is wrong, and it is not known which.
        let capsules = inflow.most.and_then(|most| most.checked_sub(others));
        let each = self.in_capsules(ledger, Count::exact(1)).low();
        let most = capsules.and_then(|capsules| capsules.checked_div(each));
        Some(Bound { most, ran_on: inflow.ran_on })
    }

    /// Capsules that a counter of the way out counted for certain since a moment, if it now shows `value`.
    fn gone(&self, ledger: &Ledger, value: u64, since_us: i64, at: Moment) -> u64 {
        let newest = ledger.counter.newest().filter(|newest| newest.at.mono_us == since_us);
        let counts = newest.map_or(0, |_| least(ledger, value, at));
        self.in_capsules(ledger, Count::exact(counts)).low()
    }

    /// The most that a counter can have counted between the moment of a reading and that of what was read beside it, at both
    /// ends of the time, in capsules.
    fn apart(&self, ledger: &Ledger, is_sourced: bool) -> u64 {
        let settings = ledger.counter.settings();
        let late_us = if is_sourced { settings.latest_us.saturating_mul(2) } else { 0 };
        let off_us = self.off_us.saturating_add(ledger.counter.off_us());
        let counts = settings.most_in(off_us.saturating_add(late_us));
        self.in_capsules(ledger, Count::exact(counts)).high()
    }

    fn in_capsules(&self, ledger: &Ledger, counts: Count) -> Count {
        self.model.stations[ledger.station].capsules(ledger.tag, counts)
    }

    /// Whether what a machine counted at its two sides can all be true, before what was `booked` of this gap.
    fn balances(&self, index: usize, booked: u64) -> bool {
        let total = |side: usize| -> Count {
            let of_side = |ledger: &&Ledger| {
                ledger.station == index
                    && self.side(ledger) == Some(side)
                    && !matches!(self.role(ledger), Role::Void)
            };
            let own = self.ledgers.iter().filter(of_side);
            own.map(|ledger| self.total_in_capsules(ledger)).sum()
        };
        let entered = total(0);
        let grown = Difference::of(entered, total(1));
        let inside = i128::from(self.stations[index].map.inside());
        let miscounted = i128::from(entered.high() / MISCOUNTED);
        grown.high - i128::from(booked) >= -inside - miscounted
    }
}
