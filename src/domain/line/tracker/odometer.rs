//! What an odometer leaves for the counters that rise with it.
//!
//! Every pocket of a stroke comes in once, loaded or empty, and every capsule leaves once: as good, as a reject or as a
//! sample. On either side, what the other counters have counted for certain is taken off what is left for one of them.

use super::LineTracker;
use super::count::least;
use crate::reading::Reading;
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
}
