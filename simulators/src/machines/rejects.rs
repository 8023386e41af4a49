//! Why capsules of the filler are rejected: long good times, short bursts, and what a [`RejectModel`] adds.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Exp1, StandardNormal};

use crate::{
    config::RejectModel,
    ledger::RejectClass,
    random::{self, Rare, Stream},
};

/// The chance of a reject wanders from minute to minute.
const WANDER_US: i64 = 60_000_000;

/// The rejects of a Markov-modulated process: long good times, short bursts, and what a [`RejectModel`] adds.
#[derive(Clone, Debug)]
pub(super) struct Rejects {
    model: RejectModel,
    rng: ChaCha8Rng,
    pub(super) burst: bool,
    ends_run_us: i64,
    /// Running time up to which the present chance holds, apart from the end of a state.
    holds_run_us: i64,
    /// Logarithm of the factor on the chance, in its standard deviations.
    wander: f64,
    p: f64,
    rare: Rare,
}

impl Rejects {
    pub(super) fn new(seed: u64, model: RejectModel) -> Rejects {
        let mut rng = random::stream(seed, Stream::Rejects);
        let rare = Rare::new(model.p[0], &mut rng);
        let mut rejects = Rejects {
            model,
            rng,
            burst: true,
            ends_run_us: 0,
            holds_run_us: if model.changes() { 0 } else { i64::MAX },
            wander: 0.0,
            p: model.p[0],
            rare,
        };
        rejects.follow(0);
        rejects
    }

    /// Changes between good times and bursts as running time goes on.
    pub(super) fn follow(&mut self, run_us: i64) {
        while self.ends_run_us <= run_us {
            self.burst = !self.burst;
            let length: f64 = self.rng.sample(Exp1);
            let length_us = length * self.model.mean_us[usize::from(self.burst)];
            self.ends_run_us = self.ends_run_us.saturating_add(length_us as i64);
            self.p = self.model.p[usize::from(self.burst)];
            self.rare = Rare::new(self.p, &mut self.rng);
        }
        if self.holds_run_us <= run_us {
            self.holds_run_us = run_us - run_us % WANDER_US + WANDER_US;
            let chance = self.chance(run_us);
            self.rare = Rare::new(chance, &mut self.rng);
        }
    }

    /// The chance of a reject in the minute that begins: shifted, in a planned burst, and wandering.
    fn chance(&mut self, run_us: i64) -> f64 {
        let RejectModel { shift, burst, wander_cv, wander_minutes, .. } = self.model;
        let mut p = match shift {
            Some((from_us, p)) if from_us <= run_us && !self.burst => p,
            _ => self.p,
        };
        if let Some((from_us, length_us, in_burst)) = burst
            && (from_us..from_us + length_us).contains(&run_us)
        {
            p = in_burst;
        }
        if wander_cv > 0.0 {
            let keep = (-1.0 / wander_minutes.max(0.01)).exp();
            let z: f64 = self.rng.sample(StandardNormal);
            self.wander = keep * self.wander + (1.0 - keep * keep).sqrt() * z;
            // A lognormal factor of mean one.
            let sd = (1.0 + wander_cv * wander_cv).ln().sqrt();
            p *= (sd * self.wander - sd * sd / 2.0).exp();
        }
        p.clamp(1e-9, 0.999)
    }

    /// How many of the capsules of a stroke are rejected.
    pub(super) fn of_stroke(&mut self, ejected: u32, run_us: i64) -> u32 {
        let spoilt = self.spoilt(ejected, run_us);
        spoilt + self.rare.hits(ejected - spoilt, &mut self.rng)
    }

    /// Capsules of a stroke that the worn bore spoils: none or one.
    fn spoilt(&mut self, ejected: u32, run_us: i64) -> u32 {
        let Some((from_us, p)) = self.model.worn_bore else { return 0 };
        u32::from(from_us <= run_us && ejected > 0 && self.rng.random_bool(p.clamp(0.0, 1.0)))
    }

    pub(super) fn class(&mut self) -> RejectClass {
        class_of(&mut self.rng)
    }
}

/// The class of a reject.
pub(super) fn class_of(rng: &mut ChaCha8Rng) -> RejectClass {
    match rng.random_range(0..100) {
        0..55 => RejectClass::Unseparated,
        55..80 => RejectClass::Dented,
        80..95 => RejectClass::NoDose,
        _ => RejectClass::DoubleCap,
    }
}
