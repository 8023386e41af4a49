//! A value of the controller that says how long something lasts: its uptime, the time since a counter was set back. One that
//! leaps as no clock does is torn, or its words are turned round. It proves nothing, and neither does its return.

use crate::units::{Moment, SECOND_US};

/// It counts seconds, tenths or milliseconds, so that a tick of it is no shorter than this, in microseconds.
const TICK_US: u64 = 1_000;

/// So many ticks more than passed are no clock any more.
const LEAP: u64 = 100_000;

/// One that is doubted for so long, in microseconds, is another clock and is believed.
const DOUBTED_US: i64 = 60 * SECOND_US;

/// Such a value as last believed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Elapsed {
    last: Option<(u64, Moment)>,
}

impl Elapsed {
    /// What it showed when it was believed last.
    pub(super) fn told(&self) -> Option<u64> {
        self.last.map(|(value, _)| value)
    }

    /// Takes a value as it was read; gives it back if it can be believed. It may go on or begin anew, but not leap.
    pub(super) fn feel(&mut self, value: u64, at: Moment) -> Option<u64> {
        let leaps = self.last.is_some_and(|(before, then)| {
            let passed_us = at.mono_us.saturating_sub(then.mono_us).max(0);
            let most = LEAP.saturating_add(passed_us.unsigned_abs() / TICK_US);
            let begun = if value < before { 0 } else { before };
            value - begun > most && passed_us <= DOUBTED_US
        });
        if leaps {
            return None;
        }
        self.last = Some((value, at));
        Some(value)
    }
}
