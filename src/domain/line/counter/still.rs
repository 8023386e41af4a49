//! Registers that stood still while the machine went on: a controller, or a gateway before it, that answers with old values.
//!
//! Such readings look fresh. What shows that they are not is the pulse: a heartbeat or an uptime that stands too. When it
//! goes on, the values before may have been taken at any time since its last beat.

use super::{Counter, Sample};
use crate::units::Moment;

/// A pulse beats once a second; so long without a beat is no pause between two.
const STILL_US: i64 = 2_000_000;

/// What shows that readings are fresh, and since when it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pulse {
    beat: u64,
    /// A value that moves is fresh, even if the heartbeat is stuck.
    value: u64,
    moved: Moment,
    /// When it was last seen, the same.
    seen: Moment,
}

/// What the pulse says of the readings before one: from when to when none of them showed a sign of life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Still {
    moved: Moment,
    seen: Moment,
    /// This reading shows one.
    goes_on: bool,
}

impl Still {
    /// By how much older than it says the reading of that moment may be, in microseconds.
    pub(super) fn age_us(&self, at_us: i64) -> i64 {
        at_us.min(self.seen.mono_us).saturating_sub(self.moved.mono_us).max(0)
    }

    /// The last sign of life before the reading of that moment, where the pulse did stand and now goes on.
    pub(super) fn since(&self, at_us: i64) -> Option<Moment> {
        (self.goes_on && self.age_us(at_us) > STILL_US).then_some(self.moved)
    }
}

impl Counter {
    /// Follows the pulse of the device with one more sample. None without one.
    pub(super) fn feel(&mut self, sample: &Sample) -> Option<Still> {
        let beat = sample.evidence.heartbeat.or(sample.evidence.uptime_s)?;
        let (at, value) = (sample.at, sample.value);
        let old = self.pulse.replace(Pulse { beat, value, moved: at, seen: at })?;
        let stands = old.beat == beat && old.value == value;
        if stands {
            self.pulse = Some(Pulse { seen: at, ..old });
        }
        Some(Still { moved: old.moved, seen: old.seen, goes_on: !stands })
    }

    /// By how much older than it says the reading of that moment may be, now that the pulse goes on after it stood.
    pub(super) fn old_us(&self, at_us: i64) -> i64 {
        let still = self.still.filter(|still| still.since(at_us).is_some());
        still.map_or(0, |still| still.age_us(at_us))
    }
}
