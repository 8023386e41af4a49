//! What one counter register can do. Decided once, when the map is read.

/// Where a register starts again at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modulus {
    /// It never wraps in the life of the line, or nobody knows where: a drop can only be a reset.
    None,
    /// It shows 0 after this many counts: 65,536 for 16 bits, 10,000 for four decimal digits.
    At(u64),
    /// It uses all 64 bits.
    Full64,
    /// A 32-bit float that counts in whole numbers. Above 2^24 additions are rounded or lost, so
    /// that it saturates instead of wrapping.
    Float32,
}

impl Modulus {
    /// The number of states of the register, if it wraps.
    pub(super) fn states(self) -> Option<u128> {
        match self {
            Modulus::None | Modulus::Float32 | Modulus::At(0) => None,
            Modulus::At(states) => Some(u128::from(states)),
            Modulus::Full64 => Some(1 << 64),
        }
    }
}

/// A fraction in integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    /// Above the line.
    pub num: u32,
    /// Below the line. 0 is read as 1.
    pub den: u32,
}

/// What sets a register back to 0, besides a restart of the controller ([`Settings::retentive`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Resets {
    /// The change of batch does.
    pub batch: bool,
    /// A person can, at any time and without a trace: then no evidence excludes a reset.
    pub manual: bool,
}

/// What a counter register can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where it wraps.
    pub modulus: Modulus,
    /// How far the true modulus may lie below `modulus`: 1 where the manual does not say whether
    /// the register "rolls over at 2,147,483,647" before or after showing that value.
    pub doubt: u64,
    /// The most the machine can make, in counts per minute, before tolerance.
    pub max_per_minute: u64,
    /// Factor on `max_per_minute`. 11/10: a machine runs up to a tenth above its design speed.
    pub tolerance: Fraction,
    /// Counts that arrive at once: 50 capsules in one stroke.
    pub step: u64,
    /// How long the register may stand still while the machine counts on, in microseconds: the
    /// cycle in which the controller refreshes it. 0 when it follows every stroke. A register
    /// refreshed once a second but polled at 50 Hz needs 1,000,000 here, or each refresh looks
    /// like an impossible jump.
    pub lag_us: i64,
    /// Whether it keeps its value when the controller restarts. `None`: nobody knows.
    pub retentive: Option<bool>,
    /// What else sets it back.
    pub resets: Resets,
    /// A count after missed polls is a gap from this duration on, in microseconds.
    pub gap_after_us: i64,
    /// How many polls the batch id may change before the counter is reset.
    pub batch_early: u8,
    /// How many polls the batch id may change after the counter was reset. Above 0, an unchanged
    /// id proves nothing, because its change may still be on the way.
    pub batch_late: u8,
    /// From where its number is read, as a mark ([`PlcMap::mapping`](crate::plc_map::PlcMap::mapping)); 0 where nobody
    /// says. Readings from two places have no difference.
    pub mapping: u32,
}

impl Default for Settings {
    /// A register of 6,500 counts a minute in strokes of 50 which never wraps, read from a
    /// controller of which nothing is known.
    fn default() -> Settings {
        Settings {
            modulus: Modulus::None,
            doubt: 0,
            max_per_minute: 6_500,
            tolerance: Fraction { num: 11, den: 10 },
            step: 50,
            lag_us: 0,
            retentive: None,
            resets: Resets::default(),
            gap_after_us: 2_000_000,
            batch_early: 3,
            batch_late: 3,
            mapping: 0,
        }
    }
}

impl Settings {
    /// Whether nothing sets it back, neither a command nor a restart.
    pub(super) fn is_lifetime(&self) -> bool {
        self.retentive == Some(true) && self.resets == Resets::default()
    }

    /// The most that can be counted in `t_us` microseconds: tolerance × design speed × t plus one
    /// stroke, because a stroke may fall on either side of a poll. Saturates.
    pub fn most_in(&self, t_us: i64) -> u64 {
        let t_us = t_us.max(0).saturating_add(self.lag_us.max(0)).unsigned_abs();
        let per_minute = self.max_per_minute.saturating_mul(u64::from(self.tolerance.num));
        let minute_us = 60_000_000 * u64::from(self.tolerance.den.max(1));
        let running = match t_us.checked_mul(per_minute) {
            Some(product) => product / minute_us,
            None => {
                let exact = u128::from(t_us) * u128::from(per_minute) / u128::from(minute_us);
                u64::try_from(exact).unwrap_or(u64::MAX)
            }
        };
        running.saturating_add(self.step)
    }
}
