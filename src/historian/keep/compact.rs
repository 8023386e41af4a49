//! Frames of the journal → blocks of the day. A frame leaves the journal when its readings were read back from the disk.

use std::sync::atomic::Ordering;

use domain::reading::Snapshot;
use domain::units::MINUTE_US;
use rusqlite::Connection;

use super::Rounds;
use crate::historian::error::StoreError;
use crate::historian::place::{self, DATABASE};
use crate::historian::raw::{self, Block, Day};
use crate::historian::{copy, frame};

/// A few minutes: a block is made once, when nothing is added to its minute any more.
pub(super) const HOT_US: i64 = 10 * MINUTE_US;
/// Blocks made in a round at most: twenty lines are never behind, and a backlog is worked off over some rounds.
const BLOCKS: usize = 60;
/// Frames looked at for a block: a minute of ticks of 20 ms.
const FRAMES: i64 = 3_000;

/// A frame of the journal.
struct Frame {
    seq: i64,
    run: i64,
    from_us: i64,
    to_us: i64,
    data: Vec<u8>,
}

impl Rounds {
    /// Puts what is no longer hot into the files of its day.
    pub(in crate::historian) fn compact(&mut self) -> Result<(), StoreError> {
        let latest_us = self.gauge.latest_us();
        let conn = copy::open(&self.dir.join(DATABASE))?;
        let mut n = 0;
        for (line, name) in lines(&conn).map_err(|e| self.journal_says(e))? {
            let mut after = 0;
            while n < BLOCKS && !self.stop.load(Ordering::Relaxed) {
                match self.compact_one(&conn, (line, &name), after, latest_us)? {
                    Some(next) => after = next,
                    None => break,
                }
                n += 1;
            }
        }
        Ok(())
    }

    /// The first block after a frame; none if everything after it is hot. Returns the frame to go on after.
    fn compact_one(
        &self,
        conn: &Connection,
        (line, name): (i64, &str),
        after: i64,
        latest_us: i64,
    ) -> Result<Option<i64>, StoreError> {
        let frames = frames(conn, line, after).map_err(|e| self.journal_says(e))?;
        let Some(first) = frames.first() else { return Ok(None) };
        let minute = first.from_us.div_euclid(MINUTE_US);
        if (minute + 1).saturating_mul(MINUTE_US).saturating_add(self.hot_us) > latest_us {
            return Ok(None);
        }
        let day = Day::open(&self.day_path(first.from_us)?)?;
        let mut block = match gather(&frames, minute) {
            Ok(block) => block,
            Err((seq, error)) => {
                // It stays where it is, to be looked at; what came after it goes on.
                let path = self.dir.join(DATABASE);
                let finding = format!("frame {seq}: {error}");
                self.gauge.fail(StoreError::Damaged { path, finding });
                return Ok(Some(seq));
            }
        };
        if !self.is_there(&day, name, &frames, &mut block)? {
            let data = raw::pack(&block.snapshots)
                .map_err(|e| StoreError::from_io(&self.dir.join(raw::name_of(first.from_us)), e))?;
            day.add(name, &block, &data)?;
            if !self.is_there(&day, name, &frames, &mut block)? {
                let path = self.dir.join(raw::name_of(first.from_us));
                let finding = "a block is not read back as it was written".to_owned();
                return Err(StoreError::Damaged { path, finding });
            }
        }
        let (lo, hi) = (block.seq_lo, block.seq_hi);
        self.hand.perform(move |journal| {
            journal.transact(|conn| {
                let sql = "delete from frame where line = ?1 and seq between ?2 and ?3";
                conn.prepare_cached(sql)?.execute((line, lo, hi)).map(drop)
            })
        })?;
        Ok(Some(hi))
    }

    /// Whether the file holds these readings already: written just now, or by a round that ended before it could delete
    /// the frames. Then the block is cut to what is there.
    fn is_there(
        &self,
        day: &Day,
        name: &str,
        frames: &[Frame],
        block: &mut Block,
    ) -> Result<bool, StoreError> {
        for packed in day.holding(name, (block.run, block.seq_lo))? {
            let there = packed.open(&self.dir)?;
            let same = |frame: &&Frame| frame.seq <= there.seq_hi;
            let held = frames.iter().take_while(same);
            let snapshots: Result<Vec<_>, _> =
                held.map(|frame| frame::decode(&frame.data)).collect();
            if there.seq_lo == block.seq_lo
                && snapshots.is_ok_and(|snapshots| snapshots.concat() == there.snapshots)
            {
                *block = there;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The file of a moment; a new one has its name on the disk before anything rests on it.
    fn day_path(&self, utc_us: i64) -> Result<std::path::PathBuf, StoreError> {
        let path = self.dir.join(raw::name_of(utc_us));
        if !path.exists() {
            drop(Day::open(&path)?);
            place::sync(&self.dir)?;
        }
        Ok(path)
    }

    pub(super) fn journal_says(&self, error: rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.dir.join(DATABASE), error)
    }

    /// Deletes days that are older than raw readings are kept.
    pub(in crate::historian) fn expire(&self) -> Result<(), StoreError> {
        let before_us = self.gauge.latest_us().saturating_sub(self.keep_raw_us);
        for name in raw::names(&self.dir) {
            if raw::day_of(&name).is_some_and(|(_, end)| end <= before_us) {
                raw::remove(&self.dir, &name)?;
            }
        }
        Ok(())
    }
}

/// Frames of one run that began in one minute, as one block.
fn gather(frames: &[Frame], minute: i64) -> Result<Block, (i64, frame::FrameError)> {
    let Some(first) = frames.first() else {
        return Err((0, frame::FrameError::Short));
    };
    let mut block = Block {
        seq_lo: first.seq,
        seq_hi: first.seq,
        run: first.run,
        from_us: first.from_us,
        to_us: first.to_us,
        snapshots: Vec::<Snapshot>::new(),
    };
    for frame in frames {
        let belongs = frame.run == first.run && frame.from_us.div_euclid(MINUTE_US) == minute;
        if !belongs || block.snapshots.len() >= raw::MAX_SNAPSHOTS {
            break;
        }
        match frame::decode(&frame.data) {
            Ok(snapshots) => block.snapshots.extend(snapshots),
            Err(error) if frame.seq == first.seq => return Err((frame.seq, error)),
            // The next block begins with it.
            Err(_) => break,
        }
        block.seq_hi = frame.seq;
        block.from_us = block.from_us.min(frame.from_us);
        block.to_us = block.to_us.max(frame.to_us);
    }
    Ok(block)
}

pub(super) fn lines(conn: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut find = conn.prepare_cached("select id, name from line order by id")?;
    find.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn frames(conn: &Connection, line: i64, after: i64) -> rusqlite::Result<Vec<Frame>> {
    let mut find = conn.prepare_cached(include_str!("../sql/frames_oldest.sql"))?;
    let found = find.query_map((line, after, FRAMES), |row| {
        Ok(Frame {
            seq: row.get(0)?,
            run: row.get(1)?,
            from_us: row.get(2)?,
            to_us: row.get(3)?,
            data: row.get(4)?,
        })
    })?;
    found.collect()
}
