//! Samples that come later than they were taken: one that another has overtaken, and one that stands too close to the next.
//!
//! How late a reading came is told by the clock of its device, in two ways: by that of the reading after it, as long as the
//! clock was not set meanwhile, and by how far it lies behind the readings before it, whatever happens to the clock later.

use super::baseline::{Baseline, Held};
use super::{Counter, Moment, Sample};

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

/// When a reading came, and when it was taken by the clock of its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    pub at: Moment,
    pub source_us: Option<i64>,
}

impl Dated {
    /// How far the clock of the device is ahead of ours.
    fn lead_us(self) -> Option<i64> {
        Some(self.source_us?.saturating_sub(self.at.mono_us))
    }
}

impl From<&Baseline> for Dated {
    fn from(base: &Baseline) -> Dated {
        Dated { at: base.at, source_us: base.source_us }
    }
}

impl From<&Held> for Dated {
    fn from(held: &Held) -> Dated {
        Dated { at: held.at, source_us: held.source_us }
    }
}

impl From<&Sample> for Dated {
    fn from(sample: &Sample) -> Dated {
        Dated { at: sample.at, source_us: sample.source_us }
    }
}

/// How late the readings came from which something is still to be counted, as those before each of them show.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Delivery {
    /// The most that the clock of the device was ahead of ours in this spell and the one before: who comes late is behind.
    leads_us: [Option<i64>; 2],
    /// When this spell began, and the readings in it.
    began_us: i64,
    n: u8,
    /// A reading and how late it came: the base, one that waits, and the one at hand.
    late: [Option<(Dated, i64)>; 3],
}

/// Spells are so many times as long as a reading may be late, and have so many readings at least, so that some late ones are
/// not taken for the rule.
const SPELL: i64 = 4;
const SPELL_READINGS: u8 = 8;

/// A clock that gets ahead of ours by more than this from one reading to the next was set.
const JUMP_US: i64 = 50_000;

impl Delivery {
    /// Follows the clock of the device with one more reading, which `stepped` if it lies before one already counted.
    pub(super) fn feel(&mut self, reading: Dated, stepped: bool, latest_us: i64) {
        let Some(lead_us) = reading.lead_us() else { return };
        let at_us = reading.at.mono_us;
        let before_us = self.leads_us.into_iter().flatten().max();
        let known_us = before_us.filter(|_| !stepped);
        let late_us = before_us.map(|before_us| match lead_us.saturating_sub(before_us) {
            // The clock was set: how late this one came it cannot tell.
            ahead_us if stepped || ahead_us > JUMP_US => latest_us.max(0),
            ahead_us => ahead_us.saturating_neg().clamp(0, latest_us.max(0)),
        });
        if let Some(free) = self.late.iter_mut().find(|late| late.is_none()) {
            *free = late_us.map(|late_us| (reading, late_us));
        }
        let spell_us = latest_us.saturating_mul(SPELL);
        let over = self.n >= SPELL_READINGS && at_us.saturating_sub(self.began_us) > spell_us;
        self.leads_us = match known_us {
            None => [Some(lead_us), None],
            Some(_) if over => [Some(lead_us), self.leads_us[0]],
            Some(_) => [self.leads_us[0].max(Some(lead_us)), self.leads_us[1]],
        };
        match over || known_us.is_none() {
            true => (self.began_us, self.n) = (at_us, 1),
            false => self.n = self.n.saturating_add(1),
        }
    }

    /// Forgets the readings but these.
    pub(super) fn keep(&mut self, base: Option<&Baseline>) {
        let held = base.and_then(|base| base.held.as_ref());
        let kept = [base.map(Dated::from), held.map(Dated::from)];
        for late in &mut self.late {
            *late = late.filter(|(reading, _)| kept.contains(&Some(*reading)));
        }
    }

    /// How late a reading came; none where those before it cannot tell.
    pub(super) fn late_us(&self, reading: Dated) -> Option<i64> {
        let mut late = self.late.into_iter().flatten();
        late.find(|(other, _)| *other == reading).map(|(_, late_us)| late_us)
    }

    /// How late something came that was sent at that time of the device; none where no reading before it can tell.
    pub(super) fn would_be_late_us(&self, sent_us: i64, at: Moment) -> Option<i64> {
        let lead_us = sent_us.saturating_sub(at.mono_us);
        let earliest_us = self.leads_us.into_iter().flatten().max()?;
        Some(earliest_us.saturating_sub(lead_us).max(0))
    }

    /// How much more time than by our clock lies between two readings at most: the earlier one may have come late. Where the
    /// clock of the device was set back meanwhile it tells nothing.
    pub(super) fn longer_us(&self, from: Dated, to: Dated, latest_us: i64) -> i64 {
        let felt_us = self.late_us(from);
        let told_us = match from.source_us.zip(to.source_us) {
            None => 0,
            Some((old, new)) if new < old => felt_us.unwrap_or(latest_us),
            Some((old, new)) => {
                let passed_us = to.at.mono_us.saturating_sub(from.at.mono_us);
                new.saturating_sub(old).saturating_sub(passed_us)
            }
        };
        told_us.max(felt_us.unwrap_or(0)).clamp(0, latest_us.max(0))
    }

    /// How much less time than by our clock lies between two readings at most: the later one may have come late.
    pub(super) fn shorter_us(&self, from: Dated, to: Dated, latest_us: i64) -> i64 {
        let felt_us = self.late_us(to).unwrap_or(0);
        let told_us = from.source_us.zip(to.source_us).map_or(0, |(old, new)| {
            let passed_us = to.at.mono_us.saturating_sub(from.at.mono_us);
            passed_us.saturating_sub(new.saturating_sub(old))
        });
        told_us.max(felt_us).clamp(0, latest_us.max(0))
    }
}
