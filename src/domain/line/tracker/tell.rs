//! What is said of a count: one row for what happened to a counter, none for an ordinary step.

use super::{GAP_AFTER_US, LineTracker, scaled};
use crate::line::counter::{Cause, Delta, Flags};
use crate::line::event::{Event, EventKind};
use crate::units::{Count, MINUTE_US, Moment};

/// What is wrong with a counter at every reading, as an odometer that contradicts it or a map that does not fit, is told once
/// in so long, in microseconds.
const SAID_FOR_US: i64 = 3_600_000_000;

/// So many jumps with no ordinary step between them are those of a register that is no counter.
const MISFIT_JUMPS: u8 = 5;

/// A jump that comes so long after the one before begins a new row of them, in microseconds of real time: a counter that is
/// preset once a shift is one.
const JUMPS_WITHIN_US: i64 = MINUTE_US;

/// What was said of a counter and what still may have to be said.
#[derive(Default)]
pub(super) struct Told {
    /// A reading waits for its confirmation since this moment of the boot clock. The next one says what it was, so that
    /// there is something to tell only if none comes.
    waiting: Option<(i64, Event)>,
    /// When it was last said that its odometer contradicts it, in microseconds of the boot clock.
    contradicted_us: Option<i64>,
    /// The most that it counted at once for certain.
    largest: u64,
    /// How often it jumped in a row as no counter does, since its last ordinary step.
    jumps: u8,
    /// When it jumped last, in microseconds of the boot clock.
    jumped_us: i64,
    /// When it was last said that its map does not fit.
    misfit_us: Option<i64>,
}

impl Told {
    /// Notes what a delta shows of the register itself. True if it is to be said now that it is no counter. `within_us` is the
    /// longest time between two jumps in a row.
    fn feel(&mut self, delta: &Delta, at: Moment, within_us: i64) -> bool {
        if jumps(delta) {
            let in_row = self.jumps > 0 && at.mono_us - self.jumped_us <= within_us;
            self.jumps = if in_row { self.jumps.saturating_add(1) } else { 1 };
            self.jumped_us = at.mono_us;
        } else if delta.cause == Cause::Step && delta.count.is_exact() && !delta.count.is_zero() {
            self.largest = self.largest.max(delta.count.best());
            self.jumps = 0;
        }
        self.is_misfit() && !is_said(self.misfit_us, at)
    }

    /// Whether it is no counter as far as is known. One ordinary step shows that it is one again.
    fn is_misfit(&self) -> bool {
        self.jumps >= MISFIT_JUMPS
    }
}

/// Whether something was said not long ago.
fn is_said(said_us: Option<i64>, at: Moment) -> bool {
    said_us.is_some_and(|said_us| at.mono_us - said_us < SAID_FOR_US)
}

/// Whether a delta is what no counter does: its value is another one, or cannot be.
fn jumps(delta: &Delta) -> bool {
    matches!(delta.cause, Cause::Preset | Cause::Torn)
        || delta.flags.contains(Flags::BEYOND_MODULUS)
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
        let contradicted = delta.flags.contains(Flags::CONTRADICTED);
        let said = contradicted && self.is_contradiction_said(position, at);
        let within_us = scaled(JUMPS_WITHIN_US, self.model.time_scale);
        let told = &mut self.ledgers[position].told;
        if !matches!(delta.cause, Cause::Quarantined | Cause::Duplicate) {
            told.waiting = None;
        }
        let misfit = told.feel(delta, at, within_us);
        let jumps = jumps(delta) || delta.cause == Cause::Quarantined;
        let known = said && is_plain_contradiction(delta) || jumps && told.is_misfit() && !misfit;
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
        if delta.flags.contains(Flags::VIOLATION) {
            self.alarm(
                position,
                "conservation",
                "the counts of this segment do not add up to its value",
                at,
            );
        }
        if misfit {
            self.ledgers[position].told.misfit_us = Some(at.mono_us);
            self.alarm(
                position,
                "misfit",
                "its values jump as those of no counter: the register, its width or the order of its words in the map \
                 may be wrong",
                at,
            );
        }
        if contradicted && !said {
            let position = self.dominant(position);
            self.ledgers[position].told.contradicted_us = Some(at.mono_us);
            self.alarm(
                position,
                "contradicted",
                "it counted more than its odometer allows: either one count of the odometer is more capsules than the \
                 map says, or the two do not move in the same moment",
                at,
            );
        }
    }

    fn alarm(&mut self, position: usize, word: &str, detail: &str, at: Moment) {
        let ledger = &self.ledgers[position];
        let station = &self.stations[ledger.station];
        let mut event = station.event(EventKind::Alarm, at.utc_us, word, detail.into());
        event.tag = Some(ledger.id.clone());
        self.events.push(event);
    }

    /// Counters that share what an odometer leaves: of its side of the machine.
    fn sharing(&self, position: usize) -> impl Iterator<Item = usize> {
        let shared = |at: usize| {
            let ledger = &self.ledgers[at];
            let odometer = ledger.odometer.map(|link| link.tag);
            (ledger.station, odometer, self.side(ledger))
        };
        let of = shared(position);
        (0..self.ledgers.len())
            .filter(move |&at| at == position || of.1.is_some() && shared(at) == of)
    }

    /// The one of the counters that share an odometer which is accused when they count more than it allows together: the
    /// one that counts most at once. One capsule of a reject that comes with a good capsule too many is not the culprit.
    fn dominant(&self, position: usize) -> usize {
        let largest = |at: &usize| (self.ledgers[*at].told.largest, *at == position);
        self.sharing(position).max_by_key(largest).unwrap_or(position)
    }

    /// Whether it was said not long ago of a counter, or of one that shares its odometer, that this contradicts it.
    fn is_contradiction_said(&self, position: usize, at: Moment) -> bool {
        self.sharing(position).any(|other| is_said(self.ledgers[other].told.contradicted_us, at))
    }

    /// Tells of readings that have waited for their confirmation for too long.
    pub(super) fn tell_waiting(&mut self, now: Moment) {
        let longest_us = scaled(GAP_AFTER_US, self.model.time_scale);
        for ledger in &mut self.ledgers {
            let due = |(since_us, _): &mut (i64, Event)| now.mono_us - *since_us > longest_us;
            if let Some((_, event)) = ledger.told.waiting.take_if(due) {
                self.events.push(event);
            }
        }
    }
}

/// Whether a step has nothing to tell but that the odometer contradicts it.
fn is_plain_contradiction(delta: &Delta) -> bool {
    let flags = Flags::CONTRADICTED.union(Flags::AFTER_MISS).union(Flags::UNVERIFIED);
    delta.cause == Cause::Step && delta.count.is_exact() && flags.contains(delta.flags)
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
