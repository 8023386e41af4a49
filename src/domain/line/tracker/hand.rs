//! What a person orders of a line that is followed: batches opened and closed by hand.

use super::station::Station;
use super::{Ledger, LineTracker};
use crate::line::batch::hand::{Did, Entry, Order, Refusal};
use crate::line::counter::Baseline;
use crate::line::event::EventKind;
use crate::line::rollup::OpenBatch;
use crate::reading::{Outcome, Snapshot};
use crate::units::Moment;

impl LineTracker {
    /// Carries out an order at the last reading: what was counted up to it belongs to the batch before, or to none.
    /// Call it right after a reading of the output, so that this is all that was made when the order was given.
    ///
    /// # Errors
    /// The machine tells its batch itself, or is not read, or the order does not fit to what is open.
    pub fn order(&mut self, order: &Order) -> Result<Entry, Refusal> {
        let silent = |index: &usize| !self.stations[*index].is_up();
        if let Some(index) = self.model.counting.clone().find(silent) {
            return Err(Refusal::NotRead(self.stations[index].map.station.clone()));
        }
        let teller = self.batch_station();
        let station = teller.map.station.clone();
        if teller.tells_batches() && teller.batch.is_none() {
            return Err(Refusal::NotRead(station));
        }
        if let Some(id) = teller.batch.clone().filter(|id| !id.is_empty()) {
            return Err(Refusal::Told { station, id });
        }
        let entry = self.chronicle.order(order, self.booked_to)?;
        let detail = match (entry.did, entry.product.is_empty()) {
            (Did::Closed, _) => format!("closed by hand by {}", entry.by),
            (Did::Opened, true) => format!("opened by hand by {}", entry.by),
            (Did::Opened, false) => {
                format!("opened by hand by {}, product {}", entry.by, entry.product)
            }
        };
        let event = self.batch_station().event(EventKind::Batch, entry.at_us, &entry.id, detail);
        self.events.push(event);
        self.orders.push(entry.clone());
        self.note_events();
        Ok(entry)
    }

    /// Whether a snapshot brings the output of the line.
    pub fn is_output(&self, snapshot: &Snapshot) -> bool {
        let brings = |output: &Ledger| {
            let tag = &self.model.stations[output.station].tags[usize::from(output.tag)];
            usize::from(snapshot.device) == output.station && tag.group == snapshot.group
        };
        matches!(snapshot.outcome, Outcome::Taken(_)) && self.outputs().any(brings)
    }

    /// Whether of machines side by side each was read later than that: all that they had made by then is counted. One
    /// machine alone was, when it brings the output.
    pub fn is_read_since(&self, moment: Moment) -> bool {
        let is_later = |base: Baseline| base.at.mono_us > moment.mono_us;
        let is_read = |output: &Ledger| output.counter.baseline().is_some_and(is_later);
        self.outputs().nth(1).is_none() || self.outputs().all(is_read)
    }

    /// Whether no reading of a counting station waits for the next one to be understood.
    pub fn is_settled(&self) -> bool {
        let counting = &self.model.counting;
        let mut counting = self.ledgers.iter().filter(|l| counting.contains(&l.station));
        counting.all(|ledger| ledger.counter.undecided().is_zero())
    }

    /// The machine whose batches are those of the line.
    pub(super) fn batch_station(&self) -> &Station {
        &self.stations[self.chronicle.batch_station()]
    }

    /// Says so when the machine's own id ended a batch that a person had opened.
    pub(super) fn tell_taken_over(&mut self, before: Option<OpenBatch>, at_us: i64) {
        let Some(before) = before.filter(|before| before.by_hand) else { return };
        let Some(now) = self.chronicle.open_batch().filter(|now| now.id != before.id) else {
            return;
        };
        let detail = format!("told by the machine: ends batch {}, opened by hand", before.id);
        let event = self.batch_station().event(EventKind::Batch, at_us, &now.id, detail);
        self.events.push(event);
    }
}
