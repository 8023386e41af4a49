//! How long to wait before the next connection attempt. Pure: chance is an argument.

use std::time::Duration;

/// Doubling delays from a shortest to a longest.
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

    /// The next delay: the nominal one times `0.5 + jitter / 2`, with `jitter` in `[0, 1]`.
    ///
    /// The jitter keeps the devices of a line from knocking in step after a switch has come back.
    pub(super) fn next(&mut self, jitter: f64) -> Duration {
        let nominal = self.next;
        self.next = (nominal * 2).min(self.longest);
        nominal.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }

    /// After a success: begin at the shortest again.
    pub(super) fn reset(&mut self) {
        self.next = self.shortest;
    }
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
