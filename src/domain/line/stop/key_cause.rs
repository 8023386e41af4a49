//! Which machine stopped the line: the first one, seen from the counting station, that left production for a cause of
//! its own shortly before the counting station was starved or blocked.

use std::collections::VecDeque;
use std::ops::Range;

use super::Cause;
use crate::line::state::{State, TimeClass};
use crate::units::{Moment, SECOND_US, StationId};

/// Standstills remembered for each station: enough for the longest lag at a stop every few seconds.
const REMEMBERED: usize = 64;

/// Two devices are not read at the same moment: a cause may be seen so much later than its effect.
const SKEW_US: i64 = 2 * SECOND_US;

/// Where a stop comes from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum KeyCause {
    /// Nobody is to be looked for: planned, or not seen.
    #[default]
    None,
    /// This machine stopped the line; for an internal stop the counting station itself.
    Station(StationId),
    /// Not to be decided. These machines were not running, or could not be seen, nearest first.
    Undecided(Vec<StationId>),
}

/// How far the stations of a line lie from its counting station, in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Positions of the counting stations, which stand side by side. Never empty.
    pub counting: Range<usize>,
    /// For each station its name and the longest time after which its standing reaches the counting station: transport and
    /// buffer, in microseconds.
    pub stations: Vec<(StationId, i64)>,
}

/// A time in which a station did not run.
#[derive(Clone, Copy, Debug)]
struct Standstill {
    from: Moment,
    class: TimeClass,
}

/// The recent past of all stations of a line.
#[derive(Clone, Debug)]
pub struct Watch {
    chain: Chain,
    stations: Vec<Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    class: TimeClass,
    stood: VecDeque<Standstill>,
}

impl Watch {
    /// Stations of which nothing was seen yet.
    pub fn new(chain: Chain) -> Watch {
        let unseen = Seen { class: TimeClass::Unknown, stood: VecDeque::new() };
        Watch { stations: vec![unseen; chain.stations.len()], chain }
    }

    /// Goes on with another chain: what was seen of a station that stays is kept.
    pub fn change(&mut self, chain: Chain) {
        let old = std::mem::replace(self, Watch::new(chain));
        for (seen, (name, _)) in self.stations.iter_mut().zip(&self.chain.stations) {
            let known = old.chain.stations.iter().position(|(old, _)| old == name);
            if let Some(known) = known {
                seen.clone_from(&old.stations[known]);
            }
        }
    }

    /// Notes the state of a station.
    pub fn note(&mut self, station: usize, state: State, at: Moment) {
        let Some(seen) = self.stations.get_mut(station) else { return };
        let class = state.time_class();
        if class == seen.class {
            return;
        }
        seen.class = class;
        if class != TimeClass::Run {
            seen.stood.push_back(Standstill { from: at, class });
            if seen.stood.len() > REMEMBERED {
                seen.stood.pop_front();
            }
        }
    }

    /// Which machine made this counting station stand since `at` for this cause. One beside it is neither before nor
    /// behind it.
    pub fn key(&self, counting: usize, cause: Cause, at: Moment) -> KeyCause {
        let beside = &self.chain.counting;
        let upstream: Vec<usize> = (0..beside.start).rev().collect();
        let downstream: Vec<usize> = (beside.end..self.stations.len()).collect();
        match cause {
            Cause::Internal => KeyCause::Station(self.name(counting)),
            Cause::Planned | Cause::NoSignal => KeyCause::None,
            Cause::Starved => self.search(&[upstream], at),
            Cause::Blocked => self.search(&[downstream], at),
            Cause::External => self.search(&[upstream, downstream], at),
            Cause::Unknown => KeyCause::Undecided(vec![self.name(counting)]),
        }
    }

    /// The nearest machine of each side that fits. Two of them, one on either side, are no answer.
    fn search(&self, sides: &[Vec<usize>], at: Moment) -> KeyCause {
        let fits = |side: &Vec<usize>| side.iter().copied().find(|i| self.left(*i, at));
        let found: Vec<usize> = sides.iter().filter_map(fits).collect();
        match found[..] {
            [station] => KeyCause::Station(self.name(station)),
            [] => {
                let stands = |i: &usize| self.stations[*i].class != TimeClass::Run;
                let standing = sides.iter().flatten().copied().filter(stands);
                KeyCause::Undecided(standing.map(|i| self.name(i)).collect())
            }
            _ => KeyCause::Undecided(found.into_iter().map(|i| self.name(i)).collect()),
        }
    }

    fn name(&self, station: usize) -> StationId {
        self.chain.stations[station].0.clone()
    }

    /// Whether a station left production for a cause of its own, within its lag before `at`.
    fn left(&self, station: usize, at: Moment) -> bool {
        let earliest_us = at.mono_us.saturating_sub(self.chain.stations[station].1);
        let latest_us = at.mono_us.saturating_add(SKEW_US);
        self.stations[station].stood.iter().any(|stood| {
            stood.class == TimeClass::Internal
                && (earliest_us..=latest_us).contains(&stood.from.mono_us)
        })
    }

    /// Whether a cause may still be seen for a stop that began at `at`.
    pub fn is_open(&self, at: Moment, now: Moment) -> bool {
        now.mono_us.saturating_sub(at.mono_us) <= SKEW_US
    }
}
