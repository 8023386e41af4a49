//! Stops of a line: since when, how long, and for which cause. Every microsecond in which the line does not run belongs
//! to exactly one stop.
//!
//! - A stop is cut where its cause changes between waiting states, and where nobody could see the line: time without
//!   a signal is neither up nor down and is an entry of its own. The cut pieces say so.
//! - An acting state belongs to the stop around it; a stop whose cause nobody told stays with the cause before.
//! - What is planned in the calendar wins over everything, a run and a missing signal included; that something else
//!   lay under it is flagged.
//!
//! Which machine stopped the line is found in [`key_cause`]; what people say about it later is in [`revision`].

pub mod key_cause;
mod log;
pub mod revision;

#[cfg(test)]
mod tests;

use super::state::State;
use crate::units::{Moment, SECOND_US};

pub use log::{Spent, StopLog};

/// Why a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// A cause inside the counting station.
    Internal,
    /// Nothing comes from upstream.
    Starved,
    /// Nothing can go downstream.
    Blocked,
    /// Outside of the machine, and the machine does not tell on which side.
    External,
    /// As planned.
    Planned,
    /// It stands, and nobody said why.
    Unknown,
    /// Not seen: no connection, frozen values, an unknown code, or this service was down.
    NoSignal,
}

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 7] = [
        Cause::Internal,
        Cause::Starved,
        Cause::Blocked,
        Cause::External,
        Cause::Planned,
        Cause::Unknown,
        Cause::NoSignal,
    ];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Internal => "internal",
            Cause::Starved => "starved",
            Cause::Blocked => "blocked",
            Cause::External => "external",
            Cause::Planned => "planned",
            Cause::Unknown => "unknown",
            Cause::NoSignal => "no_signal",
        }
    }

    /// The cause of that word.
    pub fn from_word(word: &str) -> Option<Cause> {
        Cause::ALL.into_iter().find(|cause| cause.word() == word)
    }

    /// Whether it lies outside of the counting station.
    pub fn is_external(self) -> bool {
        matches!(self, Cause::Starved | Cause::Blocked | Cause::External)
    }

    /// Whether the line stood for certain and nobody had planned it.
    pub fn is_unplanned(self) -> bool {
        !matches!(self, Cause::Planned | Cause::NoSignal)
    }
}

/// Remarks on a stop; a small set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// What was before could not be seen: the stop may have begun earlier.
    pub const CUT_BEFORE: Flags = Flags(1);
    /// What came after could not be seen: the stop may have gone on.
    pub const CUT_AFTER: Flags = Flags(1 << 1);
    /// Planned time lies over something else: a run, a breakdown or a missing signal.
    pub const OVERLAP: Flags = Flags(1 << 2);
    /// The wall clock stepped meanwhile: the labels do not give the duration.
    pub const CLOCK_STEP: Flags = Flags(1 << 3);
    /// A state was reached that PackML does not allow from the one before.
    pub const IMPOSSIBLE: Flags = Flags(1 << 4);

    const WORDS: [(Flags, &'static str); 5] = [
        (Flags::CUT_BEFORE, "cut_before"),
        (Flags::CUT_AFTER, "cut_after"),
        (Flags::OVERLAP, "overlap"),
        (Flags::CLOCK_STEP, "clock_step"),
        (Flags::IMPOSSIBLE, "impossible_jump"),
    ];

    /// No remark.
    pub const fn none() -> Flags {
        Flags(0)
    }

    /// Whether all remarks of `other` are among these.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Adds the remarks of `other`.
    pub fn set(&mut self, other: Flags) {
        self.0 |= other.0;
    }

    /// The remarks as words in snake case.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Flags::WORDS.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, word)| word)
    }

    /// The bits, for storage.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The flags of stored bits.
    pub const fn from_bits(bits: u8) -> Flags {
        Flags(bits)
    }
}

/// A line that did not run, for one cause. Both moments are of one boot clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Its number within the line, from 1, in the order of beginning.
    pub number: u64,
    /// The reading that showed it first.
    pub from: Moment,
    /// The reading that showed its end, none while it lasts.
    pub to: Option<Moment>,
    /// Why.
    pub cause: Cause,
    /// The state that says so.
    pub state: State,
    /// Stop reason code as read, none if the machine told none.
    pub reason: Option<i64>,
    /// Which machine it comes from.
    pub key: key_cause::KeyCause,
    /// Remarks.
    pub flags: Flags,
}

impl Stop {
    /// How long it lasted in microseconds of the boot clock, none while it lasts.
    pub fn duration_us(&self) -> Option<i64> {
        self.to.map(|to| to.mono_us - self.from.mono_us)
    }

    /// How much of it lies in a span of UTC microseconds, none while it lasts. One that no border cuts lies in it as long as
    /// it lasted.
    pub fn inside_us(&self, (from_us, to_us): (i64, i64)) -> Option<i64> {
        let (began_us, ended_us) = (self.from.utc_us, self.to?.utc_us);
        if from_us <= began_us && ended_us <= to_us {
            return self.duration_us();
        }
        Some((ended_us.min(to_us) - began_us.max(from_us)).max(0))
    }

    /// Whether it is a micro-stop: unplanned, seen whole, and *shorter* than the limit. A view for people; no KPI
    /// that sums losses may depend on it.
    pub fn is_micro(&self, limit_us: i64) -> bool {
        self.cause.is_unplanned() && self.duration_us().is_some_and(|us| us < limit_us)
    }
}

/// Number and duration of some stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct StopSum {
    /// How many.
    pub n: u64,
    /// How long together, in microseconds.
    pub us: i64,
}

/// The micro-stops among some stops, as long as they lie in a span of UTC microseconds.
pub fn micro_stops(stops: &[Stop], limit_us: i64, span: (i64, i64)) -> StopSum {
    let micro = stops.iter().filter(|stop| stop.is_micro(limit_us));
    micro.fold(StopSum::default(), |sum, stop| StopSum {
        n: sum.n + 1,
        us: sum.us + stop.inside_us(span).unwrap_or_default(),
    })
}

/// Labels and durations of a span differ by more than this only if the wall clock stepped.
const STEP_US: i64 = SECOND_US / 4;

/// Whether the wall clock stepped between two moments.
pub(super) fn stepped(from: Moment, to: Moment) -> bool {
    ((to.utc_us - from.utc_us) - (to.mono_us - from.mono_us)).abs() > STEP_US
}
