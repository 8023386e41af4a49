//! Raw readings that are older than a few minutes: one file for each day beside the journal, in compressed blocks of a
//! minute. A day is given up by deleting its file.

mod block;
mod day;
mod hot;

use std::path::Path;
use std::time::Instant;

use domain::reading::Snapshot;
use domain::units::HOUR_US;

use super::error::StoreError;
use super::place;

pub(super) use block::{MAX_SNAPSHOTS, pack, unpack};
pub(super) use day::{Block, Day};

const DAY_US: i64 = 24 * HOUR_US;

/// Whether a name is that of such a file.
pub(super) fn is_name(name: &str) -> bool {
    day_of(name).is_some()
}

/// The files in a directory, oldest first.
pub(super) fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_name(name)).collect();
    names.sort_unstable();
    names
}

/// The file of a moment: `raw-20261124.db`, a day of UTC.
pub(super) fn name_of(utc_us: i64) -> String {
    let day = jiff::Timestamp::from_microsecond(utc_us).unwrap_or_default();
    day.strftime("raw-%Y%m%d.db").to_string()
}

/// The day of a file: its beginning and its end in UTC microseconds.
pub(super) fn day_of(name: &str) -> Option<(i64, i64)> {
    let day = name.strip_prefix("raw-")?.strip_suffix(".db")?;
    let is_date = day.len() == 8 && day.bytes().all(|c| c.is_ascii_digit());
    let date = is_date.then(|| jiff::civil::Date::strptime("%Y%m%d", day).ok())??;
    let begin = jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_microsecond();
    Some((begin, begin + DAY_US))
}

/// Whether the file of that name may hold readings of a span. A block belongs to the day of its first frame, which began
/// in one minute and may end in the next.
pub(super) fn may_hold(name: &str, (from_us, to_us): (i64, i64)) -> bool {
    let late_us = 2 * super::frame::MAX_SPAN_US;
    day_of(name).is_some_and(|(begin, end)| begin < to_us && end.saturating_add(late_us) > from_us)
}

/// Bytes of all files and snapshots in them.
pub(super) fn sizes(dir: &Path) -> Result<(u64, u64), StoreError> {
    let (mut bytes, mut snapshots) = (0, 0);
    for name in names(dir) {
        let path = dir.join(name);
        bytes += super::journal::bytes(&path);
        if let Some(day) = Day::existing(&path)? {
            snapshots += day.snapshots()?;
        }
    }
    Ok((bytes, snapshots))
}

/// Deletes the file of a day for good.
pub(super) fn remove(dir: &Path, name: &str) -> Result<(), StoreError> {
    let path = dir.join(name);
    std::fs::remove_file(&path).map_err(|e| StoreError::from_io(&path, e))?;
    // Left by an end in the middle of a write.
    let _ = std::fs::remove_file(dir.join(format!("{name}-journal")));
    place::sync(dir)
}

/// The run that stored the first readings of a line since a moment, where they lie in such a file.
pub(super) fn run_at(dir: &Path, line: &str, at_us: i64) -> Result<Option<i64>, StoreError> {
    for name in names(dir) {
        let is_before = day_of(&name)
            .is_some_and(|(_, end)| end.saturating_add(2 * super::frame::MAX_SPAN_US) <= at_us);
        if is_before {
            continue;
        }
        let Some(day) = Day::existing(&dir.join(&name))? else { continue };
        if let Some(run) = day.run_at(line, at_us)? {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// Blocks of a line with readings of `[from_us, to_us)`, in order of arrival, until there are `limit` snapshots.
pub(super) fn read(
    dir: &Path,
    line: &str,
    (from_us, to_us): (i64, i64),
    limit: usize,
    until: Instant,
) -> Result<Vec<Block>, Option<StoreError>> {
    let mut blocks = Vec::new();
    let mut n = 0;
    for name in names(dir) {
        if !may_hold(&name, (from_us, to_us)) {
            continue;
        }
        let Some(day) = Day::existing(&dir.join(&name))? else { continue };
        for block in day.blocks(line, (from_us, to_us))? {
            if n >= limit {
                return Ok(blocks);
            }
            if Instant::now() >= until {
                return Err(None);
            }
            let mut block = block.open(&dir.join(&name))?;
            let asked = |at: &Snapshot| (from_us..to_us).contains(&at.taken_at.utc_us);
            block.snapshots.retain(asked);
            n += block.snapshots.len();
            blocks.push(block);
        }
    }
    Ok(blocks)
}
