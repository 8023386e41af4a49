//! The log of stops: spans of the line in, stops out.

use super::key_cause::KeyCause;
use super::{Cause, Flags, Stop, stepped};
use crate::line::state::{State, TimeClass};
use crate::line::transition::{is_acting, is_possible, is_running_up};
use crate::units::{Moment, SECOND_US};

/// A machine may tell the reason of a standstill so much later than its state: the two are not read in one request.
const REASON_LATE_US: i64 = SECOND_US;

/// How the line spent the time between two moments, by the machine that decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// From here; the end of the span before.
    pub from: Moment,
    /// To here.
    pub to: Moment,
    /// In this state, unknown where it could not be seen.
    pub state: State,
    /// Starved or blocked, where the machine tells.
    pub side: Option<Cause>,
    /// Stop reason code as read.
    pub reason: Option<i64>,
    /// Whether the calendar had planned that nothing is made.
    pub planned: bool,
}

impl Spent {
    /// What the time counts as: the calendar wins over the machine.
    pub fn class(&self) -> TimeClass {
        if self.planned { TimeClass::Planned } else { self.state.time_class() }
    }

    /// Why the line did not run, none while it ran.
    pub fn cause(&self) -> Option<Cause> {
        match self.class() {
            TimeClass::Run => None,
            TimeClass::Internal => Some(Cause::Internal),
            TimeClass::External => Some(self.side.unwrap_or(Cause::External)),
            TimeClass::Planned => Some(Cause::Planned),
            TimeClass::Idle => Some(Cause::Unknown),
            TimeClass::Unknown => Some(Cause::NoSignal),
        }
    }

    /// Whether planned time lies over something else.
    pub fn overlaps(&self) -> bool {
        self.planned && self.state.time_class() != TimeClass::Planned
    }
}

/// The stops of a line.
#[derive(Clone, Debug)]
pub struct StopLog {
    next_number: u64,
    open: Option<Open>,
    /// Whether the time before could be seen.
    seen_before: bool,
    state: State,
    changed: Vec<Stop>,
}

#[derive(Clone, Debug)]
struct Open {
    stop: Stop,
    /// Its cause was told by a waiting state, not only by one on the way.
    decided: bool,
    by_calendar: bool,
    /// Since when it stands again after a start, with the reason that was told before it: another may follow.
    again: Option<Moment>,
}

impl StopLog {
    /// A log that goes on after the stop of that number, 0 for none. What was before could not be seen.
    pub fn after(last_number: u64) -> StopLog {
        StopLog {
            next_number: last_number + 1,
            open: None,
            seen_before: false,
            state: State::Unknown,
            changed: Vec::new(),
        }
    }

    /// Goes on with a stop that had not ended when it was stored.
    pub fn resume(open: Stop) -> StopLog {
        let state = open.state;
        let by_calendar = open.flags.contains(Flags::OVERLAP);
        StopLog {
            next_number: open.number + 1,
            open: Some(Open { stop: open, decided: true, by_calendar, again: None }),
            seen_before: true,
            state,
            changed: Vec::new(),
        }
    }

    /// The stop that lasts.
    pub fn open(&self) -> Option<&Stop> {
        self.open.as_ref().map(|open| &open.stop)
    }

    /// Sets the machine that the open stop comes from.
    pub fn blame(&mut self, key: KeyCause) {
        if let Some(open) = &mut self.open
            && open.stop.key != key
        {
            open.stop.key = key;
            self.changed.push(open.stop.clone());
        }
    }

    /// Takes the next span; spans follow each other without a hole. A stop for a cause inside the machine that ended
    /// with it, if any: a failure.
    pub fn follow(&mut self, spent: &Spent) -> Option<Moment> {
        let cause = spent.cause();
        let jump = !is_possible(self.state, spent.state);
        let came_from = std::mem::replace(&mut self.state, spent.state);
        let failed = match (&mut self.open, cause) {
            (None, None) => None,
            (Some(_), None) => self.end(spent.from, cause),
            (None, Some(cause)) => {
                self.begin(cause, spent);
                None
            }
            (Some(open), Some(cause)) => {
                let again = open.stands_again(spent, came_from);
                let told_late = open.tells_another(spent);
                if told_late == Some(open.stop.from) {
                    (open.stop.reason, open.again) = (spent.reason, None);
                    self.changed.push(open.stop.clone());
                }
                if let Some(from) = told_late.filter(|from| *from != open.stop.from) {
                    let failed = self.end(from, Some(cause));
                    self.begin(cause, &Spent { from, ..*spent });
                    failed
                } else if let Some(changed) = open.takes(cause, spent, came_from) {
                    open.again = again;
                    if changed {
                        self.changed.push(open.stop.clone());
                    }
                    None
                } else {
                    let failed = self.end(spent.from, Some(cause));
                    self.begin(cause, spent);
                    if let Some(open) = &mut self.open {
                        open.again = again;
                    }
                    failed
                }
            }
        };
        self.seen_before = cause != Some(Cause::NoSignal);
        if jump && let Some(open) = &mut self.open {
            open.stop.flags.set(Flags::IMPOSSIBLE);
            self.changed.push(open.stop.clone());
        }
        failed
    }

    fn begin(&mut self, cause: Cause, spent: &Spent) {
        let mut flags = Flags::none();
        if !self.seen_before && cause != Cause::NoSignal {
            flags.set(Flags::CUT_BEFORE);
        }
        if spent.overlaps() {
            flags.set(Flags::OVERLAP);
        }
        let stop = Stop {
            number: self.next_number,
            from: spent.from,
            to: None,
            cause,
            state: spent.state,
            reason: spent.reason,
            key: KeyCause::None,
            flags,
        };
        self.next_number += 1;
        self.changed.push(stop.clone());
        let decided = spent.planned || !is_acting(spent.state);
        self.open = Some(Open { stop, decided, by_calendar: spent.planned, again: None });
    }

    /// Ends the open stop. When it began, if it was a failure: one that goes on after a lost connection is none anew.
    fn end(&mut self, at: Moment, after: Option<Cause>) -> Option<Moment> {
        let Open { mut stop, .. } = self.open.take()?;
        stop.to = Some(at);
        if after == Some(Cause::NoSignal) && stop.cause != Cause::NoSignal {
            stop.flags.set(Flags::CUT_AFTER);
        }
        if stepped(stop.from, at) {
            stop.flags.set(Flags::CLOCK_STEP);
        }
        let failure = stop.cause == Cause::Internal && !stop.flags.contains(Flags::CUT_BEFORE);
        let began = failure.then_some(stop.from);
        self.changed.push(stop);
        began
    }

    /// Cuts the open stop at a moment, as if nobody saw the line from there on. For a restart of the service.
    pub fn cut(&mut self, at: Moment) -> Option<Moment> {
        let failed = self.end(at, Some(Cause::NoSignal));
        self.seen_before = false;
        self.state = State::Unknown;
        failed
    }

    /// Stops that changed since the last call, absolute and in order; the last of several forms of one stop holds.
    pub fn take(&mut self) -> Vec<Stop> {
        let mut stops: Vec<Stop> = Vec::new();
        for stop in self.changed.drain(..) {
            match stops.iter_mut().find(|other| other.number == stop.number) {
                Some(other) => *other = stop,
                None => stops.push(stop),
            }
        }
        stops
    }
}

impl Open {
    /// Whether the machine was started after this stop and stands again for another reason, before it ran: what it says now
    /// is no part of what was mended. For the same reason the start did not help, and the stop goes on.
    fn fails_to_start(&self, spent: &Spent, came_from: State) -> bool {
        let another = self.stop.reason.zip(spent.reason).is_some_and(|(old, new)| old != new);
        another && is_running_up(came_from) && !is_acting(spent.state)
    }

    /// Since when the machine stands again after a start, as long as its reason is the one of before: it may not have been
    /// read since.
    fn stands_again(&self, spent: &Spent, came_from: State) -> Option<Moment> {
        if is_acting(spent.state) || spent.reason.is_none() || spent.reason != self.stop.reason {
            return None;
        }
        if is_running_up(came_from) { Some(spent.from) } else { self.again }
    }

    /// Since when the machine stands for the reason that it tells only now: it had been started, and its state was read before
    /// its reason.
    fn tells_another(&self, spent: &Spent) -> Option<Moment> {
        let since = self.again?;
        let late_us = spent.from.mono_us.saturating_sub(since.mono_us);
        let another = self.stop.reason.zip(spent.reason).is_some_and(|(old, new)| old != new);
        let goes_on = !is_acting(spent.state) && self.by_calendar == spent.planned;
        (another && goes_on && late_us <= REASON_LATE_US).then_some(since)
    }

    /// Whether the stop goes on through a span after one in `came_from`, and if so, whether it changed by it.
    fn takes(&mut self, cause: Cause, spent: &Spent, came_from: State) -> Option<bool> {
        if self.by_calendar != spent.planned || self.fails_to_start(spent, came_from) {
            return None;
        }
        let stop = &mut self.stop;
        let seen = stop.cause != Cause::NoSignal && cause != Cause::NoSignal;
        let acting = is_acting(spent.state) && seen && !spent.planned;
        let unexplained = cause == Cause::Unknown && stop.cause.is_unplanned();
        let changed = match cause == stop.cause {
            true => false,
            false if acting => return Some(false),
            false if !self.decided && seen => {
                (stop.cause, stop.state) = (cause, spent.state);
                true
            }
            false if unexplained => return Some(false),
            false if cause.is_external() && stop.cause == Cause::External => {
                stop.cause = cause;
                true
            }
            false if cause == Cause::External && stop.cause.is_external() => false,
            false => return None,
        };
        self.decided |= !is_acting(spent.state);
        let told = stop.reason.is_none() && spent.reason.is_some();
        if told {
            stop.reason = spent.reason;
        }
        let overlap = spent.overlaps() && !stop.flags.contains(Flags::OVERLAP);
        if overlap {
            stop.flags.set(Flags::OVERLAP);
        }
        Some(changed || told || overlap)
    }
}
