//! Run rules, one point at a time and with a bounded memory, for every chart.
//!
//! Definitions are those of Nelson 1984 (JQT 16(4)) with Minitab's defaults, Western Electric 1956 and AIAG SPC.
//! A rule is hit at the point that *completes* its pattern and at each further point while it stays complete.
//! Comparisons are strict: a point on a limit is not beyond it, a point on the centre line is on neither side.

use std::fmt;

/// Half-width of the band round a threshold that counts as "on" it, in sigma: ties survive rounding.
const GUARD: f64 = 1e-9;

/// The name of a rule, as it appears in results, pages and stored signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "RuleId::meaning holds the sentence for each, where users can read it too"
)]
pub enum RuleId {
    N1,
    N2,
    N3,
    N4,
    N5,
    N6,
    N7,
    N8,
    We1,
    We2,
    We3,
    We4,
    Aiag2,
    Limit,
    Upper,
    Lower,
}

impl RuleId {
    /// Every rule, in the order in which one point's hits are listed.
    pub const ALL: [RuleId; 16] = {
        use RuleId::*;
        [N1, N2, N3, N4, N5, N6, N7, N8, We1, We2, We3, We4, Aiag2, Limit, Upper, Lower]
    };

    /// The short name: `N1`, `WE2`, `AIAG2`, `LIMIT`.
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 16] = [
            "N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "WE1", "WE2", "WE3", "WE4", "AIAG2",
            "LIMIT", "UPPER", "LOWER",
        ];
        NAMES[self as usize]
    }

    /// What the rule says with its usual lengths, for a person in front of a page.
    pub const fn meaning(self) -> &'static str {
        match self {
            RuleId::N1 | RuleId::We1 => "one point beyond three sigma",
            RuleId::N2 => "nine points in a row on one side of the centre line",
            RuleId::N3 => "six points in a row rising or falling",
            RuleId::N4 => "fourteen points in a row alternating up and down",
            RuleId::N5 | RuleId::We2 => "two of three points beyond two sigma on the same side",
            RuleId::N6 | RuleId::We3 => "four of five points beyond one sigma on the same side",
            RuleId::N7 => "fifteen points in a row within one sigma",
            RuleId::N8 => "eight points in a row beyond one sigma on either side",
            RuleId::We4 => "eight points in a row on one side of the centre line",
            RuleId::Aiag2 => "seven points in a row on one side of the centre line",
            RuleId::Limit => "a point outside the drawn limits",
            RuleId::Upper => "the upper cumulative sum above its decision interval",
            RuleId::Lower => "the lower cumulative sum above its decision interval",
        }
    }

    /// The rule of that short name.
    pub fn parse(name: &str) -> Option<RuleId> {
        RuleId::ALL.into_iter().find(|id| id.name() == name)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The rules that one point completes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Hits(u16);

impl Hits {
    /// No rule.
    pub const NONE: Hits = Hits(0);

    /// These hits and `id`.
    #[must_use]
    pub const fn with(self, id: RuleId) -> Hits {
        Hits(self.0 | 1 << id as u16)
    }

    /// Whether `id` is among them.
    pub const fn contains(self, id: RuleId) -> bool {
        self.0 & (1 << id as u16) != 0
    }

    /// Whether the point is free of signals.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rules, in the order of [`RuleId::ALL`].
    pub fn iter(self) -> impl Iterator<Item = RuleId> {
        RuleId::ALL.into_iter().filter(move |&id| self.contains(id))
    }
}

impl fmt::Debug for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What a rule looks for. Lengths count points, distances are in sigma.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pattern {
    /// One point farther than `k` from the centre line.
    Beyond {
        /// Distance in sigma.
        k: f64,
    },
    /// `n` points in a row on one side of the centre line.
    SameSide {
        /// Length in points.
        n: u32,
    },
    /// `n` points in a row rising, or falling: `n - 1` steps.
    Trend {
        /// Length in points.
        n: u32,
    },
    /// `n` points in a row alternating up and down: `n - 1` steps.
    Alternating {
        /// Length in points.
        n: u32,
    },
    /// `k` of `n` points beyond `zone` on the same side, the last one among them.
    Cluster {
        /// How many must be in the zone.
        k: u32,
        /// Among how many.
        n: u32,
        /// Distance in sigma.
        zone: f64,
        /// Whether `k` points suffice before `n` have been seen since the start or a gap (Champ & Woodall 1987).
        partial_window: bool,
    },
    /// `n` points in a row nearer than `zone`.
    Within {
        /// Length in points.
        n: u32,
        /// Distance in sigma.
        zone: f64,
    },
    /// `n` points in a row farther than `zone`.
    Outside {
        /// Length in points.
        n: u32,
        /// Distance in sigma.
        zone: f64,
        /// Nelson's wording wants points on both sides among the `n`; Minitab's does not.
        both_sides: bool,
    },
}

/// A pattern with the name it is reported under.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    id: RuleId,
    pattern: Pattern,
}

impl Rule {
    /// The longest window of [`Pattern::Cluster`] and [`Pattern::Outside`]: one bit a point in a machine word.
    pub const MAX_WINDOW: u32 = 64;

    /// A rule with its own lengths. Lengths are moved into what can be counted: at least one point,
    /// at most [`Rule::MAX_WINDOW`] in a window, and no more hits than points.
    pub fn new(id: RuleId, pattern: Pattern) -> Rule {
        let at_least_one = |n: u32| n.max(1);
        let window = |n: u32| n.clamp(1, Rule::MAX_WINDOW);
        let pattern = match pattern {
            Pattern::Beyond { k } => Pattern::Beyond { k },
            Pattern::SameSide { n } => Pattern::SameSide { n: at_least_one(n) },
            Pattern::Trend { n } => Pattern::Trend { n: at_least_one(n) },
            Pattern::Alternating { n } => Pattern::Alternating { n: at_least_one(n) },
            Pattern::Cluster { k, n, zone, partial_window } => {
                Pattern::Cluster { k: k.clamp(1, window(n)), n: window(n), zone, partial_window }
            }
            Pattern::Within { n, zone } => Pattern::Within { n: at_least_one(n), zone },
            Pattern::Outside { n, zone, both_sides } => {
                Pattern::Outside { n: window(n), zone, both_sides }
            }
        };
        Rule { id, pattern }
    }

    /// The rule as its source defines it. `None` for [`RuleId::Limit`], [`RuleId::Upper`] and [`RuleId::Lower`],
    /// which compare with drawn limits and are no pattern of z.
    pub fn standard(id: RuleId) -> Option<Rule> {
        let cluster = |k, n, zone| Pattern::Cluster { k, n, zone, partial_window: true };
        let pattern = match id {
            RuleId::N1 | RuleId::We1 => Pattern::Beyond { k: 3.0 },
            RuleId::N2 => Pattern::SameSide { n: 9 },
            RuleId::We4 => Pattern::SameSide { n: 8 },
            RuleId::Aiag2 => Pattern::SameSide { n: 7 },
            RuleId::N3 => Pattern::Trend { n: 6 },
            RuleId::N4 => Pattern::Alternating { n: 14 },
            RuleId::N5 | RuleId::We2 => cluster(2, 3, 2.0),
            RuleId::N6 | RuleId::We3 => cluster(4, 5, 1.0),
            RuleId::N7 => Pattern::Within { n: 15, zone: 1.0 },
            RuleId::N8 => Pattern::Outside { n: 8, zone: 1.0, both_sides: false },
            RuleId::Limit | RuleId::Upper | RuleId::Lower => return None,
        };
        Some(Rule { id, pattern })
    }

    /// The name it is reported under.
    pub const fn id(&self) -> RuleId {
        self.id
    }

    /// What it looks for.
    pub const fn pattern(&self) -> Pattern {
        self.pattern
    }
}

/// The rules of one chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleSet(Vec<Rule>);

impl RuleSet {
    /// The standard rules of these names; names without a pattern are left out.
    pub fn standard(ids: &[RuleId]) -> RuleSet {
        RuleSet(ids.iter().filter_map(|&id| Rule::standard(id)).collect())
    }

    /// Rules with lengths of one's own.
    pub fn custom(rules: impl IntoIterator<Item = Rule>) -> RuleSet {
        RuleSet(rules.into_iter().collect())
    }

    /// What pages by default: N1 and N2. The other six cost a third of the in-control run length and find a
    /// one-sigma shift no sooner (9.70 against 9.62 points).
    pub fn alarm() -> RuleSet {
        RuleSet::standard(&[RuleId::N1, RuleId::N2])
    }

    /// Nelson 1–8, for the study of a baseline.
    pub fn nelson() -> RuleSet {
        RuleSet::standard(&RuleId::ALL[..8])
    }

    /// Nelson 1–4: all that Minitab allows on ranges, standard deviations and moving ranges, whose skewed law
    /// makes zones meaningless.
    pub fn dispersion() -> RuleSet {
        RuleSet::standard(&RuleId::ALL[..4])
    }

    /// Western Electric 1956.
    pub fn western_electric() -> RuleSet {
        RuleSet::standard(&RuleId::ALL[8..12])
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.0
    }

    /// Whether `id` is one of them.
    pub fn contains(&self, id: RuleId) -> bool {
        self.0.iter().any(|rule| rule.id == id)
    }
}

/// Judges a series by a [`RuleSet`], one point at a time. Its memory does not grow with the series.
#[derive(Clone, Debug)]
pub struct RuleEngine {
    rules: RuleSet,
    runs: Vec<Run>,
    previous: Option<f64>,
}

/// What one rule remembers of the points before: everything that a later hit can depend on, and nothing else,
/// so that two equal memories have the same future (the Markov chain of [`super::arl`] rests on this).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Run {
    length: u32,
    sign: i8,
    above: u64,
    below: u64,
}

impl RuleEngine {
    /// An engine that has seen nothing.
    pub fn new(rules: RuleSet) -> RuleEngine {
        let runs = vec![Run::default(); rules.0.len()];
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
        for (rule, run) in self.rules.0.iter().zip(&mut self.runs) {
            if run.advance(rule.pattern, z, step) {
                hits = hits.with(rule.id);
            }
        }
        hits
    }

    /// Forgets the past: the line stopped, a point is missing or a new stage begins, and no run spans that.
    pub fn gap(&mut self) {
        self.runs.fill(Run::default());
        self.previous = None;
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
