//! How long a machine was in each state, and its stops.

use std::collections::BTreeMap;

use crate::{
    ledger::StopRecord,
    stops::{State, Stop},
};

/// The state of a machine, and how long it was in each.
#[derive(Clone, Debug)]
pub(crate) struct StateTimes {
    pub(crate) state: State,
    since_us: i64,
    spent_us: BTreeMap<State, i64>,
}

impl StateTimes {
    /// In this state from plant time 0 on.
    pub(crate) fn new(state: State) -> StateTimes {
        StateTimes { state, since_us: 0, spent_us: BTreeMap::new() }
    }

    pub(crate) fn set(&mut self, state: State, now_us: i64) {
        if now_us > self.since_us {
            *self.spent_us.entry(self.state).or_default() += now_us - self.since_us;
        }
        self.state = state;
        self.since_us = now_us;
    }

    /// Time spent in each state up to `now_us`.
    pub(crate) fn spent_us(&self, now_us: i64) -> BTreeMap<State, i64> {
        let mut spent_us = self.spent_us.clone();
        *spent_us.entry(self.state).or_default() += now_us - self.since_us;
        spent_us
    }
}

/// The stops of a machine, in order of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct StopLog(Vec<StopRecord>);

impl StopLog {
    /// A stop of this code and state begins, and the one before it ends.
    pub(crate) fn begin(
        &mut self,
        (code, state): (u16, State),
        by: Option<&'static str>,
        now_us: i64,
    ) {
        self.end(now_us);
        let by = by.map(Into::into);
        self.0.push(StopRecord { code, state, from_us: now_us, to_us: None, by, injected: None });
    }

    /// A stop that the machine brought about, or its supplies.
    pub(crate) fn begin_own(&mut self, stop: &Stop, station: &'static str, now_us: i64) {
        self.begin((stop.code, stop.state), stop.is_own().then_some(station), now_us);
    }

    /// The machine goes on. A stop that has taken no time was none.
    pub(crate) fn end(&mut self, now_us: i64) {
        if let Some(last) = self.0.last_mut().filter(|last| last.to_us.is_none()) {
            last.to_us = Some(now_us);
        }
        self.0.pop_if(|last| last.to_us == Some(last.from_us));
    }

    pub(crate) fn records(&self) -> Vec<StopRecord> {
        self.0.clone()
    }
}
