//! An odometer beside counters: it rises with them and is never reset, so that it bounds what they can have counted.

use super::settings::{Modulus, Settings};

/// A total that is never reset, each count of which stands for so many capsules at most: strokes of a filler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odometer {
    /// Capsules that one count stands for at most.
    pub capsules: u64,
    /// Where it starts again at 0.
    pub modulus: Modulus,
}

impl Odometer {
    /// The most capsules that passed in `t_us` microseconds in which it went from `then` to `now`, for a counter with
    /// these settings. None if that is not certain: the step is more than the machine can make, so that the odometer
    /// was set or torn, or another wrap of it fits as well.
    pub fn most(&self, settings: &Settings, then: u64, now: u64, t_us: i64) -> Option<u64> {
        let states = self.modulus.states();
        let steps = match now >= then {
            true => u128::from(now - then),
            false => states?.checked_sub(u128::from(then - now))?,
        };
        let possible = u128::from(settings.most_in(t_us));
        let most = steps.checked_mul(u128::from(self.capsules))?;
        // A count stands for a capsule at least only while there are capsules: strokes may be empty. It is the speed
        // of the machine, full, that bounds how often the odometer itself can have wrapped.
        let wrapped = states.and_then(|states| (steps + states).checked_mul(self.capsules.into()));
        let certain = most <= possible && wrapped.is_none_or(|wrapped| wrapped > possible);
        certain.then(|| u64::try_from(most).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STROKES: Odometer = Odometer { capsules: 50, modulus: Modulus::At(1 << 16) };

    /// What 130 strokes a minute of 50 capsules leave possible in a minute: 7150 and one stroke.
    fn most(then: u64, now: u64, t_s: i64) -> Option<u64> {
        STROKES.most(&Settings::default(), then, now, t_s * 1_000_000)
    }

    #[test]
    fn each_stroke_is_fifty_capsules_at_most() {
        assert_eq!(most(100, 100, 60), Some(0));
        assert_eq!(most(100, 230, 60), Some(6_500));
        assert_eq!(most(65_500, 94, 60), Some(6_500), "130 strokes past its end");
    }

    #[test]
    fn a_step_that_no_machine_makes_bounds_nothing() {
        assert_eq!(most(100, 244, 60), Some(7_200));
        assert_eq!(most(100, 245, 60), None, "145 strokes are 7250, beyond 7200");
        assert_eq!(most(100, 99, 60), None, "it was set back");
    }

    #[test]
    fn an_odometer_that_may_have_wrapped_unseen_bounds_nothing() {
        // 65,536 strokes are 3,276,800 capsules, which take 458.3 minutes at 7150 a minute.
        assert_eq!(most(100, 101, 458 * 60), Some(50));
        assert_eq!(most(100, 101, 459 * 60), None);
    }
}
