//! What a stroke of the filler makes: how many capsules it loads, rejects, samples and passes on, and how they are dosed.

use rand::Rng;
use rand_distr::StandardNormal;

use super::{BORES, DEPTH, DESIGN_RATE, Filler, SAMPLE_EVERY_US, Taken};
use crate::{
    catalogue::Fault,
    ledger::RejectClass,
    machines::{Parcel, rejects::class_of},
};

const SAMPLE_CAPSULES: u32 = 20;

/// Spread of the powder's density, as a share of the fill, and how slowly it changes.
const DRIFT_SD: f64 = 0.006;
const DRIFT_TIME_US: f64 = 8.0 * 60e6;

impl Filler {
    pub(super) fn stroke(&mut self, now_us: i64, load: bool) {
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
}
