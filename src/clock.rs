//! The only place where time enters: one clock for the whole service.

use domain::units::{Moment, SECOND_US};
use rustix::time::{ClockId, clock_gettime};

/// Wall clock and boot clock together, optionally running faster than real time for an accelerated demo.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Moment,
    real_origin_us: i64,
    speed: f64,
}

impl Clock {
    /// The real clock.
    pub fn real() -> Clock {
        Clock { origin: Moment::default(), real_origin_us: 0, speed: 1.0 }
    }

    /// A clock that is `ahead_us` ahead of the real one now and then runs `speed` times as fast.
    ///
    /// Both its times are moved alike, so that they keep their distance over any number of such clocks.
    pub fn accelerated(ahead_us: i64, speed: f64) -> Clock {
        let now = Clock::real().now();
        let origin = Moment { utc_us: now.utc_us + ahead_us, mono_us: now.mono_us + ahead_us };
        Clock { origin, real_origin_us: now.mono_us, speed }
    }

    /// Now.
    pub fn now(&self) -> Moment {
        if self.real_origin_us == 0 {
            return Moment { utc_us: utc_us(), mono_us: boot_us() };
        }
        let passed = ((boot_us() - self.real_origin_us) as f64 * self.speed) as i64;
        Moment { utc_us: self.origin.utc_us + passed, mono_us: self.origin.mono_us + passed }
    }

    /// How many times faster than real time it runs.
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

/// Wall clock in microseconds since 1970.
fn utc_us() -> i64 {
    let t = clock_gettime(ClockId::Realtime);
    t.tv_sec * SECOND_US + t.tv_nsec / 1_000
}

/// Boot clock in microseconds: goes on while the machine sleeps and never steps.
pub fn boot_us() -> i64 {
    let t = clock_gettime(ClockId::Boottime);
    t.tv_sec * SECOND_US + t.tv_nsec / 1_000
}
