//! Weights as exact sums: what was weighed in a minute, and what is known to be missing of it.
//!
//! A chart needs the number, the mean and the standard deviation of the capsules of a subgroup. All three follow from
//! three whole numbers (how many, the sum, the sum of squares, in micrograms), and whole numbers can be added up in any
//! order and in any parts: the minutes of a subgroup give exactly what the subgroup weighed at once would give. A float
//! appears where a device sends one and where a chart asks for one, never between.
//!
//! A rolling mean, as many checkweighers show it, is no such measure: two readings of it share most of their capsules.
//! What is taken in here is published under a running number (see [`super::weighing`]), each number once.

use std::ops::Add;

use crate::units::StationId;

/// The heaviest capsule that is believed, in micrograms: ten grams. It also keeps the squares of a minute in 63 bits.
pub const HEAVIEST_UG: u64 = 10_000_000;

/// What is published under one running number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// The single weights of a sample that was taken out to be inspected.
    Sample,
    /// Number, mean and standard deviation of all that was weighed in an interval.
    Interval,
}

impl Series {
    /// All.
    pub const ALL: [Series; 2] = [Series::Sample, Series::Interval];

    /// The word used in maps, SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Series::Sample => "sample",
            Series::Interval => "interval",
        }
    }

    /// The series of that word.
    pub fn from_word(word: &str) -> Option<Series> {
        Series::ALL.into_iter().find(|series| series.word() == word)
    }
}

/// What a tag is of a published record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The running number, written first.
    Sequence,
    /// The same number, written last.
    SequenceTail,
    /// The bore that a weight of a sample came from, from 1; 0 for an empty place.
    Bore,
    /// One weight of a sample, in milligrams after scale.
    Weight,
    /// How many were weighed in an interval.
    Count,
    /// Their mean, in milligrams after scale.
    Mean,
    /// Their standard deviation, in milligrams after scale.
    Deviation,
}

impl Part {
    /// The word used in maps.
    pub fn word(self) -> &'static str {
        match self {
            Part::Sequence => "sequence",
            Part::SequenceTail => "sequence_tail",
            Part::Bore => "bore",
            Part::Weight => "weight",
            Part::Count => "count",
            Part::Mean => "mean",
            Part::Deviation => "deviation",
        }
    }

    /// The parts of a series.
    pub fn of(series: Series) -> &'static [Part] {
        match series {
            Series::Sample => &[Part::Sequence, Part::SequenceTail, Part::Bore, Part::Weight],
            Series::Interval => {
                &[Part::Sequence, Part::SequenceTail, Part::Count, Part::Mean, Part::Deviation]
            }
        }
    }

    /// Whether its value must be a whole number.
    pub fn is_whole(self) -> bool {
        !matches!(self, Part::Weight | Part::Mean | Part::Deviation)
    }
}

/// Number, sum and sum of squares of some weights, in micrograms. Adding is exact, so that parts combine to the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Moments {
    n: u64,
    sum_ug: u64,
    squares: u128,
}

impl Moments {
    /// No weight.
    pub const ZERO: Moments = Moments { n: 0, sum_ug: 0, squares: 0 };

    /// One weight.
    pub fn one(ug: u64) -> Moments {
        Moments { n: 1, sum_ug: ug, squares: u128::from(ug) * u128::from(ug) }
    }

    /// Sums as they were stored.
    pub fn stored(n: u64, sum_ug: u64, squares: u128) -> Moments {
        Moments { n, sum_ug, squares }
    }

    /// The sums of `n` weights of which mean and sample standard deviation are told, in milligrams. The squares are
    /// taken about the rounded sum, `(n-1) s² + Σ²/n`, so that the standard deviation comes out as it went in. None
    /// where these cannot be weights.
    pub fn of_statistics(n: u64, mean_mg: f64, sd_mg: f64) -> Option<Moments> {
        let heaviest_mg = HEAVIEST_UG as f64 / 1e3;
        let fits = mean_mg > 0.0 && mean_mg <= heaviest_mg && (0.0..=heaviest_mg).contains(&sd_mg);
        if n == 0 || n > u64::from(u32::MAX) || !fits {
            return None;
        }
        let sum_ug = (mean_mg * 1e3 * n as f64).round();
        let sd_ug = sd_mg * 1e3;
        let squares = (n - 1) as f64 * sd_ug * sd_ug + sum_ug * sum_ug / n as f64;
        Some(Moments { n, sum_ug: sum_ug as u64, squares: squares.round() as u128 })
    }

    /// How many.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Their sum in micrograms.
    pub fn sum_ug(&self) -> u64 {
        self.sum_ug
    }

    /// The sum of their squares, in square micrograms.
    pub fn squares(&self) -> u128 {
        self.squares
    }

    /// Their mean in milligrams.
    pub fn mean_mg(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum_ug as f64 / self.n as f64 / 1e3)
    }

    /// Their sample standard deviation in milligrams; none below two. `n Σx² - (Σx)²` is a whole number, so that nothing
    /// cancels out however small the spread is beside the mean.
    pub fn sd_mg(&self) -> Option<f64> {
        if self.n < 2 {
            return None;
        }
        let sum = u128::from(self.sum_ug);
        // Beyond 10^19 µg in one subgroup (ten thousand tonnes) this saturates instead of wrapping.
        let spread =
            u128::from(self.n).saturating_mul(self.squares).saturating_sub(sum.saturating_mul(sum));
        let n = self.n as f64;
        Some((spread as f64 / (n * (n - 1.0))).sqrt() / 1e3)
    }
}

impl Moments {
    /// The weights themselves in micrograms, lightest first, where the sums still tell them: up to two. With `d² = 2Σx² -
    /// (Σx)²` two of them are `(Σx ∓ d)/2`. None of more weights, and of sums that are no two whole weights.
    pub fn singles_ug(&self) -> Option<Vec<u64>> {
        match self.n {
            0 => Some(Vec::new()),
            1 => Some(vec![self.sum_ug]),
            2 => {
                let sum = u128::from(self.sum_ug);
                let square = self.squares.checked_mul(2)?.checked_sub(sum.checked_mul(sum)?)?;
                let apart = square.isqrt();
                let twice = sum.checked_sub(apart).filter(|twice| twice % 2 == 0)?;
                let pair = [twice / 2, (sum + apart) / 2].map(u64::try_from);
                let [Ok(light), Ok(heavy)] = pair else { return None };
                (apart * apart == square).then(|| vec![light, heavy])
            }
            _ => None,
        }
    }
}

impl Add for Moments {
    type Output = Moments;
    fn add(self, other: Moments) -> Moments {
        Moments {
            n: self.n.saturating_add(other.n),
            sum_ug: self.sum_ug.saturating_add(other.sum_ug),
            squares: self.squares.saturating_add(other.squares),
        }
    }
}

impl std::iter::Sum for Moments {
    fn sum<I: Iterator<Item = Moments>>(all: I) -> Moments {
        all.fold(Moments::ZERO, Add::add)
    }
}

/// What was weighed of one series in a span of time: one of these for each bore that was told, and one without a bore
/// that also says what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightTally {
    /// Where.
    pub station: StationId,
    /// Of which series.
    pub series: Series,
    /// The bore, from 1; 0 for all, and where none was told.
    pub bore: u16,
    /// The weights.
    pub moments: Moments,
    /// How far it is complete; empty for a bore.
    pub account: Account,
}

/// How far the weights of a span are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Account {
    /// Records taken.
    pub records: u32,
    /// Records whose numbers were skipped: published, and never seen.
    pub missed: u32,
    /// Values of records that were seen and cannot be used: bad quality, no number, no weight.
    pub refused: u32,
    /// Whether the machine was not heard for a part of the span.
    pub unheard: bool,
}

impl Account {
    /// Whether nothing is known to be missing.
    pub fn is_complete(&self) -> bool {
        self.missed == 0 && self.refused == 0 && !self.unheard
    }
}

impl Add for Account {
    type Output = Account;
    fn add(self, other: Account) -> Account {
        Account {
            records: self.records.saturating_add(other.records),
            missed: self.missed.saturating_add(other.missed),
            refused: self.refused.saturating_add(other.refused),
            unheard: self.unheard || other.unheard,
        }
    }
}

impl WeightTally {
    /// Nothing, of one bore of a series.
    pub fn nothing(station: StationId, series: Series, bore: u16) -> WeightTally {
        WeightTally { station, series, bore, moments: Moments::ZERO, account: Account::default() }
    }

    fn is_of(&self, other: &WeightTally) -> bool {
        self.bore == other.bore && self.series == other.series && self.station == other.station
    }
}

/// Adds a tally to those of a span, in the order of station, series and bore.
pub fn book(tallies: &mut Vec<WeightTally>, more: &WeightTally) {
    match tallies.iter_mut().find(|tally| tally.is_of(more)) {
        Some(tally) => {
            tally.moments = tally.moments + more.moments;
            tally.account = tally.account + more.account;
        }
        None => {
            let key = |t: &WeightTally| (t.station.clone(), t.series, t.bore);
            let place = tallies.partition_point(|tally| key(tally) < key(more));
            tallies.insert(place, more.clone());
        }
    }
}

#[cfg(test)]
mod tests;
