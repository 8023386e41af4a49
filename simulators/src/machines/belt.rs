//! What carries capsules: belts that move while their machine runs and stand while it stands.

use std::collections::{BTreeMap, VecDeque};

use super::{
    Parcel,
    times::{StateTimes, StopLog},
};
use crate::{
    ledger::StopRecord,
    stops::{BLOCKED_REASON, JAM_REASON, STARVED_REASON, State},
};

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

/// A machine that capsules pass on a belt: it runs, waits for capsules, is blocked, or has a fault of its own.
#[derive(Clone, Debug)]
pub(crate) struct Transit {
    pub(crate) drive: Drive,
    station: &'static str,
    has_fault: bool,
    is_blocked: bool,
    dry_us: i64,
    last_us: i64,
    times: StateTimes,
    stops: StopLog,
}

/// Why a machine stands that no capsules come to.
const STARVED: (u16, State) = (STARVED_REASON, State::Waiting);

impl Transit {
    /// A machine behind so many fillers, before the first capsule.
    pub(crate) fn new(station: &'static str, fillers: u32) -> Transit {
        let mut stops = StopLog::default();
        stops.begin(STARVED, None, 0);
        Transit {
            drive: Drive::default(),
            station,
            has_fault: false,
            is_blocked: false,
            dry_us: DRY_US * i64::from(fillers),
            last_us: i64::MIN / 2,
            times: StateTimes::new(State::Waiting),
            stops,
        }
    }

    /// Capsules came.
    pub(crate) fn pass(&mut self, now_us: i64) {
        self.settle(now_us);
        self.last_us = now_us;
        if self.times.state == State::Waiting && !self.stands() {
            self.run(now_us);
        }
    }

    /// Whether it has a fault, and which machine behind it takes nothing.
    pub(crate) fn stand(&mut self, has_fault: bool, blocked_by: Option<&'static str>, now_us: i64) {
        let is_blocked = blocked_by.is_some();
        if (has_fault, is_blocked) == (self.has_fault, self.is_blocked) {
            return;
        }
        self.settle(now_us);
        (self.has_fault, self.is_blocked) = (has_fault, is_blocked);
        self.drive.set_standing(self.stands(), now_us);
        match (has_fault, blocked_by) {
            (true, _) => {
                self.stop((JAM_REASON, State::Held), Some(self.station), now_us);
            }
            (false, Some(by)) => {
                self.stop((BLOCKED_REASON, State::Waiting), Some(by), now_us);
            }
            (false, None) => {
                self.last_us = now_us;
                self.run(now_us);
            }
        }
    }

    fn stands(&self) -> bool {
        self.has_fault || self.is_blocked
    }

    fn run(&mut self, now_us: i64) {
        self.times.set(State::Running, now_us);
        self.stops.end(now_us);
    }

    fn stop(&mut self, why: (u16, State), by: Option<&'static str>, now_us: i64) {
        self.times.set(why.1, now_us);
        self.stops.begin(why, by, now_us);
    }

    /// The moment at which it ran dry, if that has passed and is not booked.
    fn ran_dry_us(&self, now_us: i64) -> Option<i64> {
        let dry_from_us = self.last_us + self.dry_us;
        (self.times.state == State::Running && dry_from_us < now_us).then_some(dry_from_us)
    }

    /// Books that moment.
    fn settle(&mut self, now_us: i64) {
        if let Some(dry_from_us) = self.ran_dry_us(now_us) {
            self.stop(STARVED, None, dry_from_us);
        }
    }

    pub(crate) fn state(&self, now_us: i64) -> State {
        match self.ran_dry_us(now_us) {
            Some(_) => State::Waiting,
            None => self.times.state,
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
        let mut times = self.times.clone();
        if let Some(dry_from_us) = self.ran_dry_us(now_us) {
            times.set(State::Waiting, dry_from_us);
        }
        times.spent_us(now_us)
    }

    /// Its stops up to now. Who starves it is known only to who knows the machine before it.
    pub(crate) fn stops(&self, now_us: i64) -> Vec<StopRecord> {
        let mut stops = self.stops.clone();
        if let Some(dry_from_us) = self.ran_dry_us(now_us) {
            stops.begin(STARVED, None, dry_from_us);
        }
        stops.records()
    }
}
