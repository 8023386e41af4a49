//! All that must be durable for counting to go on after our own restart.

use super::evidence::{Evidence, Seen};
use crate::units::{Count, Moment};

/// The state of a counter after its last sample. Stored with each commit; plain values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// When the last counted sample was taken.
    pub at: Moment,
    /// The device's own time of it, in UTC microseconds.
    pub source_us: Option<i64>,
    /// The raw value of the register.
    pub value: u64,
    /// The evidence that came with it or before it.
    pub seen: Seen,
    /// All that was ever counted.
    pub total: Count,
    /// The segment: 1 at first, one more after each reset or preset.
    pub segment: u64,
    /// The raw value at the start of the segment.
    pub segment_start: u64,
    /// The best counts of the segment added up. `segment_start + segment_sum = value (mod M)`.
    pub segment_sum: u64,
    /// What is known about a change of batch of which only one half was seen.
    pub batch: BatchChange,
    /// A reading that waits for its confirmation.
    pub held: Option<Held>,
    /// From where the register was read ([`Settings::mapping`](super::Settings::mapping)); 0 where nobody said.
    pub mapping: u32,
}

/// A change of batch is seen twice, up to a few polls apart: at the id and at the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct BatchChange {
    /// The id changed; for so many polls more its reset may still come.
    pub reset_due: u8,
    /// The counter was reset; for so many polls more its change of id may still come.
    pub id_due: u8,
    /// What a reset that was overtaken at once may have hidden in the last polls.
    pub hidden: u64,
    /// For so many polls more `hidden` counts.
    pub hidden_for: u8,
}

/// A reading that is not believed before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When it was taken.
    pub at: Moment,
    /// The device's own time of it.
    pub source_us: Option<i64>,
    /// The raw value.
    pub value: u64,
    /// What was read beside it.
    pub evidence: Evidence,
    /// Polls were missed before it.
    pub missed: bool,
}

impl Baseline {
    /// Whether readings under another mark are of another register. A mark that nobody gave says nothing.
    pub(super) fn is_elsewhere(&self, mapping: u32) -> bool {
        self.mapping != 0 && mapping != 0 && self.mapping != mapping
    }

    /// Moves the baseline to another boot clock, of which `now` is one reading: after a restart of
    /// the computer only the wall clock tells how long it was down.
    pub fn rebase(&mut self, now: Moment) {
        let newest = self.held.map_or(self.at, |held| held.at);
        let down_us = now.utc_us.saturating_sub(newest.utc_us).max(0);
        let shift_us = now.mono_us.saturating_sub(down_us).saturating_sub(newest.mono_us);
        let shift = |at: &mut Moment| at.mono_us = at.mono_us.saturating_add(shift_us);
        shift(&mut self.at);
        self.seen.shift(shift_us);
        if let Some(held) = &mut self.held {
            shift(&mut held.at);
        }
    }
}
