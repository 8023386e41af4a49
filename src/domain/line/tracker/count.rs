//! From readings to counts: each value of a counter is judged by its ledger, and what that says is booked. And the totals.

use super::odometer::Shares;
use super::{GAP_AFTER_US, Ledger, LineTracker, scaled};
use crate::line::counter::{Cause, Delta, Sample};
use crate::line::rollup::Booking;
use crate::plc_map::Role;
use crate::reading::{Quality, Reading};
use crate::units::{Count, Moment};

impl LineTracker {
    /// Judges and books what readings of one moment say of the counters of a station.
    pub(super) fn count(&mut self, index: usize, readings: &[Reading], at: Moment) {
        let shares = self.shares(index, readings);
        for reading in readings {
            let station = &mut self.stations[index];
            let tag = usize::from(reading.tag);
            let Some(Some(ledger)) = station.counter_of.get(tag).copied() else { continue };
            let bits = station.map.tags[tag].encoding.kind.bits();
            let value = reading.value.as_counter(bits).filter(|_| reading.quality != Quality::Bad);
            station.held[tag] = value;
            match value {
                Some(value) => self.sample(ledger, value, reading.source_us, at, shares),
                None => self.ledgers[ledger].counter.missed(),
            }
        }
    }

    /// A notification confirms the values it does not mention: they have not changed.
    pub(super) fn confirm(&mut self, index: usize, group: u16, readings: &[Reading], at: Moment) {
        for position in 0..self.ledgers.len() {
            let ledger = &self.ledgers[position];
            let (station, tag) = (ledger.station, usize::from(ledger.tag));
            let mentioned = || readings.iter().any(|reading| usize::from(reading.tag) == tag);
            if station != index || self.stations[index].map.tags[tag].group != group || mentioned()
            {
                continue;
            }
            if let Some(value) = self.stations[index].held[tag] {
                self.sample(position, value, None, at, None);
            }
        }
    }

    fn sample(
        &mut self,
        position: usize,
        value: u64,
        source_us: Option<i64>,
        at: Moment,
        shares: Option<Shares>,
    ) {
        let mut evidence = self.stations[self.ledgers[position].station].evidence();
        (evidence.odometer, evidence.bounds) = self.bounds(position, value, at, shares);
        let mut deltas = std::mem::take(&mut self.deltas);
        let counter = &mut self.ledgers[position].counter;
        let off_us = self.off_us;
        counter.sample(&Sample { at, off_us, source_us, value, evidence }, &mut deltas);
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
