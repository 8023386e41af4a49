//! Counts with their doubt, moments in time and identifiers. No arithmetic on floats lives here.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::sync::Arc;

/// A number of capsules of which the true value is known to lie in `[low, high]`.
///
/// `best` is the best supported single value. `low <= best <= high` always holds; equality of all three means
/// that the count is exact. Sums saturate at `u64::MAX`, which no line reaches in the age of the universe.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Count {
    low: u64,
    best: u64,
    high: u64,
}

impl Count {
    /// No capsule, known exactly.
    pub const ZERO: Count = Count::exact(0);

    /// A count without doubt.
    pub const fn exact(n: u64) -> Count {
        Count { low: n, best: n, high: n }
    }

    /// A count in `[low, high]`; `best` is moved into the interval, and a reversed interval is turned round.
    pub fn between(low: u64, best: u64, high: u64) -> Count {
        let (low, high) = (low.min(high), low.max(high));
        Count { low, best: best.clamp(low, high), high }
    }

    /// The least that the truth can be.
    pub const fn low(self) -> u64 {
        self.low
    }

    /// The best supported value.
    pub const fn best(self) -> u64 {
        self.best
    }

    /// The most that the truth can be.
    pub const fn high(self) -> u64 {
        self.high
    }

    /// Whether there is no doubt.
    pub const fn is_exact(self) -> bool {
        self.low == self.high
    }

    /// Whether nothing was counted, for certain.
    pub const fn is_zero(self) -> bool {
        self.high == 0
    }

    /// Whether `n` can be the truth.
    pub const fn contains(self, n: u64) -> bool {
        self.low <= n && n <= self.high
    }

    /// Width of the interval: 0 for an exact count.
    pub const fn width(self) -> u64 {
        self.high - self.low
    }

    /// Every bound multiplied by `n`, for instance bottles to capsules.
    #[must_use]
    pub const fn times(self, n: u64) -> Count {
        Count {
            low: self.low.saturating_mul(n),
            best: self.best.saturating_mul(n),
            high: self.high.saturating_mul(n),
        }
    }

    /// Every count as `least` to `most` of something else: events of a metal detector as capsules. Best in the middle.
    #[must_use]
    pub const fn spread(self, least: u64, most: u64) -> Count {
        let middle = least.saturating_add(most) / 2;
        Count {
            low: self.low.saturating_mul(least),
            best: self.best.saturating_mul(middle),
            high: self.high.saturating_mul(most),
        }
    }

    /// The count less an earlier part of itself, both known to belong to one running total.
    ///
    /// Bounds are subtracted one by one, because the doubt of the part is contained in the whole.
    #[must_use]
    pub fn since(self, earlier: Count) -> Count {
        Count::between(
            self.low.saturating_sub(earlier.low),
            self.best.saturating_sub(earlier.best),
            self.high.saturating_sub(earlier.high),
        )
    }
}

impl Add for Count {
    type Output = Count;
    fn add(self, other: Count) -> Count {
        Count {
            low: self.low.saturating_add(other.low),
            best: self.best.saturating_add(other.best),
            high: self.high.saturating_add(other.high),
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Count) {
        *self = *self + other;
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Count>>(counts: I) -> Count {
        counts.fold(Count::ZERO, Add::add)
    }
}

/// `812` when exact, `812 [800, 830]` otherwise.
impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_exact() {
            true => write!(f, "{}", self.best),
            false => write!(f, "{} [{}, {}]", self.best, self.low, self.high),
        }
    }
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One moment on two clocks, both in microseconds.
///
/// `utc_us` (since 1970) labels, `mono_us` (since an arbitrary start, never steps, counts through suspend)
/// measures. Durations are always taken from `mono_us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Moment {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub utc_us: i64,
    /// Microseconds of the boot clock.
    pub mono_us: i64,
}

impl Moment {
    /// The moment in the middle between this one and another.
    pub fn midway(self, to: Moment) -> Moment {
        Moment {
            utc_us: self.utc_us + (to.utc_us - self.utc_us) / 2,
            mono_us: self.mono_us + (to.mono_us - self.mono_us) / 2,
        }
    }
}

/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE_US: i64 = 60 * SECOND_US;
/// Microseconds in an hour.
pub const HOUR_US: i64 = 60 * MINUTE_US;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a name that was checked where it was read.
            pub fn new(name: impl Into<Arc<str>>) -> $name {
                $name(name.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

identifier!(
    /// A production line, for instance `L1`.
    LineId
);
identifier!(
    /// A machine of a line, for instance `CF01`. Unique within the plant.
    StationId
);
identifier!(
    /// A tag as the plant names it, for instance `CF01.Rej.Unseparated`. Unique within its map.
    TagId
);
identifier!(
    /// Why a capsule was rejected, in snake case: `unseparated`, `no_dose`, …
    Reason
);
