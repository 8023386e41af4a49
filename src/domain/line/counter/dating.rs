//! When readings were really taken: a poll that took long may be off by half of it, and registers that stood still while the
//! machine went on are as old as the last sign of life of their device.
//!
//! A controller, or a gateway before it, that answers with old values looks fresh. What shows that it is not is the pulse: a
//! heartbeat or an uptime that stands too. When it goes on, the values before may have been taken at any time since its last
//! beat.

use super::Sample;
use crate::units::Moment;

/// A pulse beats once a second; so long without a beat is no pause between two.
const STILL_US: i64 = 2_000_000;

/// What shows that readings are fresh, and since when it stands.
#[derive(Clone, Copy, Debug)]
struct Pulse {
    /// Heartbeat and uptime. One that a sample does not bring has not moved.
    beats: [Option<u64>; 2],
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
    fn age_us(self, at_us: i64) -> i64 {
        at_us.min(self.seen.mono_us).saturating_sub(self.moved.mono_us).max(0)
    }

    /// The last sign of life before the reading of that moment, where the pulse did stand and now goes on.
    fn since(self, at_us: i64) -> Option<Moment> {
        (self.goes_on && self.age_us(at_us) > STILL_US).then_some(self.moved)
    }
}

/// How far the moments of the readings at hand may be off. Not kept over a restart, where seconds pass.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dating {
    /// The base and a held reading together, in microseconds.
    off_us: i64,
    /// The sample at hand, in microseconds.
    sample_off_us: i64,
    pulse: Option<Pulse>,
    /// What the pulse says of the readings before the sample at hand.
    still: Option<Still>,
    /// What it said of those before the held reading.
    held_still: Option<Still>,
}

impl Dating {
    /// A sample comes.
    pub(super) fn begin(&mut self, sample: &Sample) {
        self.sample_off_us = sample.off_us;
    }

    /// It is judged. One that waits adds to what may be off between the base and the next one.
    pub(super) fn end(&mut self, waits: bool) {
        let before_us = if waits { self.off_us } else { 0 };
        self.off_us = before_us.saturating_add(self.sample_off_us);
        (self.sample_off_us, self.still) = (0, None);
    }

    /// Follows the pulse of the device with one more sample.
    pub(super) fn feel(&mut self, sample: &Sample) {
        let beats = [sample.evidence.heartbeat, sample.evidence.uptime_s];
        if beats == [None, None] {
            return;
        }
        let (at, value) = (sample.at, sample.value);
        let Some(old) = self.pulse else {
            self.pulse = Some(Pulse { beats, value, moved: at, seen: at });
            return;
        };
        let kept = [beats[0].or(old.beats[0]), beats[1].or(old.beats[1])];
        let stands = kept == old.beats && old.value == value;
        let moved = if stands { old.moved } else { at };
        self.pulse = Some(Pulse { beats: kept, value, moved, seen: at });
        self.still = Some(Still { moved: old.moved, seen: old.seen, goes_on: !stands });
    }

    /// The sample at hand is held.
    pub(super) fn hold(&mut self) {
        self.held_still = self.still;
    }

    /// The held reading is judged in place of the sample at hand; what is given back is to be set again afterwards.
    pub(super) fn swap_held(&mut self) -> Option<Still> {
        std::mem::replace(&mut self.still, self.held_still)
    }

    /// The sample at hand is judged again.
    pub(super) fn swap_back(&mut self, still: Option<Still>) {
        self.still = still;
    }

    /// By how much older than it says the reading of that moment may be, though no pulse was seen standing for long.
    pub(super) fn age_us(&self, at_us: i64) -> Option<i64> {
        self.still.map(|still| still.age_us(at_us))
    }

    /// The last sign of life before the reading of that moment, where the pulse did stand and now goes on.
    pub(super) fn since(&self, at_us: i64) -> Option<Moment> {
        self.still?.since(at_us)
    }

    /// The last sign of life, where the pulse has been seen standing since for longer than between two beats.
    pub(super) fn stands_since(&self) -> Option<Moment> {
        let pulse = self.pulse?;
        let us = pulse.seen.mono_us.saturating_sub(pulse.moved.mono_us);
        (us > STILL_US).then_some(pulse.moved)
    }

    /// How far the newest reading may be off, in microseconds.
    pub(super) fn off_us(&self) -> i64 {
        self.off_us
    }

    /// How far that and the sample at hand may be off together, in microseconds.
    pub(super) fn both_off_us(&self) -> i64 {
        self.off_us.saturating_add(self.sample_off_us)
    }

    /// By how much more than their moments say the sample at hand may lie from an earlier one, in microseconds: each may be
    /// off, and the earlier one old.
    pub(super) fn slack_us(&self, from: Moment) -> i64 {
        let old_us = match self.since(from.mono_us) {
            Some(_) => self.age_us(from.mono_us).unwrap_or_default(),
            None => 0,
        };
        self.both_off_us().saturating_add(old_us)
    }
}
