//! Raw readings of a span, wherever they lie: frames of the journal and blocks of the days, each reading once.

use domain::reading::Snapshot;
use domain::units::LineId;
use rusqlite::Connection;

use crate::historian::error::StoreError;
use crate::historian::read::{Failure, Found, Readers};
use crate::historian::{frame, record};

impl Readers {
    pub(in crate::historian) fn raw(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Snapshot>, StoreError> {
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
        let mut snapshots: Vec<Snapshot> =
            blocks.into_iter().flat_map(|block| block.snapshots).collect();
        snapshots.extend(still.into_iter().flat_map(|frame| frame.snapshots));
        snapshots.truncate(limit);
        Ok(snapshots)
    }
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
