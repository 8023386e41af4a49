//! Readings as they came: from the files of the days and from the journal, each once, with the names of their time.

use domain::reading::{Outcome, Quality, Snapshot, Value};
use rusqlite::{Connection, OptionalExtension};

use super::{Each, LineView};
use crate::historian::error::StoreError;
use crate::historian::raw::{self, Block};
use crate::historian::read::{Failure, Found};
use crate::historian::{DeviceTags, frame, record};
use crate::table::{Cell, Column, Kind, local};

const COLUMNS: [(&str, Kind); 15] = [
    ("utc", Kind::Time),
    ("local", Kind::Text),
    ("device", Kind::Number),
    ("station", Kind::Text),
    ("poll_group", Kind::Number),
    ("due_polls", Kind::Count),
    ("round_trip_us", Kind::Number),
    ("outcome", Kind::Text),
    ("tag", Kind::Text),
    ("value_whole", Kind::Whole),
    ("value_real", Kind::Real),
    ("value_text", Kind::Text),
    ("quality", Kind::Text),
    ("status", Kind::Number),
    ("source_utc", Kind::Time),
];

pub(super) fn columns() -> Vec<Column> {
    COLUMNS.iter().map(|(name, kind)| Column::new(name, *kind)).collect()
}

impl LineView<'_> {
    pub(super) fn readings(&self, span: (i64, i64), each: Each<'_>) -> Result<(), StoreError> {
        let mut layout: (i64, Vec<DeviceTags>) = (i64::MIN, Vec::new());
        let mut tell = |conn: &Connection, run: i64, snapshots: &[Snapshot]| -> Found<bool> {
            if layout.0 != run {
                layout = (run, self.layout(conn, run)?);
            }
            let inside = |at: &&Snapshot| (span.0..span.1).contains(&at.taken_at.utc_us);
            let mut inside = snapshots.iter().filter(inside);
            Ok(inside.all(|snapshot| self.snapshot(snapshot, &layout.1, each)))
        };
        // Only what tells whether a frame has moved already is kept of them.
        let mut moved: Vec<Block> = Vec::new();
        for name in raw::names(&self.extract.dir) {
            let path = self.extract.dir.join(&name);
            if !raw::may_hold(&name, span) {
                continue;
            }
            let Some(day) = raw::Day::existing(&path)? else { continue };
            for packed in day.blocks(self.line.as_str(), span)? {
                let mut block = packed.open(&path)?;
                if !self.ask(|conn| tell(conn, block.run, &block.snapshots))? {
                    return Ok(());
                }
                block.snapshots = Vec::new();
                moved.push(block);
            }
        }
        let sql = include_str!("../sql/frames_read.sql");
        self.ask(|conn| {
            let mut find = conn.prepare_cached(sql)?;
            let mut rows = find.query((self.id(), span.0, span.1, frame::MAX_SPAN_US))?;
            while let Some(row) = rows.next()? {
                let (seq, run, from_us, to_us) =
                    (row.get(0)?, row.get(2)?, row.get(3)?, row.get(4)?);
                if moved.iter().any(|block| block.holds(seq, run, from_us, to_us)) {
                    continue;
                }
                let blob = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
                let snapshots = frame::decode(blob)
                    .map_err(|error| Failure::Damaged(format!("frame {seq}: {error}")))?;
                if !tell(conn, run, &snapshots)? {
                    break;
                }
            }
            Ok(())
        })
    }

    /// What positions meant in a run of the service.
    fn layout(&self, conn: &Connection, run: i64) -> Found<Vec<DeviceTags>> {
        let sql =
            "select devices from layout where line = ?1 and run <= ?2 order by run desc limit 1";
        let mut find = conn.prepare_cached(sql)?;
        let found = find.query_row((self.id(), run), |row| row.get::<_, String>(0)).optional()?;
        let devices = found.map(|json| record::devices(&json)).transpose();
        Ok(devices.map_err(Failure::Damaged)?.unwrap_or_default())
    }

    /// The rows of a snapshot: one for each reading, and one where there is none.
    fn snapshot(&self, snapshot: &Snapshot, devices: &[DeviceTags], each: Each<'_>) -> bool {
        let device = devices.get(usize::from(snapshot.device));
        let us = snapshot.taken_at.utc_us;
        let (outcome, readings) = match &snapshot.outcome {
            Outcome::Taken(readings) => ("taken", readings.as_slice()),
            Outcome::Missed(miss) => (miss.word(), &[][..]),
        };
        let head = vec![
            Cell::Time(us),
            local(us, &self.zone),
            Cell::Number(i64::from(snapshot.device)),
            Cell::text(device.map(|device| device.station.as_str())),
            Cell::Number(i64::from(snapshot.group)),
            Cell::Count(u64::from(snapshot.polls)),
            Cell::Number(i64::from(snapshot.round_trip_us)),
            Cell::Text(outcome.to_owned()),
        ];
        if readings.is_empty() {
            let mut cells = head;
            cells.resize(COLUMNS.len(), Cell::Empty);
            return each(&cells);
        }
        readings.iter().enumerate().all(|(n, reading)| {
            let mut cells = head.clone();
            if n > 0 {
                // The polls of a snapshot stand once, so that they add up.
                cells[5] = Cell::Count(0);
            }
            let tag = device.and_then(|device| device.tags.get(usize::from(reading.tag)));
            cells.push(match tag {
                Some(tag) => Cell::Text(tag.to_string()),
                None => Cell::Text(format!("#{}", reading.tag)),
            });
            let (mut whole, mut real, mut text) = (Cell::Empty, Cell::Empty, Cell::Empty);
            match &reading.value {
                Value::Bool(flag) => whole = Cell::Whole(i128::from(*flag)),
                Value::Unsigned(n) => whole = Cell::Whole(i128::from(*n)),
                Value::Signed(n) => whole = Cell::Whole(i128::from(*n)),
                // What is no number is of bad quality; it has no form that all readers of CSV share.
                Value::Float(x) if x.is_finite() => real = Cell::Real(*x),
                Value::Float(_) => {}
                Value::Text(words) => text = Cell::Text(words.to_string()),
            }
            let quality = match reading.quality {
                Quality::Good => "good",
                Quality::Uncertain => "uncertain",
                Quality::Bad => "bad",
            };
            cells.extend([
                whole,
                real,
                text,
                Cell::Text(quality.to_owned()),
                Cell::Number(i64::from(reading.status)),
                reading.source_us.map_or(Cell::Empty, Cell::Time),
            ]);
            each(&cells)
        })
    }
}
