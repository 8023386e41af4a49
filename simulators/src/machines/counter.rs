//! BC05, the bottle counter: 60 capsules a bottle out of a hopper, the one buffer of the line.
//!
//! It follows the level of the hopper, so that it runs as fast as the line in the long run. When the hopper is full the
//! machines before it are blocked; when it is empty the counter is starved until there is enough to run for a while.

use std::collections::{BTreeMap, VecDeque};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::times::{StateTimes, StopLog};
use crate::{
    ledger::{CounterLedger, StopRecord},
    random::{self, Rare, Stream},
    stops::{COUNTER_CAUSES, Preset, STARVED_REASON, State, Stop, StopClocks},
};

/// The station in front of its tags.
const STATION: &str = "BC05";
/// Why it stands while its hopper is empty.
const STARVED: (u16, State) = (STARVED_REASON, State::Waiting);
/// Capsules of a full bottle.
pub const PER_BOTTLE: u32 = 60;
/// Speed at the target level, in thousandths of a bottle a minute: 6,500 capsules a minute.
const NOMINAL_RATE: u64 = 108_333;
const LEAST_RATE: u64 = NOMINAL_RATE / 2;
const MOST_RATE: u64 = 125_000;
/// Capsules in the hopper at which it runs at its nominal speed: two minutes of the line.
const TARGET: u64 = 13_000;
/// With so much in the hopper the line is blocked, until it is down to the other.
const FULL: u64 = 45_000;
const ROOM_AGAIN: u64 = 40_000;
/// After the hopper ran empty the counter waits for so much.
const ENOUGH: u64 = 6_000;
/// Capsules that the hopper is made for.
pub(crate) const CAPACITY: u64 = 50_000;
/// Bottles between the counting head and the check of the bottles.
const DEPTH: usize = 10;
const P_SHORT: f64 = 2e-4;
/// Capsules that a short bottle lacks.
const LACKS: std::ops::RangeInclusive<u32> = 1..=5;

#[derive(Clone, Debug)]
pub(crate) struct Counter {
    totals: CounterLedger,
    is_full: bool,
    is_starved: bool,
    stop: Option<Stop>,
    stops: StopLog,
    /// Thousandths of a bottle a minute; 0 while it stands.
    rate: u64,
    next_us: i64,
    run_us: i64,
    bottles: VecDeque<u32>,
    times: StateTimes,
    short: Rare,
    clocks: StopClocks,
    rng: ChaCha8Rng,
}

impl Counter {
    pub(crate) fn new(seed: u64, preset: Preset) -> Counter {
        let mut rng = random::stream(seed, Stream::Counter);
        let mut stops = StopLog::default();
        stops.begin(STARVED, None, 0);
        Counter {
            totals: CounterLedger::default(),
            is_full: false,
            is_starved: true,
            stop: None,
            stops,
            rate: 0,
            next_us: i64::MAX,
            run_us: 0,
            bottles: VecDeque::with_capacity(DEPTH + 1),
            times: StateTimes::new(State::Waiting),
            short: Rare::new(P_SHORT, &mut rng),
            clocks: StopClocks::new(seed, Stream::CounterStops, preset, COUNTER_CAUSES),
            rng,
        }
    }

    /// Plant time of the next event.
    pub(crate) fn next_us(&self) -> i64 {
        self.next_us
    }

    /// Whether the line before it must stop.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(crate) fn is_starved(&self) -> bool {
        self.is_starved && self.stop.is_none()
    }

    pub(crate) fn rate(&self) -> u64 {
        self.rate
    }

    pub(crate) fn state(&self) -> State {
        self.times.state
    }

    pub(crate) fn stop_reason(&self) -> u16 {
        match self.stop {
            Some(stop) => stop.code,
            None if self.is_starved => STARVED_REASON,
            None => 0,
        }
    }

    /// Its stops up to now. Who starves it is known only to who knows the machine before it.
    pub(crate) fn stops(&self) -> Vec<StopRecord> {
        self.stops.records()
    }

    pub(crate) fn state_us(&self, now_us: i64) -> BTreeMap<State, i64> {
        self.times.spent_us(now_us)
    }

    pub(crate) fn ledger(&self) -> CounterLedger {
        let in_process = self.bottles.iter().map(|&capsules| u64::from(capsules)).sum();
        CounterLedger { in_process, ..self.totals }
    }

    /// Capsules fall into the hopper.
    pub(crate) fn receive(&mut self, capsules: u32, now_us: i64) {
        self.totals.hopper += u64::from(capsules);
        self.is_full |= self.totals.hopper >= FULL;
        if self.is_starved() && self.totals.hopper >= ENOUGH {
            self.go_on(now_us);
        }
    }

    /// The next event: a bottle is full, or a stop is over.
    pub(crate) fn step(&mut self, now_us: i64) {
        if self.stop.take().is_some() {
            return self.go_on(now_us);
        }
        self.fill_bottle();
        match self.clocks.strike(now_us, self.run_us) {
            Some(stop) => {
                self.stops.begin_own(&stop, STATION, now_us);
                self.times.set(stop.state, now_us);
                self.rate = 0;
                self.next_us = now_us + stop.duration_us;
                self.stop = Some(stop);
            }
            None => self.go_on(now_us),
        }
    }

    fn fill_bottle(&mut self) {
        let is_short = self.short.hits(1, &mut self.rng) > 0;
        let lacks = if is_short { self.rng.random_range(LACKS) } else { 0 };
        let capsules = PER_BOTTLE - lacks;
        self.totals.hopper -= u64::from(capsules);
        self.is_full &= self.totals.hopper > ROOM_AGAIN;
        self.totals.infeed += u64::from(capsules);
        self.bottles.push_back(capsules);
        if self.bottles.len() <= DEPTH {
            return;
        }
        match self.bottles.pop_front() {
            Some(PER_BOTTLE) => self.totals.good_bottles += 1,
            Some(short) => {
                self.totals.short_bottles += 1;
                self.totals.short_capsules += u64::from(short);
            }
            None => {}
        }
    }

    /// Begins the next bottle, or waits for capsules.
    fn go_on(&mut self, now_us: i64) {
        let level = self.totals.hopper;
        self.is_starved = level < u64::from(PER_BOTTLE);
        if self.is_starved {
            (self.rate, self.next_us) = (0, i64::MAX);
            self.times.set(State::Waiting, now_us);
            self.stops.begin(STARVED, None, now_us);
            return;
        }
        if self.times.state != State::Running {
            self.times.set(State::Running, now_us);
            self.stops.end(now_us);
        }
        self.rate = (NOMINAL_RATE * level / TARGET).clamp(LEAST_RATE, MOST_RATE);
        let period_us = (60_000_000_000 / self.rate) as i64;
        self.run_us += period_us;
        self.next_us = now_us + period_us;
    }
}
