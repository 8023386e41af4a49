//! Keeps a message that may come a hundred times a second from flooding the log.

use std::time::{Duration, Instant};

/// A message passes at most this often.
const EVERY: Duration = Duration::from_secs(10);

/// Lets a message pass now and then and counts the others.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    passed: Option<Instant>,
    held: u64,
}

impl Throttle {
    /// Whether the message may pass now: how many were held back since the last that did.
    pub(super) fn pass(&mut self, now: Instant) -> Option<u64> {
        if self.passed.is_some_and(|at| now.saturating_duration_since(at) < EVERY) {
            self.held += 1;
            return None;
        }
        self.passed = Some(now);
        Some(std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_passes_and_later_ones_are_counted() {
        let mut throttle = Throttle::default();
        let start = Instant::now();
        assert_eq!(throttle.pass(start), Some(0));
        for ms in 1..=30 {
            assert_eq!(throttle.pass(start + Duration::from_millis(ms)), None);
        }
        assert_eq!(throttle.pass(start + EVERY), Some(30));
        assert_eq!(throttle.pass(start + 2 * EVERY), Some(0));
    }
}
