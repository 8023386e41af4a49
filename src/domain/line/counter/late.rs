//! Samples that come later than they were taken: one that another has overtaken, and one that stands too close to the next.

use super::baseline::Baseline;
use super::weigh::Pair;
use super::{Counter, Sample};

/// Samples in a row whose device time lies before one already counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Late {
    n: u8,
    at_us: i64,
    source_us: i64,
}

/// So many late samples in a row, in step with our clock, are a clock that stepped back.
const LATE_RUN: u8 = 3;

impl Counter {
    /// Whether a sample with an older device time is late. A clock that stepped back makes all
    /// samples look late: a run of them, in step with our own clock, is believed again.
    pub(super) fn is_late(&mut self, sample: &Sample) -> bool {
        let (at_us, source_us) = (sample.at.mono_us, sample.source_us.unwrap_or_default());
        let ticked_us = source_us.saturating_sub(self.late.source_us);
        let passed_us = at_us.saturating_sub(self.late.at_us);
        let in_step = ticked_us > 0 && passed_us >= ticked_us / 2;
        let n = if in_step { self.late.n.saturating_add(1) } else { 1 };
        self.late = Late { n, at_us, source_us };
        n < LATE_RUN
    }
}

/// The same pair where the earlier reading was delivered late, so that less of our time lies between the two than the
/// device had: its own clock tells how long that was, at most so much more. One that was set back meanwhile tells nothing,
/// and then it may be so much more. None where it says no more than ours.
pub(super) fn as_delivered_late(
    base: &Baseline,
    sample: &Sample,
    pair: Pair,
    latest_us: i64,
) -> Option<Pair> {
    let (new, old) = sample.source_us.zip(base.source_us)?;
    let most_us = pair.t_us.saturating_add(latest_us);
    let t_us = if new < old { most_us } else { new.saturating_sub(old).min(most_us) };
    (t_us > pair.t_us).then_some(Pair { t_us, ..pair })
}
