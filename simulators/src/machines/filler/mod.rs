//! CF01, the filler: strokes of 50 bores at 130 strokes a minute, one event per stroke. Fillers that work side by side
//! share the speed of the line between them.
//!
//! A stroke loads up to 50 capsules and ejects those loaded twelve strokes before. Everything that
//! happens is decided at a stroke, so the outcome depends on the seed and on plant time alone.

mod batches;
mod operator;
mod product;

use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use batches::Batches;
use operator::Operator;

use super::{Parcel, rejects::Rejects, times::StateTimes};
use crate::{
    catalogue::Fault,
    config::{MOST_FILLERS, ModelConfig, WeightModel},
    disturb::MoreRejects,
    ledger::{BatchRecord, StopRecord, Totals},
    random::{self, Rare, Stream},
    stops::{BLOCKED_REASON, FILLER_CAUSES, JAM_REASON, Preset, State, Stop, StopClocks},
};

/// The stations in front of the tags of the fillers.
const STATIONS: [&str; MOST_FILLERS as usize] = ["CF01", "CF02", "CF03", "CF04"];
/// Bores of the indexed segment: capsules a stroke at most.
pub const BORES: u32 = 50;
/// Design speed in thousandths of a stroke a minute.
pub(crate) const DESIGN_RATE: u64 = 130_000;
/// Strokes from loading a capsule to ejecting it.
const DEPTH: usize = 12;
/// Strokes the machine still makes after the command to stop.
const COAST_STROKES: u32 = 2;
/// Strokes discarded after every start.
const DISCARD_STROKES: u32 = 10;
/// Speed while coasting, as a share of the setpoint.
const COAST_SPEED: f64 = 0.65;
const JOG_SPEED: f64 = 0.3;
/// A start begins with so much of slow running.
pub(crate) const JOG_US: i64 = 10_000_000;
const RAMP_US: i64 = 20_000_000;
/// The speed wavers by up to this share of the setpoint.
const SPEED_JITTER: f64 = 0.003;

const P_EMPTY_POCKET: f64 = 0.0005;

const SAMPLE_EVERY_US: i64 = 15 * 60_000_000;

/// Capsules that were taken out to be weighed one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) stroke: u64,
    pub(crate) capsules: u32,
    pub(crate) drift: f64,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Moving,
    /// The batch has its number: the machine runs empty, without loading.
    RunOut {
        strokes: u32,
    },
    /// Stopping; counts still come while the state says that the machine stands.
    Coasting {
        strokes: u32,
        until_us: i64,
    },
    Down,
}

/// The filler at one plant time.
#[derive(Clone, Debug)]
pub(crate) struct Filler {
    pub(crate) totals: Totals,
    pub(crate) stop: Option<Stop>,
    pub(crate) stops: Vec<StopRecord>,
    pub(crate) batches: Vec<BatchRecord>,
    /// Present speed in thousandths of a stroke a minute; 0 while it stands.
    pub(crate) rate: u64,
    /// Speed setpoint, in the same unit.
    pub(crate) setpoint: u64,
    /// The good capsules of the last stroke, until the line takes them.
    pub(crate) ejected: Option<Parcel>,
    /// Until when a machine behind it stands, when that has just begun.
    pub(crate) blocked_until_us: Option<i64>,
    /// Samples that were not weighed yet.
    pub(crate) samples: Vec<Taken>,
    /// Rejects beside those of the machine.
    pub(crate) more_rejects: MoreRejects,
    /// A stop that begins with the next stroke of a machine that runs.
    pub(crate) wanted_stop: Option<Stop>,
    /// Capsules rejected because of an injected fault; all others are the machine's own.
    pub(crate) injected_rejects: BTreeMap<Fault, u64>,
    nth: u8,
    weights: WeightModel,
    preset: Preset,
    /// The machine behind it that takes nothing.
    blocked_by: Option<&'static str>,
    /// The fault that ends the batch before it has its number, and the one whose stop was the last.
    batch_ended_by: Option<Fault>,
    started_after: Option<Fault>,
    /// Speed that the preset asks for, in thousandths of a stroke a minute.
    full_rate: u64,
    operator: Operator,
    batches_from: Batches,
    phase: Phase,
    /// Plant time of the next stroke, or of the end of the stop.
    next_us: i64,
    /// What is left of the division of a minute into strokes, so that no time is ever lost.
    carry: u64,
    run_us: i64,
    started_us: i64,
    times: StateTimes,
    discard_strokes: u32,
    sample_due_us: i64,
    drift: f64,
    /// Totals when the present batch began, and its end as a value of `totals.made`.
    batch_base: Totals,
    batch_ends_at: u64,
    loaded: [u32; DEPTH],
    empty_pockets: Rare,
    rejects: Rejects,
    stop_clocks: StopClocks,
    pocket_rng: ChaCha8Rng,
    speed_rng: ChaCha8Rng,
    drift_rng: ChaCha8Rng,
}

impl Filler {
    /// One of the fillers of a line, from 0.
    pub(crate) fn new(config: &ModelConfig, nth: u32) -> Filler {
        let ModelConfig { preset, .. } = *config;
        let seed = seed_of(config.seed, nth);
        let full_rate =
            (DESIGN_RATE as f64 * preset.speed()).round() as u64 / u64::from(config.fillers.max(1));
        let batches_from = Batches {
            line_start_us: config.line_start_us,
            first: config.first_batch,
            size: config.batch_size,
        };
        let mut pocket_rng = random::stream(seed, Stream::Pockets);
        let mut filler = Filler {
            totals: Totals::default(),
            stop: None,
            stops: Vec::new(),
            batches: Vec::new(),
            rate: 0,
            setpoint: full_rate,
            ejected: None,
            blocked_until_us: None,
            samples: Vec::new(),
            more_rejects: MoreRejects::new(seed),
            wanted_stop: None,
            injected_rejects: BTreeMap::new(),
            nth: nth as u8,
            weights: config.weights,
            preset,
            blocked_by: None,
            batch_ended_by: None,
            started_after: None,
            full_rate,
            operator: Operator::new(seed),
            batches_from,
            phase: Phase::Moving,
            next_us: 0,
            carry: 0,
            run_us: 0,
            started_us: 0,
            times: StateTimes::new(State::Running),
            discard_strokes: 0,
            sample_due_us: SAMPLE_EVERY_US,
            drift: 0.0,
            batch_base: Totals::default(),
            batch_ends_at: 0,
            loaded: [0; DEPTH],
            empty_pockets: Rare::new(P_EMPTY_POCKET, &mut pocket_rng),
            rejects: Rejects::new(seed, config.rejects),
            stop_clocks: StopClocks::new(seed, Stream::Stops, preset, FILLER_CAUSES)
                .with_cleaning()
                .with_shifts(config.shift_us),
            pocket_rng,
            speed_rng: random::stream(seed, Stream::Speed),
            drift_rng: random::stream(seed, Stream::Drift),
        };
        let already = if nth == 0 { config.start_counters.processed } else { 0 };
        filler.begin_batch(0, u64::from(already));
        filler.start(0);
        filler.plan_next(0);
        filler
    }

    /// Plant time of the next event.
    pub(crate) fn next_us(&self) -> i64 {
        self.next_us
    }

    /// Executes the next event: a stroke, or the restart at the end of a stop.
    pub(crate) fn step(&mut self) {
        let now_us = self.next_us;
        match self.phase {
            Phase::Down if self.blocked_by.is_some() => return self.wait_for_room(now_us),
            Phase::Down => self.restart(now_us),
            Phase::Moving => {
                self.stroke(now_us, true);
                self.look_for_a_reason_to_stop(now_us);
            }
            Phase::RunOut { strokes } => {
                self.stroke(now_us, false);
                self.phase = Phase::RunOut { strokes: strokes - 1 };
                if strokes == 1 {
                    self.end_batch(now_us);
                }
            }
            Phase::Coasting { strokes: 0, until_us } => {
                self.phase = Phase::Down;
                self.rate = 0;
                self.next_us = until_us.max(now_us);
                return;
            }
            Phase::Coasting { strokes, until_us } => {
                self.stroke(now_us, true);
                self.phase = Phase::Coasting { strokes: strokes - 1, until_us };
            }
        }
        self.plan_next(now_us);
    }

    /// The station in front of its tags.
    pub(crate) fn station(&self) -> &'static str {
        STATIONS[usize::from(self.nth) % STATIONS.len()]
    }

    /// Names the machine that caused the present stop, which is known only after it began.
    pub(crate) fn stopped_by(&mut self, machine: &'static str) {
        if let Some(record) = self.stops.last_mut() {
            record.by = Some(machine.into());
        }
    }

    /// Capsules loaded and not yet ejected.
    pub(crate) fn in_process(&self) -> u64 {
        self.loaded.iter().map(|&n| u64::from(n)).sum()
    }

    /// True while rejects come in a burst, which is when the vacuum is weak.
    pub(crate) fn in_burst(&self) -> bool {
        self.rejects.burst
    }

    pub(crate) fn state(&self) -> State {
        self.times.state
    }

    /// Time spent in each state up to `now_us`.
    pub(crate) fn state_us(&self, now_us: i64) -> BTreeMap<State, i64> {
        self.times.spent_us(now_us)
    }

    /// Which machine behind it takes no capsules. It stops at the next stroke, and starts when there is room again.
    pub(crate) fn set_blocked(&mut self, by: Option<&'static str>, now_us: i64) {
        self.blocked_by = by;
        let is_blocked = by.is_some();
        match &mut self.phase {
            Phase::Down if !is_blocked && self.next_us == i64::MAX => self.next_us = now_us,
            Phase::Coasting { until_us, .. } if !is_blocked && *until_us == i64::MAX => {
                *until_us = now_us;
            }
            _ => {}
        }
    }

    fn look_for_a_reason_to_stop(&mut self, now_us: i64) {
        if self.times.state == State::Starting && now_us - self.started_us >= JOG_US {
            self.times.set(State::Running, now_us);
        }
        if self.totals.made >= self.batch_ends_at {
            self.phase = Phase::RunOut { strokes: DEPTH as u32 };
        } else if let Some(stop) = self.wanted_stop.take() {
            self.begin_stop(stop, now_us, COAST_STROKES);
        } else if let Some(stop) = self.stop_clocks.strike(now_us, self.run_us) {
            if stop.code == BLOCKED_REASON {
                self.blocked_until_us = Some(now_us + stop.duration_us);
            }
            if stop.code == JAM_REASON {
                self.operator.note_jam(self.run_us);
            }
            self.begin_stop(stop, now_us, COAST_STROKES);
        } else if self.blocked_by.is_some() {
            self.begin_stop(Stop::blocked(), now_us, COAST_STROKES);
        }
    }

    /// A stop is over, and there is no room behind the machine.
    fn wait_for_room(&mut self, now_us: i64) {
        self.next_us = i64::MAX;
        if self.stop.is_some_and(|stop| stop.code == BLOCKED_REASON) {
            return;
        }
        self.end_stop(now_us);
        self.begin_stop(Stop::blocked(), now_us, 0);
        self.phase = Phase::Down;
    }

    fn end_stop(&mut self, now_us: i64) {
        if let Some(record) = self.stops.last_mut() {
            record.to_us = Some(now_us);
            self.started_after = record.injected;
        }
        self.stop = None;
    }

    fn begin_stop(&mut self, stop: Stop, now_us: i64, coast_strokes: u32) {
        let until_us = now_us.saturating_add(stop.duration_us);
        self.phase = Phase::Coasting { strokes: coast_strokes, until_us };
        self.times.set(stop.state, now_us);
        let Stop { code, state, injected, .. } = stop;
        let by = match code {
            BLOCKED_REASON => self.blocked_by,
            _ if stop.is_own() => Some(self.station()),
            // Nothing to fill, or planned.
            _ => None,
        };
        let by = by.map(Into::into);
        self.stops.push(StopRecord { code, state, from_us: now_us, to_us: None, by, injected });
        self.stop = Some(stop);
    }

    fn restart(&mut self, now_us: i64) {
        self.end_stop(now_us);
        if self.batches.last().is_some_and(|batch| batch.to_us.is_some()) {
            self.begin_batch(now_us, 0);
        }
        self.start(now_us);
    }

    fn start(&mut self, now_us: i64) {
        self.phase = Phase::Moving;
        self.started_us = now_us;
        // The steady plant is at full speed at once, and discards nothing.
        let (state, discarded) = match self.preset {
            Preset::Steady => (State::Running, 0),
            _ => (State::Starting, DISCARD_STROKES),
        };
        self.discard_strokes = discarded;
        self.times.set(state, now_us);
    }

    /// Sets the speed for the next stroke and its time.
    fn plan_next(&mut self, now_us: i64) {
        self.rate = self.rate_at(now_us);
        // A minute is 60e6 µs and the rate counts thousandths of a stroke.
        self.carry += 60_000_000_000;
        let period_us = (self.carry / self.rate) as i64;
        self.carry %= self.rate;
        self.next_us = now_us + period_us;
        self.run_us += period_us;
    }

    fn rate_at(&mut self, now_us: i64) -> u64 {
        if self.preset == Preset::Steady {
            return self.setpoint;
        }
        self.setpoint = (self.full_rate as f64 * self.operator.share(self.run_us)) as u64;
        let moving_us = now_us - self.started_us;
        let share = match self.phase {
            Phase::Coasting { .. } => COAST_SPEED,
            _ if moving_us < JOG_US => JOG_SPEED,
            _ => {
                let ramp = (moving_us - JOG_US) as f64 / RAMP_US as f64;
                JOG_SPEED + (1.0 - JOG_SPEED) * ramp.min(1.0)
            }
        };
        let jitter = self.speed_rng.random_range(-SPEED_JITTER..SPEED_JITTER);
        (self.setpoint as f64 * share * (1.0 + jitter)) as u64
    }
}

/// The seed of one of the fillers of a line: the first has that of the plant.
fn seed_of(seed: u64, nth: u32) -> u64 {
    // An odd number with its bits spread evenly: 2^64 divided by the golden ratio.
    seed ^ u64::from(nth).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
