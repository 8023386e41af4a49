//! What is not read at the moment: what it may have counted meanwhile, and since when.

use super::{Ledger, LineTracker, carry};
use crate::line::minute::Tally;
use crate::line::rollup::Unread;
use crate::units::{Count, HOUR_US, Moment, StationId};

/// An hour or a shift that is over waits so long for what a silent machine has made meanwhile.
const WAITS_US: i64 = 24 * HOUR_US;

impl LineTracker {
    /// What a counter that is not read at the moment may have counted beyond what is booked of it: since its newest reading,
    /// and up to that one if it waits to be decided.
    pub(super) fn unread(&self, ledger: &Ledger, now: Moment) -> Count {
        let station = &self.stations[ledger.station];
        if station.reads(ledger, now) {
            return Count::ZERO;
        }
        let unread = ledger.counter.unseen(now) + ledger.counter.undecided();
        station.map.capsules(ledger.tag, unread)
    }

    /// The total of a counter of the output with all that may be made beyond it: what waits to be decided is in it once.
    pub(super) fn whole(&self, ledger: &Ledger, now: Moment) -> Count {
        let read = self.stations[ledger.station].reads(ledger, now);
        self.total_in_capsules(ledger)
            + if read { Count::ZERO } else { self.unseen_of(ledger, now) }
    }

    /// What a counter may have counted since its newest reading.
    fn unseen_of(&self, ledger: &Ledger, now: Moment) -> Count {
        self.model.stations[ledger.station].capsules(ledger.tag, ledger.counter.unseen(now))
    }

    /// What all counters that are not read may have counted, each since its own last reading.
    pub(super) fn all_unread(&self, now: Moment) -> Vec<Unread> {
        let unread = self.ledgers.iter().map(|ledger| self.unread_of(ledger, now));
        unread.filter(|unread| !unread.tally.count.is_zero()).collect()
    }

    /// What one counter may have counted, and since when.
    fn unread_of(&self, ledger: &Ledger, now: Moment) -> Unread {
        let (station, counted) = carry::key(&self.model, ledger);
        // Of a counter that was never read nothing can be missing.
        let known_to = ledger.counter.known_to();
        let since_us = known_to.map_or(i64::MAX, |at| now.utc_us - (now.mono_us - at.mono_us));
        Unread { tally: Tally { station, counted, count: self.unread(ledger, now) }, since_us }
    }

    /// What a counter may have counted before a moment.
    pub(super) fn unread_before(&self, ledger: &Ledger, end_us: i64, now: Moment) -> Count {
        let unread = self.unread_of(ledger, now);
        if unread.is_before(Some(end_us)) { unread.tally.count } else { Count::ZERO }
    }

    /// Closes hours and shifts that ended by then. What of them is not read by now never will be told apart: they keep it as
    /// a doubt.
    pub(super) fn close_periods(&mut self, until_us: i64, now: Moment) {
        let (ledgers, stations) = (&self.ledgers, &self.stations);
        self.chronicle.close_until(until_us, |counter, span| {
            ledgers.get(counter).map_or(Count::ZERO, |ledger| {
                let station = &stations[ledger.station];
                let read = station.reads(ledger, now);
                let us = if read { 0 } else { unknown_us(ledger, span, now) };
                match us > 0 {
                    true => station.map.capsules(ledger.tag, ledger.counter.may_count(us)),
                    false => Count::ZERO,
                }
            })
        });
    }

    /// The same of the output of the line.
    pub(super) fn output_unread(&self, now: Moment) -> Count {
        self.of_outputs(|position| self.unread(&self.ledgers[position], now))
    }

    /// Since when it is not known what a counter that is not read has counted, in UTC microseconds; now where there is none.
    /// Nobody waits longer than [`WAITS_US`] for a machine that may be gone for good.
    pub(super) fn unread_since_us(&self, now: Moment) -> i64 {
        let silent =
            self.ledgers.iter().filter(|ledger| !self.stations[ledger.station].reads(ledger, now));
        let unread = silent
            .filter_map(|ledger| Some(now.mono_us - ledger.counter.known_to()?.mono_us))
            .filter(|us| *us <= WAITS_US);
        now.utc_us - unread.max().unwrap_or(0)
    }

    /// Good capsules that the counting machines among `silent` may have made from their last reading until `now` and that
    /// are in no count yet.
    pub fn unseen(&self, silent: &[StationId], now: Moment) -> Count {
        let is_silent =
            |ledger: &&Ledger| silent.contains(&self.model.stations[ledger.station].station);
        self.outputs().filter(is_silent).map(|ledger| self.unseen_of(ledger, now)).sum()
    }
}

/// How much of a span of UTC, in microseconds, lies behind the last reading that told what a counter had counted.
fn unknown_us(ledger: &Ledger, (start_us, end_us): (i64, i64), now: Moment) -> i64 {
    // Of a counter that was never read nothing can be missing.
    let Some(known_to) = ledger.counter.known_to() else { return 0 };
    let since_us = now.utc_us - (now.mono_us - known_to.mono_us);
    (end_us - start_us.max(since_us)).max(0)
}
