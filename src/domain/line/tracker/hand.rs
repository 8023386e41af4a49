//! What a person orders of a line that is followed: batches opened and closed by hand.

use super::LineTracker;
use crate::line::batch::hand::{Did, Entry, Order, Refusal};
use crate::line::event::EventKind;
use crate::line::rollup::OpenBatch;
use crate::reading::{Outcome, Snapshot};

impl LineTracker {
    /// Carries out an order at the last reading: what was counted up to it belongs to the batch before, or to none.
    /// Call it right after a reading of the output, so that this is all that was made when the order was given.
    ///
    /// # Errors
    /// The machine tells its batch itself, or is not read, or the order does not fit to what is open.
    pub fn order(&mut self, order: &Order) -> Result<Entry, Refusal> {
        let counting = &self.stations[self.model.counting];
        let station = counting.map.station.clone();
        if !counting.is_up() || counting.tells_batches() && counting.batch.is_none() {
            return Err(Refusal::NotRead(station));
        }
        if let Some(id) = counting.batch.clone().filter(|id| !id.is_empty()) {
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
        let counting = &self.stations[self.model.counting];
        let event = counting.event(EventKind::Batch, entry.at_us, &entry.id, detail);
        self.events.push(event);
        self.orders.push(entry.clone());
        self.note_events();
        Ok(entry)
    }

    /// Whether a snapshot brings the output of the line.
    pub fn is_output(&self, snapshot: &Snapshot) -> bool {
        let output = self.ledgers.get(self.account.output);
        let group = output
            .map(|output| self.model.stations[output.station].tags[usize::from(output.tag)].group);
        usize::from(snapshot.device) == self.model.counting
            && group == Some(snapshot.group)
            && matches!(snapshot.outcome, Outcome::Taken(_))
    }

    /// Whether no reading of the counting station waits for the next one to be understood.
    pub fn is_settled(&self) -> bool {
        let mut counting = self.ledgers.iter().filter(|l| l.station == self.model.counting);
        counting.all(|ledger| ledger.counter.undecided().is_zero())
    }

    /// Says so when the machine's own id ended a batch that a person had opened.
    pub(super) fn tell_taken_over(&mut self, before: Option<OpenBatch>, at_us: i64) {
        let Some(before) = before.filter(|before| before.by_hand) else { return };
        let Some(now) = self.chronicle.open_batch().filter(|now| now.id != before.id) else {
            return;
        };
        let detail = format!("told by the machine: ends batch {}, opened by hand", before.id);
        let counting = &self.stations[self.model.counting];
        let event = counting.event(EventKind::Batch, at_us, &now.id, detail);
        self.events.push(event);
    }
}
