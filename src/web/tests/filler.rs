//! The one filler of the test line, read poll by poll by the line model itself, for tests of what a real journal keeps of it.

use std::sync::Arc;

use domain::line::state::State;
use domain::line::status::LineStatus;
use domain::line::tracker::{Carry, LineTracker};
use domain::plc_map::{PlcMap, Role};
use domain::reading::{Miss, Outcome, Quality, Reading, Snapshot, Value};
use domain::units::{LineId, Moment};

use super::fixture::kept;
use crate::clock::Clock;
use crate::historian::Tick;
use crate::service::model;

/// The filler and the line that it is.
pub(super) struct Filler {
    tracker: LineTracker,
    line: LineId,
    map: Arc<PlcMap>,
    seq: u64,
}

impl Filler {
    /// A new line, which begins at this moment.
    pub(super) fn new(first_us: i64) -> Filler {
        let config = kept::line();
        let model = model(&config, &Clock::real());
        let tracker = LineTracker::new(model, kept::at(first_us), Carry::default());
        Filler { tracker, line: config.id.clone(), map: config.devices[0].map.clone(), seq: 0 }
    }

    /// One poll: the state and the counter, or no answer.
    pub(super) fn poll(&mut self, at: Moment, answer: Option<(State, u64)>) {
        let place = |role: &Role| self.map.position(role).expect("the map has it");
        let (state, good) = (place(&Role::State), place(&Role::Good));
        let reading = |tag: u16, value: u64| Reading {
            tag,
            value: Value::Unsigned(value),
            quality: Quality::Good,
            status: 0,
            source_us: None,
        };
        let outcome = match answer {
            Some((now, made)) => {
                let code = self.map.states.iter().find(|(_, known)| **known == now);
                let code = *code.expect("a code for it").0 as u64;
                Outcome::Taken(vec![reading(state, code), reading(good, made)])
            }
            None => Outcome::Missed(Miss::Timeout),
        };
        let group = self.map.tags[usize::from(good)].group;
        let (device, polls, round_trip_us) = (0, 1, 0);
        let snapshot = Snapshot { device, group, taken_at: at, round_trip_us, polls, outcome };
        self.tracker.advance(&snapshot);
        self.tracker.check(at);
    }

    /// What the line says of itself.
    pub(super) fn status(&self, at: Moment) -> LineStatus {
        self.tracker.status(at)
    }

    /// What has changed since the last tick, for the journal.
    pub(super) fn tick(&mut self, at: Moment) -> Tick {
        self.seq += 1;
        let changes = self.tracker.take_changes();
        Tick::new((self.line.clone(), self.seq, at), changes, Vec::new(), self.tracker.total())
    }
}
