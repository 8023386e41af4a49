//! What is said of a count: one row for what happened to a counter, none for an ordinary step.

use super::{GAP_AFTER_US, LineTracker};
use crate::line::counter::{Cause, Delta, Flags};
use crate::line::event::{Event, EventKind};
use crate::units::{Count, Moment};

/// A counter that its odometer contradicts with every stroke is told of once in so long, in microseconds.
const CONTRADICTED_EVERY_US: i64 = 3_600_000_000;

/// What was said of a counter and what still may have to be said.
#[derive(Default)]
pub(super) struct Told {
    /// A reading waits for its confirmation since this moment of the boot clock. The next one says what it was, so that
    /// there is something to tell only if none comes.
    waiting: Option<(i64, Event)>,
    /// When it was last said that its odometer contradicts it, in microseconds of the boot clock.
    contradicted_us: Option<i64>,
}

impl LineTracker {
    /// Tells of a delta that was booked: `apart` as a gap, `count` in capsules.
    pub(super) fn tell(
        &mut self,
        position: usize,
        delta: &Delta,
        apart: bool,
        count: Count,
        at: Moment,
    ) {
        let known = self.is_known_contradiction(position, delta, at);
        let told = &mut self.ledgers[position].told;
        if !matches!(delta.cause, Cause::Quarantined | Cause::Duplicate) {
            told.waiting = None;
        }
        let ordinary = delta.is_ordinary() || known;
        if ordinary && !apart || delta.cause == Cause::Gap && delta.count.is_zero() {
            return;
        }
        let ledger = &self.ledgers[position];
        let station = &self.stations[ledger.station];
        let mut event =
            station.event(EventKind::Count, at.utc_us, delta.cause.word(), explain(delta));
        event.tag = Some(ledger.id.clone());
        event.from_us = apart.then_some(delta.from.utc_us);
        event.count = Some(count);
        if delta.cause == Cause::Quarantined {
            self.ledgers[position].told.waiting = Some((at.mono_us, event));
            return;
        }
        self.events.push(event);
        let mut alarm = |word, detail: &str| {
            let mut event = station.event(EventKind::Alarm, at.utc_us, word, detail.into());
            event.tag = Some(ledger.id.clone());
            self.events.push(event);
        };
        if delta.flags.contains(Flags::VIOLATION) {
            alarm("conservation", "the counts of this segment do not add up to its value");
        }
        if delta.flags.contains(Flags::CONTRADICTED) {
            alarm(
                "contradicted",
                "it counted more than its odometer allows: either one count of the odometer is more capsules than the \
                 map says, or the two do not move in the same moment",
            );
            self.ledgers[position].told.contradicted_us = Some(at.mono_us);
        }
    }

    /// Whether a step has nothing to tell but that the odometer contradicts it, which was said not long ago.
    fn is_known_contradiction(&self, position: usize, delta: &Delta, at: Moment) -> bool {
        let said_us = self.ledgers[position].told.contradicted_us;
        let known = said_us.is_some_and(|said_us| at.mono_us - said_us < CONTRADICTED_EVERY_US);
        let flags = Flags::CONTRADICTED.union(Flags::AFTER_MISS).union(Flags::UNVERIFIED);
        known
            && delta.cause == Cause::Step
            && delta.count.is_exact()
            && delta.flags.contains(Flags::CONTRADICTED)
            && flags.contains(delta.flags)
    }

    /// Tells of readings that have waited for their confirmation for too long.
    pub(super) fn tell_waiting(&mut self, now: Moment) {
        let longest_us = (GAP_AFTER_US as f64 * self.model.time_scale.max(1.0)) as i64;
        for ledger in &mut self.ledgers {
            let due = |(since_us, _): &mut (i64, Event)| now.mono_us - *since_us > longest_us;
            if let Some((_, event)) = ledger.told.waiting.take_if(due) {
                self.events.push(event);
            }
        }
    }
}

/// The doubt of a delta in sentences.
fn explain(delta: &Delta) -> String {
    let hypotheses = delta.hypotheses.iter().flat_map(|list| list.iter());
    let mut sentences: Vec<String> =
        hypotheses.map(|h| format!("{} {}: {}", h.cause.word(), h.count, h.why)).collect();
    let flags: Vec<&str> = delta.flags.words().collect();
    if !flags.is_empty() {
        sentences.push(flags.join(", "));
    }
    sentences.join("; ")
}
