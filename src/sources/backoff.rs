//! How long to wait before the next connection attempt. Pure: time and chance are arguments.

use std::time::Duration;

/// A device that has been away for less than this is tried as often as at first, so that it is read again as soon as it
/// is back: most outages are a restart, or a switch that was without power for a moment.
pub(super) const SHORT_ABSENCE: Duration = Duration::from_secs(30);

/// Delays that double from a shortest to a longest, once a device has been away for long.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Begins at `shortest`; a `longest` below it is raised to it.
    pub(super) fn new(shortest: Duration, longest: Duration) -> Backoff {
        // A zero would stay zero when doubled and hammer the device.
        let shortest = shortest.max(Duration::from_millis(10));
        Backoff { shortest, longest: longest.max(shortest), next: shortest }
    }

    /// The shortest delay with its jitter. It moves nothing.
    pub(super) fn brief(&self, jitter: f64) -> Duration {
        jittered(self.shortest, jitter)
    }

    /// The delay after a connection that worked until now: up to half the shortest, by `jitter` in `[0, 1]`.
    ///
    /// It begins the backoff afresh. All devices behind a switch lose their connections in one instant, so that even
    /// this delay needs its jitter.
    pub(super) fn first(&mut self, jitter: f64) -> Duration {
        self.next = self.shortest;
        self.shortest.mul_f64(jitter.clamp(0.0, 1.0) / 2.0)
    }

    /// The next delay for a device that has been away for `absent`: as [`Backoff::next`], but not growing yet while
    /// that is short.
    pub(super) fn next_after(&mut self, absent: Duration, jitter: f64) -> Duration {
        if absent < SHORT_ABSENCE {
            self.next = self.shortest;
        }
        self.next(jitter)
    }

    /// The next delay: the nominal one times `0.5 + jitter / 2`, with `jitter` in `[0, 1]`.
    ///
    /// The jitter keeps the devices of a line from knocking in step after a switch has come back.
    pub(super) fn next(&mut self, jitter: f64) -> Duration {
        let nominal = self.next;
        self.next = (nominal * 2).min(self.longest);
        jittered(nominal, jitter)
    }

    /// After a success: begin at the shortest again.
    pub(super) fn reset(&mut self) {
        self.next = self.shortest;
    }
}

/// A delay of which up to half is taken off by `jitter` in `[0, 1]`: nothing of it at 1.
pub(super) fn jittered(delay: Duration, jitter: f64) -> Duration {
    delay.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

/// A number in `[0, 1)` that differs from call to call; good enough to spread connection attempts.
pub(super) fn chance() -> f64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let bits = RandomState::new().build_hasher().finish();
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_to_the_longest_and_starts_again_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let mut ms =
            |n: usize| -> Vec<u128> { (0..n).map(|_| backoff.next(1.0).as_millis()).collect() };
        assert_eq!(ms(6), [100, 200, 400, 800, 1_000, 1_000]);
        backoff.reset();
        assert_eq!(backoff.next(1.0).as_millis(), 100);
    }

    #[test]
    fn it_does_not_grow_while_an_absence_is_short() {
        let mut backoff = Backoff::new(Duration::from_millis(60), Duration::from_secs(5));
        let mut ms =
            |absent_ms| backoff.next_after(Duration::from_millis(absent_ms), 1.0).as_millis();
        assert_eq!([0, 5_000, 29_999].map(&mut ms), [60, 60, 60]);
        assert_eq!([30_000, 30_060, 30_180, 90_000].map(&mut ms), [120, 240, 480, 960]);
        assert!(backoff.first(1.0).as_millis() == 30 && backoff.first(0.0).is_zero());
        assert_eq!(backoff.brief(0.0).as_millis(), 30);
        assert_eq!(backoff.next(1.0).as_millis(), 60);
    }

    /// Most attempts of `devices` to connect to one dead peer in any 10 ms of 5 s. They lose it in one instant; each
    /// refusal takes 0.1 ms.
    fn crowd(devices: usize, mut jitter: impl FnMut() -> f64) -> usize {
        let mut attempts_us: Vec<u128> = Vec::new();
        for _ in 0..devices {
            let mut backoff = Backoff::new(Duration::from_millis(60), Duration::from_secs(5));
            let mut now = backoff.first(jitter());
            while now < Duration::from_secs(5) {
                attempts_us.push(now.as_micros());
                now += Duration::from_micros(100) + backoff.next_after(now, jitter());
            }
        }
        attempts_us.sort_unstable();
        let in_10_ms =
            |from: usize| attempts_us[from..].partition_point(|at| at - attempts_us[from] < 10_000);
        (0..attempts_us.len()).map(in_10_ms).max().unwrap_or(0)
    }

    #[test]
    fn a_hundred_devices_on_one_dead_peer_knock_spread() {
        let most = crowd(100, chance);
        assert!(most <= 60, "{most} attempts in 10 ms");
        // The control: without chance they knock as one, again and again.
        assert_eq!(crowd(100, || 1.0), 100);
    }

    #[test]
    fn jitter_only_shortens_and_never_below_half() {
        for (jitter, ms) in [(0.0, 50), (0.5, 75), (1.0, 100), (7.0, 100), (-1.0, 50)] {
            let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
            assert_eq!(backoff.next(jitter).as_millis(), ms);
        }
    }

    #[test]
    fn a_zero_never_hammers() {
        let mut backoff = Backoff::new(Duration::ZERO, Duration::ZERO);
        for _ in 0..5 {
            assert!(backoff.next(0.0) >= Duration::from_millis(5));
        }
    }

    #[test]
    fn chance_differs_and_stays_in_range() {
        let drawn: Vec<f64> = (0..100).map(|_| chance()).collect();
        assert!(drawn.iter().all(|x| (0.0..1.0).contains(x)));
        assert!(drawn.windows(2).any(|w| w[0] != w[1]));
    }
}
