//! What carries capsules: belts that move while their machine runs and stand while it stands.

use std::collections::{BTreeMap, VecDeque};

use super::Parcel;
use crate::stops::{BLOCKED_REASON, JAM_REASON, STARVED_REASON, State};

/// A machine counts as starved when nothing has come for this long, for one filler.
const DRY_US: i64 = 2_000_000;

/// Parcels on their way through a machine or to it, in the order in which they came.
#[derive(Clone, Debug)]
pub(crate) struct Belt {
    lag_us: i64,
    /// With the time of the belt at which each arrives.
    parcels: VecDeque<(i64, Parcel)>,
    capsules: u64,
}

impl Belt {
    /// A belt that takes this long from end to end while it moves.
    pub(crate) fn new(lag_us: i64) -> Belt {
        Belt { lag_us, parcels: VecDeque::new(), capsules: 0 }
    }

    /// Capsules on it.
    pub(crate) fn capsules(&self) -> u64 {
        self.capsules
    }

    pub(crate) fn put(&mut self, parcel: Parcel, drive: &Drive, now_us: i64) {
        if parcel.capsules > 0 {
            self.capsules += u64::from(parcel.capsules);
            self.parcels.push_back((drive.belt_us(now_us) + self.lag_us, parcel));
        }
    }

    /// Plant time at which the next parcel arrives, as far as is known now.
    pub(crate) fn due_us(&self, drive: &Drive) -> i64 {
        self.parcels.front().map_or(i64::MAX, |(due_us, _)| drive.plant_us(*due_us))
    }

    pub(crate) fn take(&mut self) -> Option<Parcel> {
        let (_, parcel) = self.parcels.pop_front()?;
        self.capsules -= u64::from(parcel.capsules);
        Some(parcel)
    }
}

/// The time of a belt, which passes only while its machine runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Drive {
    stood_us: i64,
    stands_since_us: Option<i64>,
}

impl Drive {
    fn belt_us(&self, now_us: i64) -> i64 {
        self.stands_since_us.unwrap_or(now_us) - self.stood_us
    }

    fn plant_us(&self, belt_us: i64) -> i64 {
        if self.stands_since_us.is_some() { i64::MAX } else { belt_us + self.stood_us }
    }

    fn set_standing(&mut self, stands: bool, now_us: i64) {
        if stands {
            self.stands_since_us.get_or_insert(now_us);
        } else if let Some(since_us) = self.stands_since_us.take() {
            self.stood_us += now_us - since_us;
        }
    }
}

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

/// A machine that capsules pass on a belt: it runs, waits for capsules, is blocked, or has a fault of its own.
#[derive(Clone, Debug)]
pub(crate) struct Transit {
    pub(crate) drive: Drive,
    has_fault: bool,
    is_blocked: bool,
    dry_us: i64,
    last_us: i64,
    times: StateTimes,
}

impl Transit {
    /// A machine behind so many fillers, before the first capsule.
    pub(crate) fn new(fillers: u32) -> Transit {
        Transit {
            drive: Drive::default(),
            has_fault: false,
            is_blocked: false,
            dry_us: DRY_US * i64::from(fillers),
            last_us: i64::MIN / 2,
            times: StateTimes::new(State::Waiting),
        }
    }

    /// Capsules came.
    pub(crate) fn pass(&mut self, now_us: i64) {
        self.settle(now_us);
        self.last_us = now_us;
        if self.times.state == State::Waiting && !self.stands() {
            self.times.set(State::Running, now_us);
        }
    }

    /// Whether it has a fault, and whether the machine behind it takes nothing.
    pub(crate) fn stand(&mut self, has_fault: bool, is_blocked: bool, now_us: i64) {
        if (has_fault, is_blocked) == (self.has_fault, self.is_blocked) {
            return;
        }
        self.settle(now_us);
        (self.has_fault, self.is_blocked) = (has_fault, is_blocked);
        self.drive.set_standing(self.stands(), now_us);
        let state = match (has_fault, is_blocked) {
            (true, _) => State::Held,
            (false, true) => State::Waiting,
            (false, false) => State::Running,
        };
        if !self.stands() {
            self.last_us = now_us;
        }
        self.times.set(state, now_us);
    }

    fn stands(&self) -> bool {
        self.has_fault || self.is_blocked
    }

    /// Books the moment at which it ran dry, if that has passed.
    fn settle(&mut self, now_us: i64) {
        let dry_from_us = self.last_us + self.dry_us;
        if self.times.state == State::Running && dry_from_us < now_us {
            self.times.set(State::Waiting, dry_from_us);
        }
    }

    pub(crate) fn state(&self, now_us: i64) -> State {
        match self.times.state {
            State::Running if self.last_us + self.dry_us < now_us => State::Waiting,
            state => state,
        }
    }

    /// Why it does not run; 0 while it does.
    pub(crate) fn stop_reason(&self, now_us: i64) -> u16 {
        match (self.state(now_us), self.is_blocked) {
            (State::Held, _) => JAM_REASON,
            (State::Waiting, true) => BLOCKED_REASON,
            (State::Waiting, false) => STARVED_REASON,
            _ => 0,
        }
    }

    pub(crate) fn state_us(&self, now_us: i64) -> BTreeMap<State, i64> {
        let mut settled = self.clone();
        settled.settle(now_us);
        settled.times.spent_us(now_us)
    }
}
