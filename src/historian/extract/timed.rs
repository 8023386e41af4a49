//! Minutes, seconds and periods: what has counts of all counters of the line.

use domain::units::HOUR_US;
use rusqlite::{OptionalExtension, params};

use super::{Each, LineView, What};
use crate::historian::error::StoreError;
use crate::historian::{hours, lines, read};

/// So much is in memory at a time.
const BITE_US: i64 = 24 * HOUR_US;

impl LineView<'_> {
    pub(super) fn minutes(&self, span: (i64, i64), each: Each<'_>) -> Result<(), StoreError> {
        self.bites("minute", span, |bite| {
            let minutes = self.ask(|conn| hours::minutes(conn, self.id(), bite, usize::MAX))?;
            Ok(minutes.iter().all(|minute| each(&self.wide.minute(minute))))
        })
    }

    pub(super) fn seconds(&self, span: (i64, i64), each: Each<'_>) -> Result<(), StoreError> {
        self.bites("second_block", span, |(from_us, to_us)| {
            let blocks = self.ask(|conn| {
                let args = params![self.id(), from_us, to_us, -1];
                read::seconds(conn, self.id(), include_str!("../sql/second_blocks_read.sql"), args)
            })?;
            Ok(blocks.iter().all(|block| self.wide.seconds(block).iter().all(|row| each(row))))
        })
    }

    pub(super) fn periods(
        &self,
        what: What,
        (from_us, to_us): (i64, i64),
        each: Each<'_>,
    ) -> Result<(), StoreError> {
        let Some(kind) = what.period() else { return Ok(()) };
        let rollups = self.ask(|conn| {
            let args = params![self.id(), kind.word(), from_us, to_us, -1];
            lines::rollups(conn, self.id(), include_str!("../sql/rollups_read.sql"), args)
        })?;
        rollups.iter().all(|rollup| each(&self.wide.period(rollup)));
        Ok(())
    }

    /// Goes through a span in parts, and over what is empty; until false comes back.
    fn bites(
        &self,
        table: &str,
        (mut from_us, to_us): (i64, i64),
        mut bite: impl FnMut((i64, i64)) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "select start_us from {table} where line = ?1 and start_us >= ?2 order by start_us limit 1"
        );
        while from_us < to_us {
            let next = self.ask(|conn| {
                let mut find = conn.prepare_cached(&sql)?;
                Ok(find.query_row((self.id(), from_us), |row| row.get::<_, i64>(0)).optional()?)
            })?;
            let Some(next) = next.filter(|next| *next < to_us) else { break };
            let end_us = next.saturating_add(BITE_US).min(to_us);
            if !bite((next, end_us))? {
                break;
            }
            from_us = end_us;
        }
        Ok(())
    }
}
