//! The copy beside the journal: what a start goes on from when the journal is damaged.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use domain::units::HOUR_US;

use super::Rounds;
use crate::historian::copy::{self, Watch};
use crate::historian::error::StoreError;
use crate::historian::heal::COPY;
use crate::historian::journal;
use crate::historian::place::{self, DATABASE, PART};

/// A journal up to this size is copied each hour, a larger one less often, so that copies never write more than
/// 1.6 GB a day to the flash.
const HOURLY_BYTES: u64 = 64 << 20;

/// Time between two copies of a journal of this size.
pub(in crate::historian) fn every_us(bytes: u64) -> i64 {
    let times = bytes.div_ceil(HOURLY_BYTES).max(1);
    HOUR_US.saturating_mul(i64::try_from(times).unwrap_or(i64::MAX))
}

impl Rounds {
    /// Makes a copy if the last one is older than it should be. Readings as read are in files of their own and not in it,
    /// but for the latest.
    pub(super) fn copy_if_due(&self, now_us: i64) -> Result<(), StoreError> {
        let made_us = fs::metadata(self.dir.join(COPY)).and_then(|file| file.modified()).ok();
        let made_us = made_us
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
            .and_then(|span| i64::try_from(span.as_micros()).ok());
        let every_us = every_us(journal::bytes(&self.dir.join(DATABASE)));
        // A copy of the future was made before the clock was set back.
        let due = made_us.is_none_or(|at| !(0..every_us).contains(&now_us.saturating_sub(at)));
        if due { self.copy() } else { Ok(()) }
    }

    /// Makes the copy: packed, looked through, synced, and only then in the place of the last one.
    pub(in crate::historian) fn copy(&self) -> Result<(), StoreError> {
        let (part, to) = (self.dir.join(format!("{COPY}{PART}")), self.dir.join(COPY));
        // What an earlier attempt left; there is none mostly.
        let _ = fs::remove_file(&part);
        let stop = self.stop.clone();
        let watch: Watch = Arc::new(move |_| !stop.load(Ordering::Relaxed));
        let made = copy::pack(&self.dir.join(DATABASE), &part, &watch)
            .and_then(|()| journal::check(&copy::open(&part)?, &part));
        if let Err(error) = made {
            // The room that it takes is needed for the journal itself.
            let _ = fs::remove_file(&part);
            return Err(error);
        }
        fs::rename(&part, &to).map_err(|e| StoreError::from_io(&to, e))?;
        place::sync(&self.dir)
    }
}
