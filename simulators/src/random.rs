//! Randomness that can be repeated: one stream per concern, and rare events without a draw per
//! capsule.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is used for.
///
/// Each concern draws from a stream of its own, so that a new draw for one of them does not change
/// the others: the stops of seed 7 stay the stops of seed 7.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Pockets = 1,
    Rejects,
    Stops,
    Speed,
    Drift,
    Tooling,
    Weigher,
    Polisher,
    Detector,
    Counter,
    CounterStops,
    Faults,
    Operator,
    Injected,
    Mishaps,
    Causes,
}

pub(crate) fn stream(seed: u64, stream: Stream) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream as u64);
    rng
}

/// A generator for what belongs to one stroke of a filler alone, wherever and whenever it is asked for.
pub(crate) fn of_stroke(seed: u64, filler: u8, stroke: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stroke | u64::from(filler) << 48 | 1 << 63);
    rng
}

/// A generator for the weights of one sample alone.
pub(crate) fn of_sample(seed: u64, sample: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(sample | 1 << 62);
    rng
}

/// A generator for the capsules of one sample that are far off, so that all others weigh what they would without them.
pub(crate) fn of_outliers(seed: u64, sample: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(sample | 3 << 61);
    rng
}

/// A rare event with probability `p` at each capsule.
///
/// It draws the number of capsules up to the next event (a geometric variable) once per event, so
/// a stroke without one costs a subtraction. The result is the same as a draw per capsule.
#[derive(Clone, Debug)]
pub(crate) struct Rare {
    ln_miss: f64,
    ahead: u64,
}

impl Rare {
    pub(crate) fn new(p: f64, rng: &mut ChaCha8Rng) -> Rare {
        let mut rare = Rare { ln_miss: (-p).ln_1p(), ahead: 0 };
        rare.ahead = rare.draw(rng);
        rare
    }

    /// How many of the next `n` capsules are hit.
    pub(crate) fn hits(&mut self, n: u32, rng: &mut ChaCha8Rng) -> u32 {
        let (mut left, mut hits) = (u64::from(n), 0);
        while self.ahead < left {
            left -= self.ahead + 1;
            hits += 1;
            self.ahead = self.draw(rng);
        }
        self.ahead -= left;
        hits
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> u64 {
        // `1 - u` lies in (0, 1], so the logarithm is finite.
        ((1.0 - rng.random::<f64>()).ln() / self.ln_miss) as u64
    }
}
