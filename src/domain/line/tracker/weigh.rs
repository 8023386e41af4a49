//! Weights of the line: records that its machines publish, booked into the minute in which they were seen.

use super::LineTracker;
use crate::line::event::EventKind;
use crate::line::weighing::{Record, Sequence};
use crate::line::weight::{Account, Series, WeightTally};
use crate::reading::Reading;
use crate::units::{Moment, StationId};

impl LineTracker {
    /// Books what readings of one moment bring of weights.
    pub(super) fn weigh(&mut self, index: usize, group: u16, readings: &[Reading], at: Moment) {
        for position in 0..self.stations[index].weighings.len() {
            let reader = &mut self.stations[index].weighings[position];
            if let Some(record) = reader.take(group, readings) {
                let series = reader.series();
                self.account.weigh(at.utc_us, &record.tallies);
                self.tell_record(index, series, &record, at);
            }
        }
    }

    /// Notes for the minute that a machine which weighs is not heard: what it weighs meanwhile may never be seen.
    pub(super) fn weigh_nothing(&mut self, now: Moment) {
        for station in self.stations.iter().filter(|station| !station.is_up()) {
            for reader in &station.weighings {
                self.account.weigh(now.utc_us, &[reader.unheard()]);
            }
        }
    }

    /// The last number taken of each series.
    pub(super) fn weighings(&self) -> Vec<(StationId, Series, Sequence)> {
        let of_station = |station: &super::Station| {
            let id = station.map.station.clone();
            let last = station
                .weighings
                .iter()
                .filter_map(|reader| Some((id.clone(), reader.series(), reader.last()?)));
            last.collect::<Vec<_>>()
        };
        self.stations.iter().flat_map(of_station).collect()
    }

    fn tell_record(&mut self, index: usize, series: Series, record: &Record, at: Moment) {
        let account: Account = record
            .tallies
            .iter()
            .fold(Account::default(), |sum, tally: &WeightTally| sum + tally.account);
        let (word, number) = (series.word(), record.sequence);
        let missed = match record.before {
            _ if account.missed == 0 => None,
            Some(before) => Some(format!(
                "{word} records {} to {} were not seen",
                before + 1,
                number.wrapping_sub(1)
            )),
            None => Some(format!("{word} records begin afresh at {number}")),
        };
        let refused = (account.refused > 0)
            .then(|| format!("left out of {word} record {number}: {}", record.causes));
        for (what, detail) in [("weights_missed", missed), ("weights_refused", refused)] {
            if let Some(detail) = detail {
                let event = self.stations[index].event(EventKind::Alarm, at.utc_us, what, detail);
                self.events.push(event);
            }
        }
    }
}
