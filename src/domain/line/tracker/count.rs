//! From readings to counts: each value of a counter is judged by its ledger, and what that says is booked. And the totals.

use super::inflow::{Came, Inflow};
use super::odometer::Shares;
use super::{GAP_AFTER_US, Ledger, LineTracker, scaled};
use crate::line::counter::{Cause, Delta, Sample};
use crate::line::rollup::Booking;
use crate::plc_map::Role;
use crate::reading::{Quality, Reading};
use crate::units::{Count, Moment};

/// What was read at the same moment and bounds a counter.
#[derive(Clone, Copy, Default)]
struct Beside {
    /// What counters of one odometer share.
    shares: Option<Shares>,
    /// What came into the machine since.
    inflow: Option<Inflow>,
    /// How much earlier than it came it may have been sent, in microseconds.
    late_us: i64,
}

impl LineTracker {
    /// Judges and books what readings of one moment say of the counters of a station: the way in first, which bounds what
    /// the way out can have counted.
    pub(super) fn count(&mut self, index: usize, readings: &[Reading], at: Moment) {
        let shares = self.shares(index, readings, at);
        let mut beside = Beside { shares, ..Beside::default() };
        let mut came = Came::default();
        for way_in in [true, false] {
            for reading in readings {
                let station = &mut self.stations[index];
                let tag = usize::from(reading.tag);
                let Some(Some(ledger)) = station.counter_of.get(tag).copied() else { continue };
                if matches!(station.map.tags[tag].role, Role::Infeed) != way_in {
                    continue;
                }
                let bits = station.map.tags[tag].encoding.kind.bits();
                let value =
                    reading.value.as_counter(bits).filter(|_| reading.quality != Quality::Bad);
                station.held[tag] = value;
                match value {
                    Some(value) => {
                        let came = way_in.then_some(&mut came);
                        self.sample(ledger, (value, reading.source_us), at, beside, came);
                    }
                    None => self.ledgers[ledger].counter.missed(),
                }
            }
            if way_in {
                beside.inflow = self.inflow(index, came, readings, at);
            }
        }
    }

    /// A value still holds, as of a moment that may be so much earlier.
    pub(super) fn confirmed(&mut self, position: usize, value: u64, at: Moment, late_us: i64) {
        let beside = Beside { late_us, ..Beside::default() };
        self.sample(position, (value, None), at, beside, None);
    }

    fn sample(
        &mut self,
        position: usize,
        (value, source_us): (u64, Option<i64>),
        at: Moment,
        beside: Beside,
        came: Option<&mut Came>,
    ) {
        let mut evidence = self.stations[self.ledgers[position].station].evidence();
        (evidence.odometer, evidence.bounds) = self.bounds(position, value, at, beside.shares);
        if let Some(bound) = self.bound(position, value, at, beside.inflow) {
            evidence.ran_on = bound.ran_on;
            let (low, high) = evidence.bounds.unwrap_or((0, u64::MAX));
            evidence.bounds = bound.most.map(|most| (low, high.min(most))).or(evidence.bounds);
        }
        let mut deltas = std::mem::take(&mut self.deltas);
        let counter = &mut self.ledgers[position].counter;
        let before = counter.newest().filter(|_| came.is_some());
        let off_us = self.off_us.saturating_add(beside.late_us);
        counter.sample(&Sample { at, off_us, source_us, value, evidence }, &mut deltas);
        if let Some(came) = came {
            self.came_in(came, position, before, &deltas, source_us.is_some());
        }
        for delta in deltas.drain(..) {
            self.book(position, &delta, at);
        }
        self.deltas = deltas;
    }

    /// Books a delta into minutes, or as a gap, and says so where it was not an ordinary step.
    fn book(&mut self, position: usize, delta: &Delta, at: Moment) {
        let longest_us = scaled(GAP_AFTER_US, self.model.time_scale);
        let apart = delta.to.mono_us - delta.from.mono_us > longest_us && !delta.count.is_zero();
        let ledger = &self.ledgers[position];
        let count = self.model.stations[ledger.station].capsules(ledger.tag, delta.count);
        if !apart {
            self.account.book(position, delta.from, delta.to, count);
        }
        let resets = ledger.station == self.chronicle.batch_station()
            && ledger.counter.settings().resets.batch;
        let reset = resets && delta.cause == Cause::Reset;
        if reset {
            self.chronicle.reset(delta.to);
        }
        let (from, to) = (delta.from, delta.to);
        self.counted_at_rest(position, delta, count);
        self.chronicle.count(&Booking { counter: position, from, to, count, gap: apart, reset });
        self.tell(position, delta, apart, count, at);
    }

    /// The counter of a reading and its value.
    pub(super) fn counted(&self, index: usize, reading: &Reading) -> Option<(&Ledger, u64)> {
        let station = &self.stations[index];
        let tag = usize::from(reading.tag);
        let position = station.counter_of.get(tag).copied().flatten()?;
        let bits = station.map.tags[tag].encoding.kind.bits();
        let value = reading.value.as_counter(bits).filter(|_| reading.quality != Quality::Bad)?;
        Some((&self.ledgers[position], value))
    }

    /// At which side of the machine a counter counts: the way in, or the way out.
    pub(super) fn side(&self, ledger: &Ledger) -> Option<usize> {
        match self.role(ledger) {
            Role::Infeed | Role::Void => Some(0),
            Role::Good | Role::Reject(_) | Role::Sample => Some(1),
            _ => None,
        }
    }

    /// Good capsules counted since the journal began, with what an undecided reading may still add.
    pub fn total(&self) -> Count {
        self.outputs().map(|ledger| self.total_in_capsules(ledger)).sum()
    }

    /// The same of one counter.
    pub(super) fn total_in_capsules(&self, ledger: &Ledger) -> Count {
        let counts = ledger.counter.total() + ledger.counter.undecided();
        self.model.stations[ledger.station].capsules(ledger.tag, counts)
    }

    /// The counters that together are the output of the line.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &Ledger> {
        self.account.outputs.iter().filter_map(|position| self.ledgers.get(*position))
    }

    /// What a counter counts.
    pub(super) fn role(&self, ledger: &Ledger) -> &Role {
        &self.model.stations[ledger.station].tags[usize::from(ledger.tag)].role
    }

    /// Total of any counter of the line since the journal began.
    #[cfg(test)]
    pub(crate) fn total_of(&self, tag: &crate::units::TagId) -> Option<Count> {
        self.ledgers.iter().find(|ledger| ledger.id == *tag).map(|ledger| ledger.counter.total())
    }
}

/// What a counter counted for certain since its newest sample if it now shows `value`: nothing if it fell, or jumped, or
/// that sample is in doubt or of another register.
pub(super) fn least(ledger: &Ledger, value: u64, at: Moment) -> u64 {
    let newest = ledger.counter.newest().filter(|newest| newest.believed);
    let Some(newest) = newest.filter(|_| !ledger.counter.is_elsewhere()) else { return 0 };
    let rise = value.saturating_sub(newest.value);
    let t_us = at.mono_us.saturating_sub(newest.at.mono_us);
    if rise <= ledger.counter.settings().most_in(t_us) { rise } else { 0 }
}
