//! The engine that judges: what each rule remembers, and how one point changes it.

use super::{Hits, Pattern, RuleSet};

/// Half-width of the band round a threshold that counts as "on" it, in sigma: ties survive rounding.
const GUARD: f64 = 1e-9;

/// Judges a series by a [`RuleSet`], one point at a time. Its memory does not grow with the series.
#[derive(Clone, Debug)]
pub struct RuleEngine {
    rules: RuleSet,
    runs: Vec<Run>,
    previous: Option<f64>,
}

/// What one rule remembers of the points before: everything that a later hit can depend on, and nothing else,
/// so that two equal memories have the same future (the Markov chain of [`crate::spc::arl`] rests on this).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::spc) struct Run {
    length: u32,
    sign: i8,
    above: u64,
    below: u64,
}

impl RuleEngine {
    /// An engine that has seen nothing.
    pub fn new(rules: RuleSet) -> RuleEngine {
        let runs = vec![Run::default(); rules.rules().len()];
        RuleEngine { rules, runs, previous: None }
    }

    /// Judges the next point: `stat` as plotted (trends compare it with its neighbour) and its distance `z` from
    /// the centre line in sigma. A NaN is a gap.
    pub fn push(&mut self, stat: f64, z: f64) -> Hits {
        if stat.is_nan() || z.is_nan() {
            self.gap();
            return Hits::NONE;
        }
        let step = self.previous.map(|previous| step(previous, stat));
        self.previous = Some(stat);
        let mut hits = Hits::NONE;
        for (rule, run) in self.rules.rules().iter().zip(&mut self.runs) {
            if run.advance(rule.pattern(), z, step) {
                hits = hits.with(rule.id());
            }
        }
        hits
    }

    /// Forgets the past: the line stopped, a point is missing or a new stage begins, and no run spans that.
    pub fn gap(&mut self) {
        self.runs.fill(Run::default());
        self.previous = None;
    }

    pub(in crate::spc) fn memory(&self) -> &[Run] {
        &self.runs
    }

    /// The rules that judge.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }
}

impl Run {
    fn advance(&mut self, pattern: Pattern, z: f64, step: Option<i8>) -> bool {
        match pattern {
            Pattern::Beyond { k } => beyond(z.abs(), k),
            Pattern::SameSide { n } => {
                let side = side(z);
                let length = if side == self.sign { self.length + 1 } else { 1 };
                self.reach(if side == 0 { 0 } else { length }, side, n)
            }
            Pattern::Trend { n } => self.follow(step, n, |last, now| now == last),
            Pattern::Alternating { n } => self.follow(step, n, |last, now| now == -last),
            Pattern::Cluster { k, n, zone, partial_window } => {
                let seen_enough = partial_window || self.reach(self.length + 1, 0, n);
                let above = shift(&mut self.above, beyond(z, zone), n);
                let below = shift(&mut self.below, beyond(-z, zone), n);
                seen_enough && (above >= k && beyond(z, zone) || below >= k && beyond(-z, zone))
            }
            Pattern::Within { n, zone } => {
                self.reach(if z.abs() < zone - GUARD { self.length + 1 } else { 0 }, 0, n)
            }
            Pattern::Outside { n, zone, both_sides } => {
                let complete =
                    self.reach(if beyond(z.abs(), zone) { self.length + 1 } else { 0 }, 0, n);
                if !both_sides {
                    return complete;
                }
                let above = shift(&mut self.above, beyond(z, zone), n);
                complete && above > 0 && above < n
            }
        }
    }

    /// A run of steps: `continues(last, now)` says whether a step goes on with it. Equal neighbours end it.
    fn follow(&mut self, step: Option<i8>, n: u32, continues: fn(i8, i8) -> bool) -> bool {
        match step {
            None | Some(0) => self.reach(1, 0, n),
            Some(now) if self.sign != 0 && continues(self.sign, now) => {
                self.reach(self.length + 1, now, n)
            }
            Some(now) => self.reach(2, now, n),
        }
    }

    /// Stores the run, counting no further than `n`, and says whether it is complete.
    fn reach(&mut self, length: u32, sign: i8, n: u32) -> bool {
        *self = Run { length: length.min(n), sign, ..*self };
        self.length >= n
    }
}

/// Appends a bit to a window of `n` points and counts its ones; keeps the `n - 1` bits that the next point needs.
fn shift(window: &mut u64, bit: bool, n: u32) -> u32 {
    let with_new = *window << 1 | u64::from(bit);
    let n_ones = (with_new & ones(n)).count_ones();
    *window = with_new & ones(n - 1);
    n_ones
}

fn ones(n: u32) -> u64 {
    if n >= 64 { u64::MAX } else { (1 << n) - 1 }
}

fn beyond(z: f64, k: f64) -> bool {
    z > k + GUARD
}

fn side(z: f64) -> i8 {
    i8::from(z > GUARD) - i8::from(z < -GUARD)
}

/// The direction from one plotted value to the next; a difference of a few rounding errors is none, because a mean
/// of the same weights in another order must not make a trend.
fn step(from: f64, to: f64) -> i8 {
    let tie = 4.0 * f64::EPSILON * from.abs().max(to.abs());
    i8::from(to - from > tie) - i8::from(from - to > tie)
}
