//! The operator of the filler.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::random::{self, Stream};

/// Jams within [`CLUSTER_US`] of running that make a cluster.
const CLUSTER: usize = 3;
const CLUSTER_US: i64 = 3 * 60_000_000;
const LOWERED_US: i64 = 6 * 60_000_000;
/// By how much the speed is lowered.
const LOWERED_BY: std::ops::Range<f64> = 0.03..0.08;

/// Who runs the machine: after some jams close together it is set lower for a while.
#[derive(Clone, Debug)]
pub(super) struct Operator {
    rng: ChaCha8Rng,
    /// Running time of the last jams, the latest first.
    jams_run_us: [i64; CLUSTER],
    lowered_by: f64,
    lowered_until_run_us: i64,
}

impl Operator {
    pub(super) fn new(seed: u64) -> Operator {
        Operator {
            rng: random::stream(seed, Stream::Operator),
            jams_run_us: [i64::MIN / 2; CLUSTER],
            lowered_by: 0.0,
            lowered_until_run_us: 0,
        }
    }

    pub(super) fn note_jam(&mut self, run_us: i64) {
        self.jams_run_us.rotate_right(1);
        self.jams_run_us[0] = run_us;
        if run_us - self.jams_run_us[CLUSTER - 1] <= CLUSTER_US {
            self.lowered_by = self.rng.random_range(LOWERED_BY);
            self.lowered_until_run_us = run_us + LOWERED_US;
        }
    }

    /// Speed as a share of that of the preset.
    pub(super) fn share(&self, run_us: i64) -> f64 {
        if run_us < self.lowered_until_run_us { 1.0 - self.lowered_by } else { 1.0 }
    }
}
