//! Plant time: real time, scaled by a speed factor, that can be held.
//!
//! The model knows plant time only. Everything that depends on a real clock passes through here.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// A clock in microseconds of plant time that runs `speed` times as fast as real time.
#[derive(Debug)]
pub(crate) struct PlantClock {
    speed: f64,
    anchor: Mutex<Anchor>,
}

/// The plant time of one instant; without an instant the clock is held there.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    plant_us: i64,
    since: Option<Instant>,
}

impl PlantClock {
    /// Starts at `start_us` of plant time, running or held.
    pub(crate) fn new(start_us: i64, speed: f64, held: bool) -> PlantClock {
        let since = (!held).then(Instant::now);
        PlantClock { speed, anchor: Mutex::new(Anchor { plant_us: start_us, since }) }
    }

    /// Plant time now, in microseconds.
    pub(crate) fn now_us(&self) -> i64 {
        self.read(&self.anchor())
    }

    /// How many seconds of plant time pass in one real second.
    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }

    /// True while plant time stands still.
    pub(crate) fn is_held(&self) -> bool {
        self.anchor().since.is_none()
    }

    /// Stops plant time. When this returns, [`PlantClock::now_us`] no longer changes.
    pub(crate) fn hold(&self) {
        let mut anchor = self.anchor();
        *anchor = Anchor { plant_us: self.read(&anchor), since: None };
    }

    /// Lets plant time run again from where it stands.
    pub(crate) fn resume(&self) {
        let mut anchor = self.anchor();
        *anchor = Anchor { plant_us: self.read(&anchor), since: Some(Instant::now()) };
    }

    fn read(&self, anchor: &Anchor) -> i64 {
        let real_us = anchor.since.map_or(0.0, |since| since.elapsed().as_secs_f64() * 1e6);
        anchor.plant_us + (real_us * self.speed) as i64
    }

    fn anchor(&self) -> MutexGuard<'_, Anchor> {
        // The anchor is replaced as a whole, so a panic elsewhere cannot leave half of it.
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// UTC now in microseconds since 1970, for a plant that shall show the real date.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate where the date enters")]
pub fn utc_now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
