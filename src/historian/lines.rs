//! Reads of what is written down of a line beside minutes and events: stops with their revisions, periods, one counter.

use domain::line::chronicle::{CounterRecord, StopRecord};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::stop::Stop;
use domain::line::stop::revision::{Part, Refusal, Revision, apply, revise};
use domain::units::{LineId, Moment, TagId};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use super::read::{Failure, Found, Readers, counters, sql_limit};
use super::record::{self, BaselineRow};

/// Stops on either side of a span that revisions of its stops may touch: people merge neighbours, not days.
const AROUND: u64 = 100;

impl Readers {
    pub(super) fn stops(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<StopRecord, StoreError> {
        self.query(|conn| match record::line_id(conn, line)? {
            Some(line) => stops(conn, line, (from_us, to_us), limit),
            None => Ok(StopRecord::default()),
        })
    }

    pub(super) fn rollups(
        &self,
        line: &LineId,
        kind: PeriodKind,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Rollup>, StoreError> {
        self.query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(Vec::new()) };
            let args = params![line, kind.word(), from_us, to_us, sql_limit(limit)];
            rollups(conn, line, include_str!("sql/rollups_read.sql"), args)
        })
    }

    pub(super) fn counter(
        &self,
        line: &LineId,
        tag: &TagId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Option<CounterRecord>, StoreError> {
        self.query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(None) };
            let mut find = conn.prepare_cached(include_str!("sql/baseline_read.sql"))?;
            let row = find
                .query_row((line, tag.as_str()), |row| {
                    Ok(BaselineRow {
                        raw: row.get::<_, i64>(0)? as u64,
                        total: record::count(row, 1)?.unwrap_or_default(),
                        at: Moment { utc_us: row.get(4)?, mono_us: row.get(5)? },
                        detail: row.get(6)?,
                    })
                })
                .optional()?;
            let Some(row) = row else { return Ok(None) };
            let baseline = record::baseline(&row)
                .map_err(|problem| Failure::Damaged(format!("baseline of {tag}: {problem}")))?;
            let mut find = conn.prepare_cached(include_str!("sql/count_events_read.sql"))?;
            let entries = find
                .query_map(
                    params![line, from_us, to_us, tag.as_str(), sql_limit(limit)],
                    record::event,
                )?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Some(CounterRecord { baseline, entries }))
        })
    }
}

/// The stop that had not ended when it was stored.
pub(super) fn open_stop(conn: &Connection, line: i64) -> Found<Option<Stop>> {
    let mut find = conn.prepare_cached(include_str!("sql/stop_open_read.sql"))?;
    Ok(find.query_row([line], record::stop).optional()?)
}

/// Periods that had not ended when they were stored, and the hours since a moment.
pub(super) fn open_rollups(conn: &Connection, line: i64, since_us: i64) -> Found<Vec<Rollup>> {
    rollups(conn, line, include_str!("sql/rollups_open_read.sql"), params![line, since_us])
}

fn rollups(
    conn: &Connection,
    line: i64,
    sql: &str,
    args: &[&dyn rusqlite::ToSql],
) -> Found<Vec<Rollup>> {
    let dictionary = counters(conn, line)?;
    let lookup = |id: i64| {
        let counter = dictionary.iter().find(|counter| counter.id == id)?;
        Some((counter.station.clone(), counter.counted.clone()))
    };
    let mut find = conn.prepare_cached(sql)?;
    let found = find.query_map(args, |row| record::rollup(row, lookup))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn stops(
    conn: &Connection,
    line: i64,
    (from_us, to_us): (i64, i64),
    limit: usize,
) -> Found<StopRecord> {
    let mut find = conn.prepare_cached(include_str!("sql/stops_read.sql"))?;
    let overlaps = |stop: &Stop| stop.to.is_none_or(|to| to.utc_us > from_us);
    let stops: Vec<Stop> = find
        .query_map((line, from_us, to_us, sql_limit(limit)), record::stop)?
        .collect::<rusqlite::Result<_>>()?;
    let stops: Vec<Stop> = stops.into_iter().filter(overlaps).collect();
    let (Some(first), Some(last)) = (stops.first(), stops.last()) else {
        return Ok(StopRecord::default());
    };
    let (first, last) = (first.number, last.number);
    let (around, revisions) = around(conn, line, first, last)?;
    let parts = apply(&around, &revisions).map_err(damaged)?;
    let inside = |part: &Part| {
        part.from.utc_us < to_us
            && part.to.is_none_or(|to| to.utc_us > from_us)
            && part.of.iter().any(|stop| (first..=last).contains(stop))
    };
    let parts: Vec<Part> = parts.into_iter().filter(inside).collect();
    Ok(StopRecord { stops, parts, revisions })
}

/// Stops of these numbers and some on either side, and the revisions of them.
fn around(
    conn: &Connection,
    line: i64,
    first: u64,
    last: u64,
) -> Found<(Vec<Stop>, Vec<Revision>)> {
    let range = (line, first.saturating_sub(AROUND) as i64, last.saturating_add(AROUND) as i64);
    let mut find = conn.prepare_cached(include_str!("sql/stop_numbers_read.sql"))?;
    let stops = find.query_map(range, record::stop)?.collect::<rusqlite::Result<_>>()?;
    let mut find = conn.prepare_cached(include_str!("sql/stop_revisions_read.sql"))?;
    let revisions = find.query_map(range, record::revision)?.collect::<rusqlite::Result<_>>()?;
    Ok((stops, revisions))
}

fn damaged((number, refusal): (u64, Refusal)) -> Failure {
    Failure::Damaged(format!("revision {number} of a stop: {refusal}"))
}

/// Adds a revision if it can be made; its number is given here. `touches` are the stops that it names.
pub(super) fn add_revision(
    conn: &Connection,
    line: &LineId,
    mut revision: Revision,
    touches: (u64, u64),
) -> Found<Result<Revision, Refusal>> {
    let Some(line) = record::line_id(conn, line)? else {
        return Ok(Err(Refusal::NoPart(domain::line::stop::revision::PartId {
            stop: touches.0,
            cut: 0,
        })));
    };
    let (stops, revisions) = around(conn, line, touches.0, touches.1)?;
    let mut parts = apply(&stops, &revisions).map_err(damaged)?;
    let last: i64 = conn.query_row(
        "select coalesce(max(number), 0) from stop_revision where line = ?1",
        [line],
        |row| row.get(0),
    )?;
    revision.number = last as u64 + 1;
    if let Err(refusal) = revise(&mut parts, &revision) {
        return Ok(Err(refusal));
    }
    record::write_revision(conn, line, &revision)?;
    Ok(Ok(revision))
}
