//! What an odometer leaves for the counters that rise with it.
//!
//! Every pocket of a stroke comes in once, loaded or empty, and every capsule leaves once: as good, as a reject or as a
//! sample. On either side, what the other counters have counted for certain is taken off what is left for one of them.

use super::{Ledger, LineTracker};
use crate::plc_map::Role;
use crate::reading::{Quality, Reading};
use crate::units::Moment;

/// What the counters of one odometer counted at least since one moment, at the way in and at the way out.
#[derive(Clone, Copy)]
pub(super) struct Shares {
    odometer: u16,
    since_us: i64,
    least: [u64; 2],
}

impl LineTracker {
    /// Adds up what the readings of one moment show of the counters that share an odometer.
    pub(super) fn shares(&self, index: usize, readings: &[Reading], at: Moment) -> Option<Shares> {
        let mut shares: Option<Shares> = None;
        for reading in readings {
            let Some((ledger, value)) = self.counted(index, reading) else { continue };
            let (Some(link), Some(newest)) = (ledger.odometer, ledger.counter.newest()) else {
                continue;
            };
            let Some(side) = self.side(ledger) else { continue };
            let shares = shares.get_or_insert(Shares {
                odometer: link.tag,
                since_us: newest.at.mono_us,
                least: [0; 2],
            });
            if shares.odometer == link.tag && shares.since_us == newest.at.mono_us {
                shares.least[side] = shares.least[side].saturating_add(least(ledger, value, at));
            }
        }
        shares
    }

    /// The odometer that was read with a counter, and the least and most that it leaves since the newest sample.
    pub(super) fn bounds(
        &self,
        position: usize,
        value: u64,
        at: Moment,
        shares: Option<Shares>,
    ) -> (Option<u64>, Option<(u64, u64)>) {
        let ledger = &self.ledgers[position];
        let Some(link) = ledger.odometer else { return (None, None) };
        let Some(now) = self.stations[ledger.station].odometer(link.tag) else {
            return (None, None);
        };
        let since = ledger.counter.newest().and_then(|newest| Some((newest, newest.odometer?)));
        let Some((newest, then)) = since else { return (Some(now), None) };
        let t_us = at.mono_us.saturating_sub(newest.at.mono_us);
        let most = link.odometer.most(ledger.counter.settings(), then, now, t_us);
        let beside =
            |shares: &Shares| shares.odometer == link.tag && shares.since_us == newest.at.mono_us;
        let others = shares.filter(beside).zip(self.side(ledger)).map_or(0, |(shares, side)| {
            shares.least[side].saturating_sub(least(ledger, value, at))
        });
        // Others that counted more than all strokes: one of them is wrong, and it is not known which.
        let left = most.map(|most| most.checked_sub(others).unwrap_or(most));
        (Some(now), left.map(|left| (0, left)))
    }

    /// The counter of a reading and its value.
    pub(super) fn counted(&self, index: usize, reading: &Reading) -> Option<(&Ledger, u64)> {
        let station = &self.stations[index];
        let tag = usize::from(reading.tag);
        let position = station.counter_of.get(tag).copied().flatten()?;
        let bits = station.map.tags[tag].encoding.kind.bits();
        let value = reading.value.as_counter(bits).filter(|_| reading.quality != Quality::Bad)?;
        Some((&self.ledgers[position], value))
    }

    /// At which side of the machine a counter counts: the way in, or the way out.
    pub(super) fn side(&self, ledger: &Ledger) -> Option<usize> {
        match self.role(ledger) {
            Role::Infeed | Role::Void => Some(0),
            Role::Good | Role::Reject(_) | Role::Sample => Some(1),
            _ => None,
        }
    }
}

/// What a counter counted for certain since its newest sample if it now shows `value`: nothing if it fell, or jumped, or
/// that sample is in doubt or of another register.
pub(super) fn least(ledger: &Ledger, value: u64, at: Moment) -> u64 {
    let newest = ledger.counter.newest().filter(|newest| newest.believed);
    let Some(newest) = newest.filter(|_| !ledger.counter.is_elsewhere()) else { return 0 };
    let rise = value.saturating_sub(newest.value);
    let t_us = at.mono_us.saturating_sub(newest.at.mono_us);
    if rise <= ledger.counter.settings().most_in(t_us) { rise } else { 0 }
}
