//! Run rules, one point at a time and with a bounded memory, for every chart.
//!
//! Definitions are those of Nelson 1984 (JQT 16(4)) with Minitab's defaults, Western Electric 1956 and AIAG SPC.
//! A rule is hit at the point that *completes* its pattern and at each further point while it stays complete.
//! Comparisons are strict: a point on a limit is not beyond it, a point on the centre line is on neither side.

mod engine;

use std::fmt;

pub use engine::RuleEngine;
pub(super) use engine::Run;

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

    /// Of these rules the ones that Minitab allows on ranges, standard deviations and moving ranges: single points,
    /// sides, trends and alternation. The skewed law of a dispersion makes zones meaningless.
    #[must_use]
    pub fn for_dispersion(&self) -> RuleSet {
        let zoned = |rule: &&Rule| {
            matches!(
                rule.pattern,
                Pattern::Cluster { .. } | Pattern::Within { .. } | Pattern::Outside { .. }
            )
        };
        RuleSet(self.0.iter().filter(|rule| !zoned(rule)).copied().collect())
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

#[cfg(test)]
mod tests;
