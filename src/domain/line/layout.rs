//! What a line is: its machines in the order of the capsules, which of them count, their counters, the sections that can be
//! balanced and how far the machines lie apart. What happens on it is in [`chronicle`](super::chronicle).

use std::ops::Range;
use std::sync::Arc;

use super::balance::{Difference, Outlet, Section};
use super::calendar::Calendar;
use super::minute::Counted;
use super::stop::key_cause::Chain;
use crate::plc_map::{PlcMap, Role, Tag};
use crate::units::{Count, MINUTE_US, StationId, TagId};

/// A counter of the line: station by position, its name, and what it counts.
#[derive(Clone, Debug)]
pub struct CounterKey {
    /// Position of the station.
    pub station: usize,
    /// Tag.
    pub tag: TagId,
    /// What it counts.
    pub counted: Counted,
}

/// What is to be known of a line.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Its shifts and planned stops.
    pub calendar: Calendar,
    /// Its machines in the order of the capsules.
    pub stations: Vec<Arc<PlcMap>>,
    /// Positions of the counting stations: one, or several side by side. Never empty.
    pub counting: Range<usize>,
    /// Its counters.
    pub counters: Vec<CounterKey>,
}

impl Layout {
    /// The layout of a line: its counters in the order of its machines and their maps.
    pub fn new(calendar: Calendar, stations: Vec<Arc<PlcMap>>, counting: Range<usize>) -> Layout {
        let of_station = |(station, map): (usize, &Arc<PlcMap>)| {
            let counts = map.tags.iter().filter(|tag| tag.counter.is_some());
            let key = |tag: &Tag| CounterKey {
                station,
                tag: tag.id.clone(),
                counted: counted(&tag.role),
            };
            counts.map(key).collect::<Vec<_>>()
        };
        let counters = stations.iter().enumerate().flat_map(of_station).collect();
        Layout { calendar, stations, counting, counters }
    }

    /// Position of the machine whose batches are those of the line: the first of those that count which tells its batch,
    /// else the first.
    pub fn batch_station(&self) -> usize {
        let tells = |station: &usize| self.stations[*station].position(&Role::BatchId).is_some();
        self.counting.clone().find(tells).unwrap_or(self.counting.start)
    }

    /// What the place of a machine in the line is called: its name, with those of the machines side by side with it.
    pub fn place(&self, station: usize) -> String {
        let names = match self.counting.contains(&station) {
            true => &self.stations[self.counting.clone()],
            false => &self.stations[station..=station],
        };
        names.iter().map(|map| map.station.as_str()).collect::<Vec<_>>().join(" + ")
    }

    /// The machine of a section, or the two between which it lies.
    pub fn places(&self, section: &Section) -> Vec<String> {
        let (first, last) = section.stations;
        match last == first {
            true => vec![self.stations[first].station.to_string()],
            false => vec![self.place(first), self.place(last)],
        }
    }

    /// Its counters by the names of their stations.
    pub(super) fn keys(&self) -> Vec<(StationId, Counted)> {
        let name =
            |key: &CounterKey| (self.stations[key.station].station.clone(), key.counted.clone());
        self.counters.iter().map(name).collect()
    }
}

/// What a counter of this role counts.
pub fn counted(role: &Role) -> Counted {
    match role {
        Role::Infeed => Counted::Infeed,
        Role::Good => Counted::Good,
        Role::Reject(reason) => Counted::Reject(reason.clone()),
        Role::Sample => Counted::Sample,
        _ => Counted::Void,
    }
}

/// Of some sections those whose counts contradict each other, by the names of their places. `count` is what a counter of the
/// line counted; none where that is not known: then nothing is said of its section.
pub fn unbalanced<'a>(
    layout: &Layout,
    sections: impl IntoIterator<Item = &'a Section>,
    count: impl Fn(usize) -> Option<Count>,
) -> Vec<Vec<String>> {
    let contradicts = |section: &&Section| {
        let went_in: Option<Count> = section.inlets.iter().map(|inlet| count(*inlet)).sum();
        let came_out: Option<Count> =
            section.outlets.iter().map(|outlet| count(outlet.counter)).sum();
        let grown = went_in.zip(came_out).map(|(inside, out)| Difference::of(inside, out));
        grown.is_some_and(|grown| !section.closes(&grown))
    };
    sections.into_iter().filter(contradicts).map(|section| layout.places(section)).collect()
}

/// The machines that can be balanced, and the ways between them. Machines side by side are each a section; the way from
/// them to the next machine is one, and so is the way to them.
///
/// A machine that counts neither what enters nor what it passes on, as a metal detector does, is a part of the way on
/// which it lies: what it rejects leaves the line there.
pub fn sections(layout: &Layout) -> Vec<Section> {
    let find = |station: usize, wanted: &Counted| {
        layout.counters.iter().position(|key| key.station == station && key.counted == *wanted)
    };
    let mut sections = Vec::new();
    let mut before: Option<Way> = None;
    let mut next = 0;
    while let Some(map) = layout.stations.get(next) {
        // One machine, or all that stand side by side.
        let (first, end) = match layout.counting.contains(&next) {
            true => (next, layout.counting.end),
            false => (next, next + 1),
        };
        next = end;
        let leaves = |station: usize| -> Vec<usize> {
            let leaves = |(_, key): &(usize, &CounterKey)| {
                let out = matches!(key.counted, Counted::Reject(_) | Counted::Sample);
                key.station == station && out
            };
            layout.counters.iter().enumerate().filter(leaves).map(|(i, _)| i).collect()
        };
        // All of them must count, or nobody knows what went by.
        let all = |counted: &Counted| -> Option<Vec<usize>> {
            (first..end).map(|station| find(station, counted)).collect()
        };
        let (infeeds, goods) = (all(&Counted::Infeed), all(&Counted::Good));
        let others = leaves(first);
        if let (None, None, false) = (&infeeds, &goods, others.is_empty()) {
            if let Some(way) = &mut before {
                way.leaves.extend(others);
                way.capacity =
                    way.capacity.saturating_add(map.inside()).saturating_add(map.after());
            }
            continue;
        }
        for station in first..end {
            let counts = (find(station, &Counted::Infeed), find(station, &Counted::Good));
            let (Some(inlet), Some(good)) = counts else { continue };
            let outlets = std::iter::once(good).chain(leaves(station)).map(Outlet::capsules);
            let (stations, outlets) = ((station, station), outlets.collect());
            let capacity = layout.stations[station].inside();
            sections.push(Section { stations, inlets: vec![inlet], outlets, capacity });
        }
        if let (Some(Way { from, inlets, leaves, capacity }), Some(infeeds)) = (before, infeeds) {
            let outlets = infeeds.into_iter().chain(leaves).map(Outlet::capsules).collect();
            sections.push(Section { stations: (from, first), inlets, outlets, capacity });
        }
        // Behind a machine that does not count its good capsules nobody knows what was on the way.
        let room = layout.stations[first..end].iter().map(|map| map.after());
        before = goods.map(|inlets| Way {
            from: first,
            inlets,
            leaves: Vec::new(),
            capacity: room.fold(0, u64::saturating_add),
        });
    }
    sections
}

/// The way from a machine, or from several side by side, to the next one that counts.
struct Way {
    from: usize,
    inlets: Vec<usize>,
    /// Counters of what leaves the line on it.
    leaves: Vec<usize>,
    capacity: u64,
}

/// How long a standstill takes to reach the counting station: what can lie between, at the slower of the rates.
pub(super) fn chain(layout: &Layout) -> Chain {
    let lag_us = |station: usize| {
        // From the nearest of those side by side: one of these is not on the way of another.
        let counting = station.clamp(layout.counting.start, layout.counting.end.max(1) - 1);
        let (low, high) = (station.min(counting), station.max(counting));
        let between = (low..high).map(|i| {
            let (map, next) = (&layout.stations[i], &layout.stations[i + 1]);
            let capsules = map.after().saturating_add(map.inside()).saturating_add(next.inside());
            let per_minute = map.max_per_minute.min(next.max_per_minute).max(1);
            let us = u128::from(capsules) * MINUTE_US as u128 / u128::from(per_minute);
            i64::try_from(us).unwrap_or(i64::MAX)
        });
        between.fold(0i64, i64::saturating_add)
    };
    let stations = layout.stations.iter().enumerate();
    let stations = stations.map(|(i, map)| (map.station.clone(), lag_us(i))).collect();
    Chain { counting: layout.counting.clone(), stations }
}
