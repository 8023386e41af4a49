//! Batches of the filler: their numbers, and how they begin and end.

use super::{Filler, Phase};
use crate::{catalogue::Fault, ledger::BatchRecord, stops::Stop};

/// How batches are numbered and how large they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batches {
    pub(super) line_start_us: i64,
    pub(super) first: u32,
    pub(super) size: u64,
}

impl Batches {
    /// A number like `B2611-0417`: year and month of its start, then a running number.
    fn id(&self, index: usize, plant_us: i64) -> String {
        let date = jiff::Timestamp::from_microsecond(self.line_start_us + plant_us)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned_datetime(jiff::tz::TimeZone::UTC);
        let serial = self.first as usize + index;
        format!("B{:02}{:02}-{:04}", date.year() % 100, date.month(), serial % 10_000)
    }
}

impl Filler {
    /// The present batch, with its counts up to now.
    pub(crate) fn batch(&self) -> BatchRecord {
        let mut batch =
            self.batches.last().cloned().expect("the first batch begins with the plant");
        let (now, base) = (&self.totals, &self.batch_base);
        batch.infeed = now.infeed - base.infeed;
        batch.made = now.made - base.made;
        batch.rejected = now.rejected() - base.rejected();
        batch.samples = now.samples - base.samples;
        batch
    }

    /// Ends the batch in production as soon as the machine runs, because of a fault.
    pub(crate) fn end_batch_soon(&mut self, fault: Fault) {
        self.batch_ends_at = self.totals.made;
        self.batch_ended_by = Some(fault);
    }

    pub(super) fn end_batch(&mut self, now_us: i64) {
        let ended = BatchRecord { to_us: Some(now_us), ..self.batch() };
        self.batches.pop();
        self.batches.push(ended);
        let injected = self.batch_ended_by.take();
        match self.stop_clocks.changeover() {
            Some(stop) => self.begin_stop(Stop { injected, ..stop }, now_us, 0),
            None => {
                self.begin_batch(now_us, 0);
                self.phase = Phase::Moving;
            }
        }
    }

    /// Begins a batch of which `already` capsules were made before plant time 0.
    pub(super) fn begin_batch(&mut self, now_us: i64, already: u64) {
        self.batch_base = self.totals;
        // What was to end a batch that had its number already ends no other.
        self.batch_ended_by = None;
        self.batch_ends_at =
            self.totals.made + self.batches_from.size.saturating_sub(already).max(1);
        self.batches.push(BatchRecord {
            batch_id: self.batches_from.id(self.batches.len(), now_us),
            from_us: now_us,
            to_us: None,
            infeed: 0,
            made: 0,
            rejected: 0,
            samples: 0,
        });
    }
}
