//! A line that goes on under another configuration: what is not touched goes on as if nothing had happened.

use std::sync::Arc;

use super::group::Group;
use super::station::Station;
use super::stop::OpenStop;
use super::tell::Told;
use super::{Ledger, LineModel, LineTracker, carry, layout};
use crate::line::counter::{Baseline, Counter};
use crate::plc_map::PlcMap;
use crate::units::{Moment, StationId, TagId};

/// What is known of a line that goes on under another model.
#[derive(Clone, Debug, Default)]
pub struct Onward {
    /// Stations whose devices were read on without a break: their counters and links go on untouched.
    pub untouched: Vec<StationId>,
    /// Baselines that the journal holds, for counters that the line had before and has again.
    pub baselines: Vec<(TagId, Baseline)>,
    /// Whether the boot clock of these is the present one.
    pub same_boot: bool,
}

impl LineTracker {
    /// Goes on under another model. Nothing that was counted is lost: counters whose device was not read for a moment count
    /// on with the next reading, one that is read from another register begins a segment there, and one that was renamed
    /// in its place goes on under its new name. Until that reading, `now` is the moment up to which the line was followed.
    pub fn change(&mut self, model: LineModel, onward: &Onward, now: Moment) {
        let output = self.model.output();
        let mut old_stations: Vec<Option<Station>> =
            std::mem::take(&mut self.stations).into_iter().map(Some).collect();
        let old_maps = std::mem::replace(&mut self.model, model).stations;
        let mut before: Vec<Option<Ledger>> =
            std::mem::take(&mut self.ledgers).into_iter().map(Some).collect();
        let (mut stations, mut ledgers) = (Vec::new(), Vec::new());
        for (at, map) in self.model.stations.iter().enumerate() {
            let old_at = old_maps.iter().position(|old| old.station == map.station);
            let untouched = onward.untouched.contains(&map.station);
            let old = old_at.and_then(|old| old_stations[old].take());
            let mut station = match old {
                Some(mut old) if untouched => {
                    old.map = map.clone();
                    old
                }
                old => {
                    let mut new = Station::new(map.clone(), now, self.model.time_scale);
                    if let Some(old) = old {
                        new.go_on_from(&old);
                    }
                    new
                }
            };
            station.counter_of = vec![None; map.tags.len()];
            let old_map = old_at.map(|old| (old, &old_maps[old]));
            for tag in 0..map.tags.len() {
                let Some(settings) = map.tags[tag].counter else { continue };
                let found = old_map.and_then(|old| find(&before, old, map, tag));
                let found = found.and_then(|found| before[found].take());
                let settings = carry::timed(settings, map, tag as u16, self.model.time_scale);
                let id = map.tags[tag].id.clone();
                let (counter, told) = match found {
                    Some(ledger) if untouched => (ledger.counter, ledger.told),
                    Some(Ledger { mut counter, .. }) => {
                        let steady = old_map.is_some_and(|(_, old)| old.tells_like(map));
                        counter.change(settings, steady);
                        (counter, Told::default())
                    }
                    None => {
                        let stored = onward.baselines.iter().find(|(stored, _)| *stored == id);
                        let counter = stored.map_or_else(
                            || Counter::new(settings),
                            |(_, baseline)| {
                                carry::resumed(settings, *baseline, onward.same_boot, now)
                            },
                        );
                        (counter, Told::default())
                    }
                };
                station.counter_of[tag] = Some(ledgers.len());
                let (tag, odometer) = (tag as u16, map.tags[tag].odometer);
                ledgers.push(Ledger { station: at, tag, id, counter, odometer, told });
            }
            stations.push(station);
        }
        (self.stations, self.ledgers) = (stations, ledgers);
        let keys: Vec<_> =
            self.ledgers.iter().map(|ledger| carry::key(&self.model, ledger)).collect();
        self.chronicle.change(layout(&self.model), now);
        debug_assert_eq!(keys, self.chronicle.keys(), "a count is booked by its position in both");
        self.account.change(keys, carry::outputs(&self.model, &self.ledgers));
        self.group = Group::new(&self.model, &self.stations, (now.utc_us, now));
        if self.model.output() != output {
            self.stop = OpenStop::resume(&self.model, &self.stations, None);
        } else if let Some(stop) = &mut self.stop {
            // The same machine may stand elsewhere in the line now.
            let name = &old_maps[stop.station].station;
            let now_at =
                self.model.counting.clone().find(|i| self.model.stations[*i].station == *name);
            stop.station = now_at.unwrap_or(self.model.counting.start);
        }
    }

    /// Up to when the line was followed.
    pub fn followed_to(&self) -> Moment {
        self.booked_to
    }
}

/// The ledger that goes on as this tag: of the same name, else the one that is read from the same place for the same
/// purpose under a name that the map has no more.
fn find(
    ledgers: &[Option<Ledger>],
    (old_at, old_map): (usize, &Arc<PlcMap>),
    map: &PlcMap,
    tag: usize,
) -> Option<usize> {
    let wanted = &map.tags[tag];
    let of_station = |ledger: &&Ledger| ledger.station == old_at;
    let position = |fits: &dyn Fn(&Ledger) -> bool| {
        ledgers.iter().position(|ledger| ledger.as_ref().filter(of_station).is_some_and(fits))
    };
    position(&|ledger| ledger.id == wanted.id).or_else(|| {
        let mark = map.mapping(tag as u16);
        position(&|ledger| {
            let gone = map.tags.iter().all(|tag| tag.id != ledger.id);
            let old = &old_map.tags[usize::from(ledger.tag)];
            gone && old.role == wanted.role && old_map.mapping(ledger.tag) == mark
        })
    })
}
