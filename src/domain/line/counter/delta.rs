//! What the ledger says about one piece of time: the count, its cause and every doubt.

use std::fmt;

use crate::units::{Count, Moment};

/// Why a count is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The first value ever: nothing is counted, counting starts here.
    First,
    /// The counter went on.
    Step,
    /// The counter passed its end and started again at 0.
    Wrap,
    /// The counter was set back to 0.
    Reset,
    /// The counter was set to another value, or its meaning changed.
    Preset,
    /// The counter went on while it could not be read.
    Gap,
    /// The same reading again, or an older one that arrived late.
    Duplicate,
    /// A reading that was never a count: a torn register or a glitch.
    Torn,
    /// A reading that waits for one more poll before it is believed. It covers no time.
    Quarantined,
}

impl Cause {
    /// The word used in storage, JSON and logs.
    pub fn word(self) -> &'static str {
        match self {
            Cause::First => "first",
            Cause::Step => "step",
            Cause::Wrap => "wrap",
            Cause::Reset => "reset",
            Cause::Preset => "preset",
            Cause::Gap => "gap",
            Cause::Duplicate => "duplicate",
            Cause::Torn => "torn",
            Cause::Quarantined => "quarantined",
        }
    }
}

/// Remarks on a delta; a small set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u16);

impl Flags {
    /// The sample was older than one already counted, and was dropped.
    pub const LATE: Flags = Flags(1);
    /// Polls were missed before this sample.
    pub const AFTER_MISS: Flags = Flags(1 << 1);
    /// The service itself was down before this sample.
    pub const RESUMED: Flags = Flags(1 << 2);
    /// A reset that was overtaken before the next sample would look the same, and nothing that was
    /// read beside the counter excludes one. The count holds only if there was none.
    pub const UNVERIFIED: Flags = Flags(1 << 3);
    /// The register is a float beyond 2^24: it loses counts.
    pub const SATURATED: Flags = Flags(1 << 4);
    /// The value lies beyond the configured modulus, which must be wrong.
    pub const BEYOND_MODULUS: Flags = Flags(1 << 5);
    /// Sibling counters contradict every explanation, and were not used.
    pub const CONTRADICTED: Flags = Flags(1 << 6);
    /// The clock of the device stepped.
    pub const CLOCK_STEP: Flags = Flags(1 << 7);
    /// Faster than the machine can run for one poll, but in line with the next: readings arrived
    /// unevenly.
    pub const BURST: Flags = Flags(1 << 8);
    /// `initial + Σ deltas = final` does not hold: an error of ours or a damaged baseline. Alarm.
    pub const VIOLATION: Flags = Flags(1 << 9);

    const WORDS: [(Flags, &'static str); 10] = [
        (Flags::LATE, "late"),
        (Flags::AFTER_MISS, "after_miss"),
        (Flags::RESUMED, "resumed"),
        (Flags::UNVERIFIED, "unverified"),
        (Flags::SATURATED, "saturated"),
        (Flags::BEYOND_MODULUS, "beyond_modulus"),
        (Flags::CONTRADICTED, "contradicted"),
        (Flags::CLOCK_STEP, "clock_step"),
        (Flags::BURST, "burst"),
        (Flags::VIOLATION, "violation"),
    ];

    /// No remark.
    pub const fn none() -> Flags {
        Flags(0)
    }

    /// Whether there is no remark.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all remarks of `other` are among these.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Adds the remarks of `other`.
    pub fn set(&mut self, other: Flags) {
        self.0 |= other.0;
    }

    /// These remarks and those of `other`.
    #[must_use]
    pub const fn union(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// These remarks and, if `condition` holds, those of `other`.
    #[must_use]
    pub fn with(self, other: Flags, condition: bool) -> Flags {
        Flags(self.0 | if condition { other.0 } else { 0 })
    }

    /// The remarks as words in snake case.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Flags::WORDS.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, word)| word)
    }

    /// The bits, for storage.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The flags of stored bits.
    pub const fn from_bits(bits: u16) -> Flags {
        Flags(bits)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.words()).finish()
    }
}

/// One explanation of what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hypothesis {
    /// What would have happened.
    pub cause: Cause,
    /// What would have been counted.
    pub count: Count,
    /// Why this is possible, in a sentence for a quality engineer.
    pub why: String,
}

/// What was counted from one moment to another. Deltas follow each other without overlap; a
/// quarantined, torn or duplicate reading has `from == to` and counts nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The sample this count starts from.
    pub from: Moment,
    /// The sample it ends with.
    pub to: Moment,
    /// The capsules counted.
    pub count: Count,
    /// Why.
    pub cause: Cause,
    /// Remarks.
    pub flags: Flags,
    /// Every explanation that the evidence leaves, and why. Only when there was doubt or something
    /// to explain; an ordinary step has none.
    pub hypotheses: Option<Box<[Hypothesis]>>,
}

impl Delta {
    /// Whether nobody needs to be told: an exact step, or the same reading again. A step that is
    /// only unverified, or follows a short miss, is ordinary too: while a counter without evidence
    /// is low, every step of it is. So is a late reading, which adds nothing.
    pub fn is_ordinary(&self) -> bool {
        let silent = Flags::AFTER_MISS.union(Flags::UNVERIFIED).union(Flags::LATE);
        matches!(self.cause, Cause::Step | Cause::Duplicate)
            && self.count.is_exact()
            && silent.contains(self.flags)
    }
}
