//! Orders of people to a line. Each waits for the next reading of the output, so that all that was made before it was
//! given is counted before it; and it is answered when the tick that holds it is durable.

use std::collections::VecDeque;
use std::time::Duration;

use domain::audit::{Actor, Note, What};
use domain::line::batch::hand::{Did, Entry, Order, Refusal};
use domain::line::tracker::LineTracker;
use domain::units::{LineId, Moment};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Where the answer to an order goes.
pub(super) type Reply = oneshot::Sender<Result<Entry, Refusal>>;

/// How long an order waits for a reading. A device that reports only what changes may stay silent while it stands; one
/// that is lost is known to be by then.
const PATIENCE: Duration = Duration::from_secs(3);

/// Orders between a person and the journal.
#[derive(Default)]
pub(super) struct Orders {
    waiting: VecDeque<Waiting>,
    /// Carried out, in no tick yet.
    made: Vec<(Reply, Entry, Actor)>,
    /// In the tick that is on its way.
    sent: Vec<(Reply, Entry, Actor)>,
}

struct Waiting {
    order: Order,
    by: Actor,
    given: Moment,
    until: Instant,
    reply: Reply,
}

impl Orders {
    /// Takes an order of somebody.
    pub(super) fn give(&mut self, (order, by): (Order, Actor), given: Moment, reply: Reply) {
        let until = Instant::now() + PATIENCE;
        self.waiting.push_back(Waiting { order, by, given, until, reply });
    }

    /// Carries out the next order after a reading of the output that was taken later than it was given; of machines side by
    /// side, after one of each. No reading carries out two: batches that begin in the same moment could not be told apart.
    pub(super) fn read(&mut self, tracker: &mut LineTracker, taken_at: Moment) {
        let due = |waiting: &Waiting| taken_at.mono_us > waiting.given.mono_us;
        let read = |waiting: &Waiting| tracker.is_read_since(waiting.given);
        let next = self.waiting.front().filter(|waiting| due(waiting) && read(waiting));
        if next.is_some() && tracker.is_settled() {
            self.carry_out(tracker);
        }
    }

    /// Waits no longer for a reading that does not come.
    pub(super) fn check(&mut self, tracker: &mut LineTracker) {
        while self.waiting.front().is_some_and(|waiting| Instant::now() >= waiting.until) {
            self.carry_out(tracker);
        }
    }

    fn carry_out(&mut self, tracker: &mut LineTracker) {
        let Some(Waiting { order, by, reply, .. }) = self.waiting.pop_front() else { return };
        match tracker.order(&order) {
            Ok(entry) => self.made.push((reply, entry, by)),
            // Who asked may have gone; then nobody wants the answer.
            Err(refusal) => drop(reply.send(Err(refusal))),
        }
    }

    /// What was carried out is in a tick now; what the audit trail says of it in the same tick.
    pub(super) fn sail(&mut self, line: &LineId) -> Vec<Note> {
        let notes = self.made.iter().map(|(_, entry, by)| note(line, entry, by)).collect();
        self.sent.append(&mut self.made);
        notes
    }

    /// The tick is stored: what is in it is promised.
    pub(super) fn stored(&mut self) {
        for (reply, entry, _) in self.sent.drain(..) {
            drop(reply.send(Ok(entry)));
        }
    }

    /// Nothing is carried out any more.
    pub(super) fn end(&mut self) {
        for waiting in self.waiting.drain(..) {
            drop(waiting.reply.send(Err(Refusal::Stopping)));
        }
    }
}

fn note(line: &LineId, entry: &Entry, by: &Actor) -> Note {
    let what = match entry.did {
        Did::Opened => What::BatchOpened,
        Did::Closed => What::BatchClosed,
    };
    let product =
        if entry.product.is_empty() { String::new() } else { format!(", {}", entry.product) };
    Note::new(by, what, line.as_str()).change("", format!("{}{product}", entry.id))
}
