//! CF01, the filler: strokes of 50 bores at 130 strokes a minute, one event per stroke. Fillers that work side by side
//! share the speed of the line between them.
//!
//! A stroke loads up to 50 capsules and ejects those loaded twelve strokes before. Everything that
//! happens is decided at a stroke, so the outcome depends on the seed and on plant time alone.

use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::{
    Parcel,
    rejects::{Rejects, class_of},
    times::StateTimes,
};
use crate::{
    catalogue::Fault,
    disturb::MoreRejects,
    ledger::{BatchRecord, RejectClass, StopRecord, Totals},
    model::{MOST_FILLERS, ModelConfig, WeightModel},
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
const SAMPLE_CAPSULES: u32 = 20;

/// Spread of the powder's density, as a share of the fill, and how slowly it changes.
const DRIFT_SD: f64 = 0.006;
const DRIFT_TIME_US: f64 = 8.0 * 60e6;

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

/// How batches are numbered and how large they are.
#[derive(Clone, Copy, Debug)]
struct Batches {
    line_start_us: i64,
    first: u32,
    size: u64,
}

impl Batches {
    /// A number like `B2611-0417`: year and month of its start, then a running number.
    fn id(&self, index: usize, plant_us: i64) -> String {
        let date = jiff::Timestamp::from_microsecond(self.line_start_us + plant_us)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned_datetime(jiff::tz::TimeZone::UTC);
        let serial = self.first as usize + index;
        format!("B{:02}{:02}-{:04}", date.year() % 100, date.month(), serial % 10_000)
    }
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

    /// Ends the batch in production as soon as the machine runs, because of a fault.
    pub(crate) fn end_batch_soon(&mut self, fault: Fault) {
        self.batch_ends_at = self.totals.made;
        self.batch_ended_by = Some(fault);
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

    /// The present batch, with its counts up to now.
    pub(crate) fn batch(&self) -> BatchRecord {
        let mut batch =
            self.batches.last().cloned().expect("the first batch begins with the plant");
        let (now, base) = (&self.totals, &self.batch_base);
        batch.infeed = now.infeed - base.infeed;
        batch.made = now.made - base.made;
        batch.rejected = now.rejected() - base.rejected();
        batch.samples = now.samples - base.samples;
        batch
    }

    fn stroke(&mut self, now_us: i64, load: bool) {
        let slot = (self.totals.strokes % DEPTH as u64) as usize;
        self.totals.strokes += 1;
        let ejected = std::mem::replace(&mut self.loaded[slot], 0);
        if load {
            let empty = self.empty_pockets.hits(BORES, &mut self.pocket_rng);
            self.loaded[slot] = BORES - empty;
            self.totals.empty_pockets += u64::from(empty);
            self.totals.infeed += u64::from(BORES - empty);
        }
        self.follow_drift();
        let good = self.sort_out(ejected, now_us);
        self.totals.made += u64::from(good);
        if good > 0 {
            let (filler, stroke, drift) = (self.nth, self.totals.strokes, self.dose());
            self.ejected = Some(Parcel { filler, stroke, capsules: good, drift });
        }
    }

    /// Takes rejects, discards and samples out of the ejected capsules; what is left is good.
    fn sort_out(&mut self, ejected: u32, now_us: i64) -> u32 {
        self.rejects.follow(self.run_us);
        let n_rejects = self.rejects.of_stroke(ejected, self.run_us);
        for _ in 0..n_rejects {
            let class = self.rejects.class();
            self.totals.rejects[class as usize] += 1;
        }
        let n_more = self.more_rejects.hits(ejected - n_rejects);
        for _ in 0..n_more {
            let class = match self.more_rejects.fault {
                Fault::EmptyCapsuleBurst => RejectClass::Unseparated,
                _ => class_of(&mut self.more_rejects.rng),
            };
            self.totals.rejects[class as usize] += 1;
        }
        self.book_injected(Some(self.more_rejects.fault), n_more);
        let sound = ejected - n_rejects - n_more;
        if self.discard_strokes > 0 && ejected > 0 {
            self.discard_strokes -= 1;
            self.totals.rejects[RejectClass::Startup as usize] += u64::from(sound);
            self.book_injected(self.started_after, sound);
            return 0;
        }
        if now_us >= self.sample_due_us && sound > 0 {
            self.sample_due_us = now_us + SAMPLE_EVERY_US;
            let taken = sound.min(SAMPLE_CAPSULES);
            self.totals.samples += u64::from(taken);
            let (stroke, drift) = (self.totals.strokes, self.dose());
            self.samples.push(Taken { stroke, capsules: taken, drift });
            return sound - taken;
        }
        sound
    }

    fn book_injected(&mut self, fault: Option<Fault>, rejects: u32) {
        if let Some(fault) = fault
            && rejects > 0
        {
            *self.injected_rejects.entry(fault).or_default() += u64::from(rejects);
        }
    }

    /// The powder's density follows a first-order autoregression from stroke to stroke.
    fn follow_drift(&mut self) {
        const KEEP: f64 = 1.0 - 60e9 / (DESIGN_RATE as f64) / DRIFT_TIME_US;
        let z: f64 = self.drift_rng.sample(StandardNormal);
        self.drift = KEEP * self.drift + (1.0 - KEEP * KEEP).sqrt() * DRIFT_SD * z;
    }

    /// Deviation of the doses of this stroke: the powder's, and what the machine adds.
    fn dose(&self) -> f64 {
        let shift = self.weights.shift.filter(|(from_us, _)| *from_us <= self.run_us);
        let wear = self.weights.wear.map_or(0.0, |(from_us, an_hour)| {
            (self.run_us - from_us).max(0) as f64 / 3.6e9 * an_hour
        });
        self.drift + shift.map_or(0.0, |(_, share)| share) + wear
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

    fn end_batch(&mut self, now_us: i64) {
        let ended = BatchRecord { to_us: Some(now_us), ..self.batch() };
        self.batches.pop();
        self.batches.push(ended);
        let injected = self.batch_ended_by.take();
        match self.stop_clocks.changeover() {
            Some(stop) => self.begin_stop(Stop { injected, ..stop }, now_us, 0),
            None => {
                self.begin_batch(now_us, 0);
                self.phase = Phase::Moving;
            }
        }
    }

    /// Begins a batch of which `already` capsules were made before plant time 0.
    fn begin_batch(&mut self, now_us: i64, already: u64) {
        self.batch_base = self.totals;
        // What was to end a batch that had its number already ends no other.
        self.batch_ended_by = None;
        self.batch_ends_at =
            self.totals.made + self.batches_from.size.saturating_sub(already).max(1);
        self.batches.push(BatchRecord {
            batch_id: self.batches_from.id(self.batches.len(), now_us),
            from_us: now_us,
            to_us: None,
            infeed: 0,
            made: 0,
            rejected: 0,
            samples: 0,
        });
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

/// Who runs the machine: after some jams close together it is set lower for a while.
#[derive(Clone, Debug)]
struct Operator {
    rng: ChaCha8Rng,
    /// Running time of the last jams, the latest first.
    jams_run_us: [i64; CLUSTER],
    lowered_by: f64,
    lowered_until_run_us: i64,
}

/// Jams within [`CLUSTER_US`] of running that make a cluster.
const CLUSTER: usize = 3;
const CLUSTER_US: i64 = 3 * 60_000_000;
const LOWERED_US: i64 = 6 * 60_000_000;
/// By how much the speed is lowered.
const LOWERED_BY: std::ops::Range<f64> = 0.03..0.08;

impl Operator {
    fn new(seed: u64) -> Operator {
        Operator {
            rng: random::stream(seed, Stream::Operator),
            jams_run_us: [i64::MIN / 2; CLUSTER],
            lowered_by: 0.0,
            lowered_until_run_us: 0,
        }
    }

    fn note_jam(&mut self, run_us: i64) {
        self.jams_run_us.rotate_right(1);
        self.jams_run_us[0] = run_us;
        if run_us - self.jams_run_us[CLUSTER - 1] <= CLUSTER_US {
            self.lowered_by = self.rng.random_range(LOWERED_BY);
            self.lowered_until_run_us = run_us + LOWERED_US;
        }
    }

    /// Speed as a share of that of the preset.
    fn share(&self, run_us: i64) -> f64 {
        if run_us < self.lowered_until_run_us { 1.0 - self.lowered_by } else { 1.0 }
    }
}

/// The seed of one of the fillers of a line: the first has that of the plant.
fn seed_of(seed: u64, nth: u32) -> u64 {
    // An odd number with its bits spread evenly: 2^64 divided by the golden ratio.
    seed ^ u64::from(nth).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
