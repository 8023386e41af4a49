//! The file of a day.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::reading::Snapshot;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::unpack;
use crate::historian::copy;
use crate::historian::error::StoreError;

/// "CAPR".
const APPLICATION_ID: i64 = 0x4341_5052;

/// An open file.
pub(in crate::historian) struct Day {
    conn: Connection,
    path: PathBuf,
}

/// A block as it is stored.
pub(in crate::historian) struct Packed {
    seq_lo: i64,
    seq_hi: i64,
    run: i64,
    from_us: i64,
    to_us: i64,
    data: Vec<u8>,
}

/// The readings of about a minute of a line: those that frames `seq_lo` to `seq_hi` of a run held.
#[derive(Debug)]
pub(in crate::historian) struct Block {
    pub(in crate::historian) seq_lo: i64,
    pub(in crate::historian) seq_hi: i64,
    pub(in crate::historian) run: i64,
    pub(in crate::historian) from_us: i64,
    pub(in crate::historian) to_us: i64,
    pub(in crate::historian) snapshots: Vec<Snapshot>,
}

impl Block {
    /// Whether it holds what a frame held. Numbers of frames begin anew when all frames have gone, so times count too.
    pub(in crate::historian) fn holds(&self, seq: i64, run: i64, from_us: i64, to_us: i64) -> bool {
        (self.seq_lo..=self.seq_hi).contains(&seq)
            && self.run == run
            && self.from_us <= from_us
            && to_us <= self.to_us
    }
}

impl Packed {
    /// Unpacks it.
    pub(in crate::historian) fn open(self, path: &Path) -> Result<Block, StoreError> {
        let Packed { seq_lo, seq_hi, run, from_us, to_us, data } = self;
        let snapshots = unpack(&data).map_err(|what| StoreError::Damaged {
            path: path.to_owned(),
            finding: format!("block {seq_lo}: {what}"),
        })?;
        Ok(Block { seq_lo, seq_hi, run, from_us, to_us, snapshots })
    }
}

impl Day {
    /// Opens a file to write, makes it where there is none.
    pub(in crate::historian) fn open(path: &Path) -> Result<Day, StoreError> {
        let fail = |e| StoreError::from_sqlite(path, e);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
        conn.busy_timeout(Duration::from_secs(5)).map_err(fail)?;
        conn.execute_batch(include_str!("../sql/raw_day.sql")).map_err(fail)?;
        conn.pragma_update(None, "application_id", APPLICATION_ID).map_err(fail)?;
        Ok(Day { conn, path: path.to_owned() })
    }

    /// Opens a file to read, none where there is none.
    pub(in crate::historian) fn existing(path: &Path) -> Result<Option<Day>, StoreError> {
        if !path.exists() {
            return Ok(None);
        }
        let conn = copy::open(path)?;
        Ok(Some(Day { conn, path: path.to_owned() }))
    }

    /// Adds a block; it is on the disk on return.
    pub(in crate::historian) fn add(
        &self,
        line: &str,
        block: &Block,
        data: &[u8],
    ) -> Result<(), StoreError> {
        let Block { seq_lo, seq_hi, run, from_us, to_us, snapshots } = block;
        let n = snapshots.len() as i64;
        self.conn
            .execute(
                include_str!("../sql/raw_block_write.sql"),
                params![line, run, seq_lo, seq_hi, from_us, to_us, n, data],
            )
            .map(drop)
            .map_err(|e| StoreError::from_sqlite(&self.path, e))
    }

    /// Blocks of a line that may hold readings of `[from_us, to_us)`, still packed.
    pub(in crate::historian) fn blocks(
        &self,
        line: &str,
        (from_us, to_us): (i64, i64),
    ) -> Result<Vec<Packed>, StoreError> {
        self.find(include_str!("../sql/raw_blocks_read.sql"), params![line, from_us, to_us])
    }

    /// The block that holds a frame, if there is one.
    pub(in crate::historian) fn holding(
        &self,
        line: &str,
        (run, seq): (i64, i64),
    ) -> Result<Vec<Packed>, StoreError> {
        self.find(include_str!("../sql/raw_block_find.sql"), params![line, run, seq])
    }

    /// Snapshots in it.
    pub(in crate::historian) fn snapshots(&self) -> Result<u64, StoreError> {
        let sql = "select coalesce(sum(snapshots), 0) from block";
        let n: rusqlite::Result<i64> = self.conn.query_row(sql, [], |row| row.get(0));
        n.map(|n| n as u64).map_err(|e| StoreError::from_sqlite(&self.path, e))
    }

    /// Lines that have readings in it.
    pub(in crate::historian) fn lines(&self) -> Result<Vec<String>, StoreError> {
        let names = || -> rusqlite::Result<Vec<String>> {
            let mut find = self.conn.prepare("select distinct line from block order by line")?;
            find.query_map([], |row| row.get(0))?.collect()
        };
        names().map_err(|e| StoreError::from_sqlite(&self.path, e))
    }

    /// The run of the first readings of a line since a moment.
    pub(in crate::historian) fn run_at(
        &self,
        line: &str,
        at_us: i64,
    ) -> Result<Option<i64>, StoreError> {
        let sql = "select run from block where line = ?1 and to_us >= ?2 order by to_us limit 1";
        self.conn
            .query_row(sql, (line, at_us), |row| row.get(0))
            .optional()
            .map_err(|e| StoreError::from_sqlite(&self.path, e))
    }

    fn find(&self, sql: &str, args: &[&dyn rusqlite::ToSql]) -> Result<Vec<Packed>, StoreError> {
        let found = || -> rusqlite::Result<Vec<Packed>> {
            let mut find = self.conn.prepare(sql)?;
            let packed = find.query_map(args, |row| {
                Ok(Packed {
                    seq_lo: row.get(0)?,
                    seq_hi: row.get(1)?,
                    run: row.get(2)?,
                    from_us: row.get(3)?,
                    to_us: row.get(4)?,
                    data: row.get(5)?,
                })
            })?;
            packed.collect()
        };
        found().map_err(|e| StoreError::from_sqlite(&self.path, e))
    }
}
