//! What a notification does not mention has not changed, as of the moment it was sent. It may come later than that: after a
//! stall several come at once, and a value that the first of them confirms was counted on from long before it came.
//!
//! How late it came is told by the newest device time in it, against the earliest that others came; a sign of life has none.
//! Of these one is sent in half a second at least, so that one that comes sooner after another was sent earlier.

use super::{LineTracker, scaled};
use crate::reading::Reading;
use crate::units::Moment;

/// Something is sent in such a time at least, in microseconds of our own clock.
const SIGN_OF_LIFE_US: i64 = 500_000;

/// When the newest notification of a group came, and how late at most, by how often there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Arrival {
    at_us: Option<i64>,
    late_us: i64,
}

impl Arrival {
    /// One more comes, at least so long after the one before it was sent.
    fn comes(&mut self, at: Moment, apart_us: i64) {
        let passed_us = self.at_us.map_or(0, |at_us| at.mono_us.saturating_sub(at_us));
        self.at_us = Some(at.mono_us);
        self.late_us = self.late_us.saturating_add(passed_us).saturating_sub(apart_us).max(0);
    }
}

impl LineTracker {
    /// A notification confirms the values it does not mention: they had not changed when it was sent.
    pub(super) fn confirm(&mut self, index: usize, group: u16, readings: &[Reading], at: Moment) {
        let sent_us = readings.iter().filter_map(|reading| reading.source_us).max();
        let of_group = usize::from(group);
        let period_us =
            self.stations[index].map.groups.get(of_group).map_or(0, |group| group.period_us);
        let apart_us = scaled(period_us.max(SIGN_OF_LIFE_US), self.model.time_scale);
        let own = self.ledgers.iter().filter(|ledger| ledger.station == index);
        let told_us = own.filter_map(|own| own.counter.would_be_late_us(sent_us?, at)).max();
        let Some(arrival) = self.stations[index].arrivals.get_mut(of_group) else { return };
        arrival.comes(at, apart_us);
        arrival.late_us = told_us.unwrap_or(arrival.late_us);
        let came_late_us = arrival.late_us;
        for position in 0..self.ledgers.len() {
            let ledger = &self.ledgers[position];
            let (station, tag) = (ledger.station, usize::from(ledger.tag));
            let mentioned = || readings.iter().any(|reading| usize::from(reading.tag) == tag);
            if station != index || self.stations[index].map.tags[tag].group != group || mentioned()
            {
                continue;
            }
            let latest_us = ledger.counter.settings().latest_us.max(0);
            if let Some(value) = self.stations[index].held[tag] {
                self.confirmed(position, value, at, came_late_us.min(latest_us));
            }
        }
    }
}
