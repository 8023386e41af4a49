//! What makes the output of a line: one machine, or several side by side that are one line together.
//!
//! - **Counts.** What the line made is the sum of what its machines made, as intervals: a doubt of one is a doubt of the
//!   line.
//! - **State.** Nothing is known of the line while one of them is not seen. Else it runs while at least one of them runs,
//!   and when none does, it stands since the last of them stopped, in that one's state and for that one's reason.
//! - **Loss.** A machine that stands while another runs costs speed, not time: the line runs on, slower. So that nobody
//!   misses it, it is an event of its own, `part_stop`, where it is unplanned and longer than a micro-stop; once an hour.

use std::fmt;

use super::state::{State, TimeClass};
use crate::units::{Moment, StationId};

/// The stations whose good capsules together are the output of a line, in the order of its devices. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output(Vec<StationId>);

impl Output {
    /// One machine, as on most lines.
    pub fn one(station: StationId) -> Output {
        Output(vec![station])
    }

    /// Several side by side. None of an empty list.
    pub fn of(stations: Vec<StationId>) -> Option<Output> {
        (!stations.is_empty()).then_some(Output(stations))
    }

    /// The first of them, which stands for the line where one name has to.
    pub fn first(&self) -> &StationId {
        &self.0[0]
    }

    /// All of them.
    pub fn stations(&self) -> &[StationId] {
        &self.0
    }

    /// Whether they are several.
    pub fn is_group(&self) -> bool {
        self.0.len() > 1
    }
}

/// `CF01`, or `CF01 + CF02`.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, station) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" + ")?;
            }
            station.fmt(f)?;
        }
        Ok(())
    }
}

/// Of which stations counts are added up: of one, or of all that make the output of a line.
pub trait Stations {
    /// Whether a station is among them.
    fn has(&self, station: &StationId) -> bool;
}

impl Stations for StationId {
    fn has(&self, station: &StationId) -> bool {
        self == station
    }
}

impl Stations for Output {
    fn has(&self, station: &StationId) -> bool {
        self.0.contains(station)
    }
}

/// One machine of the output, as it is known for a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its position in the line.
    pub station: usize,
    /// Its state.
    pub state: State,
    /// Stop reason code as read, none if it told none.
    pub reason: Option<i64>,
    /// Since when it stands, none while it runs.
    pub stood: Option<Moment>,
}

/// How a line is, by the machine that decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineState {
    /// Position of that machine.
    pub station: usize,
    /// Its state, which is that of the line.
    pub state: State,
    /// Its stop reason.
    pub reason: Option<i64>,
}

/// Which of the machines decides how the line is. None without a machine.
pub fn decide(machines: impl Iterator<Item = Seen> + Clone) -> Option<LineState> {
    let class = |wanted| machines.clone().find(move |seen| seen.state.time_class() == wanted);
    // Of several that stand, the one that stopped last: until then another one had run. Of equals the first.
    let last = || {
        let later = |best: Seen, next: Seen| {
            let since_us = |seen: &Seen| seen.stood.map_or(i64::MIN, |stood| stood.mono_us);
            if since_us(&next) > since_us(&best) { next } else { best }
        };
        machines.clone().reduce(later)
    };
    let decides = class(TimeClass::Unknown).or_else(|| class(TimeClass::Run)).or_else(last)?;
    Some(LineState { station: decides.station, state: decides.state, reason: decides.reason })
}

#[cfg(test)]
mod tests;
