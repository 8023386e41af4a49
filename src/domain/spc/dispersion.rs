//! Dispersion of a series from its moving ranges, for individuals and for the z of Laney's charts alike.

use std::collections::VecDeque;

use super::chart::{GapPolicy, MrScreen};
use super::constants::Constants;

/// The longest span of a moving range; longer ones measure drift, not dispersion.
pub const MAX_SPAN: usize = 100;

/// The ranges of the last `span` values, one value at a time.
#[derive(Clone, Debug)]
pub struct MovingRange {
    span: usize,
    gap: GapPolicy,
    last: VecDeque<(f64, bool)>,
}

/// A moving range; it belongs to the last of its values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Largest minus smallest value.
    pub value: f64,
    /// Whether all its values take part in the estimation.
    pub estimates: bool,
}

impl MovingRange {
    /// Ranges of `span` values, moved into `2..=MAX_SPAN`.
    pub fn new(span: usize, gap: GapPolicy) -> MovingRange {
        MovingRange { span: span.clamp(2, MAX_SPAN), gap, last: VecDeque::new() }
    }

    /// The range that ends at the next value; `None` until `span` values are there. `estimates` says whether the
    /// value takes part in the estimation.
    pub fn push(&mut self, value: Option<f64>, estimates: bool) -> Option<Range> {
        let Some(value) = value.filter(|v| v.is_finite()) else {
            if self.gap == GapPolicy::Break {
                self.last.clear();
            }
            return None;
        };
        if self.last.len() == self.span {
            self.last.pop_front();
        }
        self.last.push_back((value, estimates));
        (self.last.len() == self.span).then(|| self.range())
    }

    fn range(&self) -> Range {
        let low = self.last.iter().map(|(v, _)| *v).fold(f64::INFINITY, f64::min);
        let high = self.last.iter().map(|(v, _)| *v).fold(f64::NEG_INFINITY, f64::max);
        Range { value: high - low, estimates: self.last.iter().all(|(_, estimates)| *estimates) }
    }
}

/// The moving ranges of a series with gaps; each stands at the position of its last value.
pub(super) fn moving_ranges(
    values: &[Option<f64>],
    estimates: &[bool],
    span: usize,
    gap: GapPolicy,
) -> Vec<Option<Range>> {
    let mut window = MovingRange::new(span, gap);
    values.iter().zip(estimates).map(|(value, estimates)| window.push(*value, *estimates)).collect()
}

/// The mean of the moving ranges that estimate, screened if asked for; `None` without any.
pub(super) fn mean_range(
    ranges: &[Option<Range>],
    span: usize,
    screen: MrScreen,
    constants: Constants,
) -> Option<f64> {
    let estimating =
        || ranges.iter().flatten().filter(|range| range.estimates).map(|range| range.value);
    let all = mean(estimating())?;
    match screen {
        MrScreen::None => Some(all),
        MrScreen::Nelson => {
            let limit = constants.big_d4(span)? * all;
            // When all are equal to zero nothing is below the limit, and the mean of all is right.
            mean(estimating().filter(|range| *range < limit)).or(Some(all))
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0u64, 0.0), |(n, sum), value| (n + 1, sum + value));
    (n > 0).then(|| sum / n as f64)
}
