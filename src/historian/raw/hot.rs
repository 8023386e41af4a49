//! Raw readings of a span, wherever they lie: frames of the journal and blocks of the days, each reading once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use domain::reading::Snapshot;
use domain::units::LineId;
use rusqlite::{Connection, OptionalExtension};

use crate::historian::error::StoreError;
use crate::historian::read::{Failure, Found, Readers};
use crate::historian::{DeviceTags, Readings, frame, record};

impl Readers {
    pub(in crate::historian) fn raw(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Snapshot>, StoreError> {
        let runs = self.runs(line, (from_us, to_us), limit)?;
        Ok(runs.into_iter().flat_map(|(_, snapshots)| snapshots).collect())
    }

    /// The same, with what their positions meant when they were stored.
    pub(in crate::historian) fn readings(
        &self,
        line: &LineId,
        span: (i64, i64),
        limit: usize,
    ) -> Result<Vec<Readings>, StoreError> {
        let runs = self.runs(line, span, limit)?;
        let mut layouts: BTreeMap<i64, Arc<[DeviceTags]>> = BTreeMap::new();
        let known = runs.iter().map(|(run, _)| *run);
        self.query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(()) };
            for run in known.clone() {
                if let Entry::Vacant(unknown) = layouts.entry(run) {
                    unknown.insert(layout(conn, line, run)?);
                }
            }
            Ok(())
        })?;
        let of = |run: &i64| layouts.get(run).cloned().unwrap_or_else(|| Arc::from([]));
        let mut readings: Vec<Readings> = Vec::new();
        for (run, snapshots) in runs {
            let devices = of(&run);
            match readings.last_mut().filter(|last| last.devices == devices) {
                Some(last) => last.snapshots.extend(snapshots),
                None => readings.push(Readings { devices, snapshots }),
            }
        }
        Ok(readings)
    }

    /// Readings of a span in the order in which they are stored, with the run that did.
    fn runs(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<(i64, Vec<Snapshot>)>, StoreError> {
        let until = self.until();
        // The journal first: readings move from it into the files beside it and never back.
        let hot = self.query(|conn| match record::line_id(conn, line)? {
            Some(line) => frames(conn, line, (from_us, to_us), limit),
            None => Ok(Vec::new()),
        })?;
        let blocks = super::read(self.dir(), line.as_str(), (from_us, to_us), limit, until)
            .map_err(|error| error.unwrap_or_else(|| self.too_slow()))?;
        let moved = |frame: &Hot| {
            blocks.iter().any(|block| block.holds(frame.seq, frame.run, frame.from_us, frame.to_us))
        };
        let still: Vec<Hot> = hot.into_iter().filter(|frame| !moved(frame)).collect();
        let mut runs: Vec<(i64, Vec<Snapshot>)> =
            blocks.into_iter().map(|block| (block.run, block.snapshots)).collect();
        runs.extend(still.into_iter().map(|frame| (frame.run, frame.snapshots)));
        let mut left = limit;
        for (_, snapshots) in &mut runs {
            snapshots.truncate(left);
            left -= snapshots.len();
        }
        Ok(runs)
    }
}

/// What the positions in snapshots of a run mean: what was said last until then.
fn layout(conn: &Connection, line: i64, run: i64) -> Found<Arc<[DeviceTags]>> {
    let mut find = conn.prepare_cached(include_str!("../sql/layout_of_run.sql"))?;
    let found = find.query_row((line, run), |row| row.get::<_, String>(0)).optional()?;
    let devices = found.map(|json| record::devices(&json)).transpose();
    Ok(devices.map_err(Failure::Damaged)?.unwrap_or_default().into())
}

fn frames(
    conn: &Connection,
    line: i64,
    (from_us, to_us): (i64, i64),
    limit: usize,
) -> Found<Vec<Hot>> {
    let mut find = conn.prepare_cached(include_str!("../sql/frames_read.sql"))?;
    let mut rows = find.query((line, from_us, to_us, frame::MAX_SPAN_US))?;
    let (mut hot, mut n) = (Vec::new(), 0);
    while n < limit
        && let Some(row) = rows.next()?
    {
        let seq: i64 = row.get(0)?;
        let blob = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let mut snapshots = frame::decode(blob)
            .map_err(|error| Failure::Damaged(format!("frame {seq}: {error}")))?;
        snapshots.retain(|snapshot| (from_us..to_us).contains(&snapshot.taken_at.utc_us));
        n += snapshots.len();
        hot.push(Hot {
            seq,
            run: row.get(2)?,
            from_us: row.get(3)?,
            to_us: row.get(4)?,
            snapshots,
        });
    }
    Ok(hot)
}

/// The readings of a frame that is still in the journal.
struct Hot {
    seq: i64,
    run: i64,
    from_us: i64,
    to_us: i64,
    snapshots: Vec<Snapshot>,
}
