//! Exact fractions, so that a KPI is rounded once: where it is shown.

use std::cmp::Ordering;
use std::fmt;

/// A fraction that is not negative, in lowest terms.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    num: u128,
    den: u128,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Ratio = Ratio { num: 0, den: 1 };
    /// All of it, 100 %.
    pub const ONE: Ratio = Ratio { num: 1, den: 1 };

    /// `num / den`; `None` (undefined) if `den` is 0.
    pub fn new(num: u128, den: u128) -> Option<Ratio> {
        if den == 0 {
            return None;
        }
        let common = gcd(num, den);
        Some(Ratio { num: num / common, den: den / common })
    }

    /// A whole number.
    pub const fn whole(n: u64) -> Ratio {
        Ratio { num: n as u128, den: 1 }
    }

    /// A decimal as written, exactly: `0.95` is 19/20. `None` if it is negative, not finite or has
    /// more than 15 digits before the point.
    pub fn decimal(x: f64) -> Option<Ratio> {
        if !(0.0..1e15).contains(&x) {
            return None;
        }
        // The shortest text that reads back as x is what was written in the file.
        let text = format!("{x}");
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        // More decimals than 20 are beyond what a float of this size can mean.
        let decimals = decimals.get(..20).unwrap_or(decimals);
        let den = 10u128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
        let whole: u128 = whole.parse().ok()?;
        let part: u128 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
        Ratio::new(whole.checked_mul(den)?.checked_add(part)?, den)
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Ratio) -> Ratio {
        self.exact_sum(other).or_else(|| self.coarse().exact_sum(other.coarse())).unwrap_or(self)
    }

    /// The product.
    #[must_use]
    pub fn times(self, other: Ratio) -> Ratio {
        self.exact_product(other)
            .or_else(|| self.coarse().exact_product(other.coarse()))
            .unwrap_or(self)
    }

    /// The quotient; `None` (undefined) if `other` is 0.
    pub fn over(self, other: Ratio) -> Option<Ratio> {
        Some(self.times(Ratio::new(other.den, other.num)?))
    }

    fn exact_sum(self, other: Ratio) -> Option<Ratio> {
        let common = gcd(self.den, other.den);
        let (left, right) = (other.den / common, self.den / common);
        let num = self.num.checked_mul(left)?.checked_add(other.num.checked_mul(right)?)?;
        Ratio::new(num, self.den.checked_mul(left)?)
    }

    fn exact_product(self, other: Ratio) -> Option<Ratio> {
        let (across, back) = (gcd(self.num, other.den), gcd(other.num, self.den));
        Ratio::new(
            (self.num / across).checked_mul(other.num / back)?,
            (self.den / back).checked_mul(other.den / across)?,
        )
    }

    /// The fraction over a power of two with 62 bits on either side, so that no sum or product of two exceeds 128.
    /// Only factors that are given with many decimals come here. The relative error is below 2⁻⁶⁰, far below a
    /// float's.
    fn coarse(self) -> Ratio {
        const ROOM: u32 = 62;
        if self.num < self.den && self.num > 0 {
            let Ratio { num, den } = Ratio { num: self.den, den: self.num }.coarse();
            return Ratio { num: den, den: num };
        }
        let (mut num, mut rest) = (self.num / self.den, self.num % self.den);
        // Whole numbers beyond the room are kept as they are, one product of which saturates.
        let bits = ROOM.saturating_sub(u128::BITS - num.leading_zeros()).min(ROOM - 1);
        for _ in 0..bits {
            // `rest < den`: twice the rest less the den is written without overflow.
            let carry = rest >= self.den - rest;
            rest = if carry { rest - (self.den - rest) } else { rest * 2 };
            num = num * 2 + u128::from(carry);
        }
        Ratio::new(num, 1 << bits).unwrap_or(self)
    }

    /// The numerator.
    pub const fn num(self) -> u128 {
        self.num
    }

    /// The denominator, never 0.
    pub const fn den(self) -> u128 {
        self.den
    }

    /// The nearest float, for showing.
    pub fn value(self) -> f64 {
        self.num as f64 / self.den as f64
    }
}

impl Ord for Ratio {
    /// Compares like long division: whole parts first, then the turned remainders.
    fn cmp(&self, other: &Ratio) -> Ordering {
        let (mut a, mut b, mut turned) = (*self, *other, false);
        loop {
            let order = (a.num / a.den).cmp(&(b.num / b.den));
            let (left, right) = (a.num % a.den, b.num % b.den);
            let order = match order {
                Ordering::Equal if left == 0 || right == 0 => left.cmp(&right),
                Ordering::Equal => {
                    (a, b) = (Ratio { num: a.den, den: left }, Ratio { num: b.den, den: right });
                    turned = !turned;
                    continue;
                }
                order => order,
            };
            return if turned { order.reverse() } else { order };
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Ratio) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
