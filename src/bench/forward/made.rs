//! The journal of an outage, made up.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::line::event::{Event, EventKind};
use domain::line::state::State;
use domain::line::stop::key_cause::KeyCause;
use domain::line::stop::{Cause, Flags, Stop};
use domain::line::tracker::Changes;
use domain::units::{Count, LineId, MINUTE_US, Moment, SECOND_US, StationId};

use super::{Effort, Progress};
use crate::bench::store::{self, COUNTERS};
use crate::historian::archive::Holding;
use crate::historian::{Historian, Tick};

/// Minutes in a tick while the journal is filled: a tick costs a sync of the disk.
const BITE: i64 = 360;
/// Minutes from one event of a line to the next.
const EVENT_MINUTES: i64 = 2;
/// Minutes from one stop of a line to the next.
const STOP_MINUTES: i64 = 15;

/// What the journal is filled with.
#[derive(Clone, Copy)]
pub(super) struct Made {
    pub(super) effort: Effort,
    pub(super) from_us: i64,
}

impl Made {
    /// The lines.
    pub(super) fn ids(&self) -> Vec<LineId> {
        (1..=self.effort.lines).map(|n| LineId::new(format!("L{n}"))).collect()
    }

    /// The ticks of each line.
    pub(super) fn bites(&self) -> i64 {
        every(BITE, self.effort.minutes)
    }

    /// What the plant database has when the backlog is there.
    pub(super) fn holding(&self) -> Holding {
        let (lines, minutes) = (self.effort.lines as i64, self.effort.minutes);
        let of_all = |step| lines * every(step, minutes);
        Holding {
            edge: String::new(),
            minutes: lines * minutes,
            counts: lines * minutes * COUNTERS as i64,
            events: of_all(EVENT_MINUTES),
            stops: of_all(STOP_MINUTES),
        }
    }

    /// The minutes `[from, to)` of a line in a tick.
    fn bite(&self, line: &LineId, seq: u64, (from, to): (i64, i64)) -> Tick {
        let start_us = |n: i64| self.from_us + n * MINUTE_US;
        let every = |step: i64| (from..to).filter(move |n| n % step == 0);
        let changes = Changes {
            minutes: (from..to).map(|n| store::closed(start_us(n), n as u64 + 1)).collect(),
            events: every(EVENT_MINUTES).map(|n| event(start_us(n))).collect(),
            stops: every(STOP_MINUTES).map(|n| stop(n / STOP_MINUTES + 1, start_us(n))).collect(),
            ..Changes::default()
        };
        tick(line, seq, start_us(to), changes)
    }
}

/// How many of `n` things are the first of a step.
fn every(step: i64, n: i64) -> i64 {
    (n + step - 1) / step
}

fn moment(utc_us: i64) -> Moment {
    Moment { utc_us, mono_us: utc_us }
}

/// A tick of a line in which that happened.
pub(super) fn tick(line: &LineId, seq: u64, at_us: i64, changes: Changes) -> Tick {
    let at = moment(at_us);
    let changes = Changes { booked_to: at, ..changes };
    Tick::new((line.clone(), seq, at), changes, Vec::new(), Count::exact(seq))
}

/// An event as a line has many.
pub(super) fn event(at_us: i64) -> Event {
    Event {
        at_us,
        from_us: None,
        kind: EventKind::State,
        station: Some(StationId::new("CF01")),
        tag: None,
        word: "execute".to_owned(),
        count: None,
        detail: "held for 12 s by the checkweigher".to_owned(),
    }
}

fn stop(number: i64, from_us: i64) -> Stop {
    Stop {
        number: number as u64,
        from: moment(from_us),
        to: Some(moment(from_us + 12 * SECOND_US)),
        cause: Cause::ALL[0],
        state: State::ALL[0],
        reason: Some(7),
        key: KeyCause::Station(StationId::new("CF01")),
        flags: Flags::from_bits(0),
    }
}

/// Fills the journal, line by line within each bite of time, as an outage does.
pub(super) fn fill(
    historian: &Historian,
    made: Made,
    progress: &Progress,
    stop: &AtomicBool,
) -> Result<(), String> {
    let (lines, minutes) = (made.ids(), made.effort.minutes);
    let bites = made.bites();
    let of = bites as u64 * lines.len() as u64;
    for bite in 0..bites {
        let span = (bite * BITE, minutes.min((bite + 1) * BITE));
        for (n, line) in (0..).zip(&lines) {
            if stop.load(Ordering::Relaxed) {
                return Err("interrupted".to_owned());
            }
            let tick = made.bite(line, bite as u64 + 1, span);
            let stored = historian.append(tick).map(|pending| pending.wait());
            match stored {
                Ok(Ok(())) => {
                    progress("filling the journal", bite as u64 * lines.len() as u64 + n, of)
                }
                Ok(Err(refused)) => return Err(refused.error.to_string()),
                // One at a time never fills the queue.
                Err(_) => return Err("the queue of the journal is full".to_owned()),
            }
        }
    }
    Ok(())
}
