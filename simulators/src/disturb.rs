//! What faults do to the machine and to its PLC, as part of the model: at their plant time, whoever looks and when.

use rand_chacha::ChaCha8Rng;

use crate::{
    catalogue::Fault,
    injections::Injection,
    random::{self, Rare, Stream},
};

/// How fast the vacuum falls when capsules do not part.
const VACUUM_FALLS_US: i64 = 120_000_000;
/// How fast the share of rejects climbs.
const REJECTS_CLIMB_US: i64 = 1_800_000_000;
/// The chance of a reject is set anew so often.
const STEP_US: i64 = 60_000_000;
/// What `AccCount` saw too much is kept in this part of a capsule.
const PARTS: u64 = 10_000;

/// The injections that the model carries, and what they have left behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disturbances {
    /// In order of their beginning; those before `done` have begun.
    all: Vec<Injection>,
    done: usize,
    /// Capsules that the outlet saw a second time, in 10,000ths.
    seen_twice: u64,
    /// How long the batch number leads the reset of the counters; negative where it lags.
    pub(crate) id_leads_us: i64,
    /// The reset of the batch counters that is held back.
    pub(crate) reset_due_us: Option<i64>,
    /// The number that is still shown of a batch that has ended.
    pub(crate) old_id: Option<(String, i64)>,
}

impl Disturbances {
    pub(crate) fn add(&mut self, injection: Injection) {
        let at = self.all[self.done..].partition_point(|one| one.from_us <= injection.from_us);
        self.all.insert(self.done + at, injection);
    }

    pub(crate) fn end(&mut self, fault: Fault, now_us: i64) {
        let done = self.done;
        let begun = self.all.iter_mut().take(done).filter(|one| one.fault == fault);
        begun.filter(|one| one.is_on(now_us)).for_each(|one| one.until_us = Some(now_us));
        let mut at = 0;
        self.all.retain(|one| {
            at += 1;
            at <= done || one.fault != fault
        });
    }

    /// The next one that has begun by then.
    pub(crate) fn take_due(&mut self, plant_us: i64) -> Option<Injection> {
        let due = self.all.get(self.done).copied().filter(|one| one.from_us <= plant_us)?;
        self.done += 1;
        Some(due)
    }

    /// The latest of a fault that is on.
    pub(crate) fn on(&self, fault: Fault, plant_us: i64) -> Option<&Injection> {
        let begun = &self.all[..self.done];
        begun.iter().rev().find(|one| one.fault == fault && one.is_on(plant_us))
    }

    /// How far the clocks of the PLCs are off, in microseconds.
    pub(crate) fn clock_off_us(&self, plant_us: i64) -> i64 {
        self.on(Fault::ClockStep, plant_us).map_or(0, |one| (one.value * 1e6) as i64)
    }

    /// Plant time that the heartbeats tell.
    pub(crate) fn heartbeat_us(&self, plant_us: i64) -> i64 {
        self.on(Fault::HeartbeatStuck, plant_us).map_or(plant_us, |one| one.from_us)
    }

    /// Tenths of a kilopascal by which the vacuum has fallen.
    pub(crate) fn vacuum_lost(&self, plant_us: i64) -> i16 {
        self.on(Fault::EmptyCapsuleBurst, plant_us).map_or(0, |one| {
            let since_us = (plant_us - one.from_us).min(VACUUM_FALLS_US);
            (since_us * 70 / VACUUM_FALLS_US) as i16
        })
    }

    /// Sees good capsules pass the outlet.
    pub(crate) fn see(&mut self, capsules: u64, plant_us: i64) {
        if let Some(one) = self.on(Fault::DoubleCount, plant_us) {
            self.seen_twice += capsules * (one.value / 100.0 * PARTS as f64).round() as u64;
        }
    }

    /// Capsules that the outlet saw a second time.
    pub(crate) fn seen_twice(&self) -> u64 {
        self.seen_twice / PARTS
    }

    /// The chance of a reject beside that of the machine, and the fault that it comes from.
    pub(crate) fn reject_chance(&self, plant_us: i64) -> Option<(f64, Fault)> {
        if let Some(one) = self.on(Fault::EmptyCapsuleBurst, plant_us) {
            return Some((one.value / 100.0, one.fault));
        }
        let one = self.on(Fault::RejectDrift, plant_us)?;
        let steps = (plant_us - one.from_us) / STEP_US + 1;
        let climbed = (steps * STEP_US).min(REJECTS_CLIMB_US) as f64 / REJECTS_CLIMB_US as f64;
        Some((one.value / 100.0 * climbed, one.fault))
    }

    /// The number of a batch as the registers show it.
    pub(crate) fn shown_id(&self, present: String, plant_us: i64) -> String {
        match &self.old_id {
            Some((id, until_us)) if plant_us < *until_us => id.clone(),
            _ => present,
        }
    }
}

/// Rejects beside those of the machine, with randomness of their own: without them nothing else changes.
#[derive(Clone, Debug)]
pub(crate) struct MoreRejects {
    pub(crate) rng: ChaCha8Rng,
    rare: Option<(f64, Rare)>,
    /// The fault that they come from.
    pub(crate) fault: Fault,
}

impl MoreRejects {
    pub(crate) fn new(seed: u64) -> MoreRejects {
        let rng = random::stream(seed, Stream::Injected);
        MoreRejects { rng, rare: None, fault: Fault::RejectDrift }
    }

    /// Sets the chance from now on.
    pub(crate) fn set(&mut self, chance: Option<(f64, Fault)>) {
        let Some((p, fault)) = chance else {
            self.rare = None;
            return;
        };
        self.fault = fault;
        if self.rare.as_ref().is_none_or(|(before, _)| *before != p) {
            self.rare = Some((p, Rare::new(p.clamp(1e-9, 0.999), &mut self.rng)));
        }
    }

    /// How many of the next capsules are hit.
    pub(crate) fn hits(&mut self, n: u32) -> u32 {
        self.rare.as_mut().map_or(0, |(_, rare)| rare.hits(n, &mut self.rng))
    }
}
