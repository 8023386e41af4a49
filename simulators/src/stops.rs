//! Why and when machines stop: causes that compete on running time, eight of the filler and three of the bottle counter.
//!
//! Every cause has a clock of its own that runs only while the machine runs. The first to reach
//! its time stops the machine and draws its next time; the others keep theirs. Times between
//! stops are Weibull, times to repair lognormal. The figures are assumptions in the range of
//! published line studies, not data of one plant.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use crate::{
    catalogue::Fault,
    random::{self, Stream},
};

/// How well the plant runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// No stops, no ramp, exactly 130 strokes a minute; rejects still come in bursts.
    #[default]
    Steady,
    /// 7.8 stops per hour of running, 96.5 % speed, OEE near 80 % without planned time.
    Good,
    /// 14 stops per hour of running, 92 % speed, OEE near 59 %.
    Typical,
    /// 23 stops per hour of running, 88 % speed, OEE near 39 %.
    Poor,
}

impl Preset {
    /// Speed setpoint as a share of the design speed.
    pub(crate) fn speed(self) -> f64 {
        match self {
            Preset::Steady => 1.0,
            Preset::Good => 0.965,
            Preset::Typical => 0.92,
            Preset::Poor => 0.88,
        }
    }

    fn tbf_divisor(self) -> f64 {
        match self {
            Preset::Steady | Preset::Good => 1.0,
            Preset::Typical => 1.8,
            Preset::Poor => 3.0,
        }
    }

    fn ttr_factor(self) -> f64 {
        match self {
            Preset::Steady | Preset::Good => 1.0,
            Preset::Typical => 1.5,
            Preset::Poor => 2.0,
        }
    }
}

/// State of a machine in the numbers its maker uses (register `StateCurrent`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u16)]
pub enum State {
    /// Off by calendar.
    Stopped = 0,
    /// Ready, not started.
    Idle = 1,
    /// Jogging after a start.
    Starting = 2,
    /// Producing; the ramp to full speed is part of it.
    Running = 3,
    /// Starved or blocked by another machine.
    Waiting = 4,
    /// Stopped by its own alarm.
    Held = 5,
    /// Emergency stop or breakdown.
    Aborted = 6,
    /// Jogged by hand.
    Manual = 7,
    /// Planned cleaning.
    Cleaning = 8,
    /// Changeover to the next batch.
    Setup = 9,
    /// Batch complete.
    Complete = 10,
}

/// One cause of stops.
#[derive(Debug)]
pub(crate) struct Cause {
    code: u16,
    state: State,
    alarm: u16,
    shape: f64,
    /// Γ(1 + 1/shape), which turns the mean into the scale of the Weibull distribution.
    gamma: f64,
    mean_tbf_min: f64,
    median_ttr_s: f64,
    sigma_ttr: f64,
}

const JAM: u16 = 1 << 0;
const VACUUM: u16 = 1 << 1;
const GUARD: u16 = 1 << 2;
const EMERGENCY: u16 = 1 << 4;
const NO_POWDER: u16 = 1 << 5;
const NO_CAPSULES: u16 = 1 << 6;
const BLOCKED: u16 = 1 << 7;

/// The fourth is a machine behind the filler that stands: there is no room between them.
#[rustfmt::skip]
pub(crate) static FILLER_CAUSES: &[Cause] = &[
    Cause { code: 1, state: State::Held,    alarm: JAM,         shape: 0.9, gamma: 1.052_18, mean_tbf_min: 15.0,   median_ttr_s: 35.0,   sigma_ttr: 0.6 },
    Cause { code: 2, state: State::Held,    alarm: VACUUM,      shape: 1.0, gamma: 1.0,      mean_tbf_min: 60.0,   median_ttr_s: 75.0,   sigma_ttr: 0.5 },
    Cause { code: 3, state: State::Waiting, alarm: NO_POWDER,   shape: 1.2, gamma: 0.940_66, mean_tbf_min: 90.0,   median_ttr_s: 60.0,   sigma_ttr: 0.6 },
    Cause { code: 4, state: State::Waiting, alarm: BLOCKED,     shape: 0.8, gamma: 1.133_00, mean_tbf_min: 60.0,   median_ttr_s: 75.0,   sigma_ttr: 0.8 },
    Cause { code: 5, state: State::Waiting, alarm: NO_CAPSULES, shape: 1.0, gamma: 1.0,      mean_tbf_min: 180.0,  median_ttr_s: 120.0,  sigma_ttr: 0.6 },
    Cause { code: 6, state: State::Held,    alarm: VACUUM,      shape: 1.0, gamma: 1.0,      mean_tbf_min: 240.0,  median_ttr_s: 180.0,  sigma_ttr: 0.6 },
    Cause { code: 7, state: State::Aborted, alarm: EMERGENCY,   shape: 1.1, gamma: 0.964_91, mean_tbf_min: 2400.0, median_ttr_s: 2100.0, sigma_ttr: 0.9 },
    Cause { code: 8, state: State::Held,    alarm: GUARD,       shape: 1.5, gamma: 0.902_75, mean_tbf_min: 120.0,  median_ttr_s: 90.0,   sigma_ttr: 0.5 },
];

/// A jam in the counting head, no empty bottles, a breakdown. The hopper before the counter takes five minutes of them.
#[rustfmt::skip]
pub(crate) static COUNTER_CAUSES: &[Cause] = &[
    Cause { code: JAM_REASON, state: State::Held, alarm: JAM, shape: 1.0, gamma: 1.0, mean_tbf_min: 40.0, median_ttr_s: 45.0, sigma_ttr: 0.6 },
    Cause { code: 9, state: State::Waiting, alarm: 0, shape: 1.0, gamma: 1.0, mean_tbf_min: 180.0, median_ttr_s: 60.0, sigma_ttr: 0.6 },
    Cause { code: 7, state: State::Aborted, alarm: EMERGENCY, shape: 1.1, gamma: 0.964_91, mean_tbf_min: 60_000.0, median_ttr_s: 1_200.0, sigma_ttr: 0.9 },
];

/// Stop reason of a capsule jam.
pub(crate) const JAM_REASON: u16 = 1;
/// Stop reason of a machine that the next one takes nothing from.
pub(crate) const BLOCKED_REASON: u16 = 4;
/// Stop reason of a machine that no capsules come to.
pub(crate) const STARVED_REASON: u16 = 5;

/// Stop reason of the planned cleaning, 15 minutes every 4 hours.
pub const CLEANING: u16 = 20;
/// Stop reason of the changeover between two batches, about an hour.
pub const CHANGEOVER: u16 = 21;

/// Stop reason of the hand-over between two shifts, 10 minutes, of a plant that has shifts.
pub const HAND_OVER: u16 = 22;

const HAND_OVER_US: i64 = 10 * 60_000_000;
const CLEANING_EVERY_US: i64 = 4 * 3_600_000_000;
const CLEANING_US: i64 = 15 * 60_000_000;
const CHANGEOVER_MEDIAN_S: f64 = 3_600.0;
const CHANGEOVER_SIGMA: f64 = 0.3;
/// No repair is shorter: the machine must have come to rest.
const SHORTEST_US: i64 = 5_000_000;

/// A stop that begins now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub(crate) code: u16,
    pub(crate) state: State,
    /// Bits of the register `Alarm`.
    pub(crate) alarm: u16,
    pub(crate) duration_us: i64,
    /// The fault that was injected to bring it about.
    pub(crate) injected: Option<Fault>,
}

impl Stop {
    /// Whether the machine that stands is to blame, and neither its supplies nor the plan.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.state, State::Held | State::Aborted)
    }

    /// A jam of capsules that takes so long, because somebody wants it.
    pub(crate) fn jam(duration_us: i64) -> Stop {
        let duration_us = duration_us.max(SHORTEST_US);
        let injected = Some(Fault::Jam);
        Stop { code: JAM_REASON, state: State::Held, alarm: JAM, duration_us, injected }
    }

    /// What is planned, and nobody is to blame for.
    fn planned(code: u16, state: State, duration_us: i64) -> Stop {
        Stop { code, state, alarm: 0, duration_us, injected: None }
    }

    /// The machine behind takes nothing, until it does.
    pub(crate) fn blocked() -> Stop {
        Stop {
            code: BLOCKED_REASON,
            state: State::Waiting,
            alarm: BLOCKED,
            duration_us: i64::MAX,
            injected: None,
        }
    }
}

/// The clocks of all causes of a machine.
#[derive(Clone, Debug)]
pub(crate) struct StopClocks {
    preset: Preset,
    rng: ChaCha8Rng,
    causes: &'static [Cause],
    /// Running time at which each cause strikes.
    due_run_us: Vec<i64>,
    cleaning_due_us: i64,
    /// Length of a shift, and when the present one ends.
    shift_us: i64,
    hand_over_due_us: i64,
}

impl StopClocks {
    pub(crate) fn new(
        seed: u64,
        stream: Stream,
        preset: Preset,
        causes: &'static [Cause],
    ) -> StopClocks {
        let mut clocks = StopClocks {
            preset,
            rng: random::stream(seed, stream),
            causes,
            due_run_us: vec![i64::MAX; causes.len()],
            cleaning_due_us: i64::MAX,
            shift_us: i64::MAX,
            hand_over_due_us: i64::MAX,
        };
        if preset != Preset::Steady {
            for cause in 0..causes.len() {
                clocks.due_run_us[cause] = clocks.time_between_us(cause);
            }
        }
        clocks
    }

    /// With the planned cleaning, which all presets but the steady one have.
    pub(crate) fn with_cleaning(self) -> StopClocks {
        let never = self.preset == Preset::Steady;
        StopClocks { cleaning_due_us: if never { i64::MAX } else { CLEANING_EVERY_US }, ..self }
    }

    /// With shifts of this length from plant time 0 on, if there are any.
    pub(crate) fn with_shifts(self, shift_us: Option<i64>) -> StopClocks {
        let shift_us = shift_us.map_or(i64::MAX, |us| us.max(1));
        StopClocks { shift_us, hand_over_due_us: shift_us, ..self }
    }

    /// The stop that begins at this plant time and running time, if there is one.
    pub(crate) fn strike(&mut self, now_us: i64, run_us: i64) -> Option<Stop> {
        if let Some(i) = self.due_run_us.iter().position(|&due_us| due_us <= run_us) {
            self.due_run_us[i] = run_us + self.time_between_us(i);
            let Cause { code, state, alarm, median_ttr_s, sigma_ttr, .. } = self.causes[i];
            let median_s = median_ttr_s * self.preset.ttr_factor();
            return Some(Stop {
                code,
                state,
                alarm,
                duration_us: self.repair_us(median_s, sigma_ttr),
                injected: None,
            });
        }
        if self.hand_over_due_us <= now_us {
            // The plan does not wait for a machine that stood at its time.
            self.hand_over_due_us = (now_us / self.shift_us + 1) * self.shift_us;
            return Some(Stop::planned(HAND_OVER, State::Stopped, HAND_OVER_US));
        }
        if self.cleaning_due_us <= now_us {
            self.cleaning_due_us = now_us + CLEANING_US + CLEANING_EVERY_US;
            return Some(Stop::planned(CLEANING, State::Cleaning, CLEANING_US));
        }
        None
    }

    /// The changeover after a batch. The steady plant changes over without stopping.
    pub(crate) fn changeover(&mut self) -> Option<Stop> {
        (self.preset != Preset::Steady).then(|| {
            let duration_us = self.repair_us(CHANGEOVER_MEDIAN_S, CHANGEOVER_SIGMA);
            Stop::planned(CHANGEOVER, State::Setup, duration_us)
        })
    }

    fn time_between_us(&mut self, cause: usize) -> i64 {
        let Cause { shape, gamma, mean_tbf_min, .. } = self.causes[cause];
        let scale_us = mean_tbf_min * 60e6 / self.preset.tbf_divisor() / gamma;
        // The inverse of the Weibull distribution function at a uniform number.
        let exponential = -(1.0 - self.rng.random::<f64>()).ln();
        (scale_us * exponential.powf(1.0 / shape)) as i64
    }

    fn repair_us(&mut self, median_s: f64, sigma: f64) -> i64 {
        let z: f64 = self.rng.sample(StandardNormal);
        ((median_s * 1e6 * (sigma * z).exp()) as i64).max(SHORTEST_US)
    }
}
