//! Reads of what is written down of a line beside minutes and events: stops with their revisions, periods, one counter.

use domain::line::balance::SectionState;
use domain::line::batch::hand::Entry;
use domain::line::chronicle::{CounterRecord, StopRecord};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::stop::Stop;
use domain::line::stop::revision::{Part, Refusal, Revision, apply, check_seen, revise};
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

    pub(super) fn batch_entries(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(Vec::new()) };
            let mut find = conn.prepare_cached(include_str!("sql/batch_entries_read.sql"))?;
            let args = params![line, from_us, to_us, sql_limit(limit)];
            let found = find.query_map(args, record::batch_entry)?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    pub(super) fn stop(&self, line: &LineId, number: u64) -> Result<StopRecord, StoreError> {
        self.query(|conn| match record::line_id(conn, line)? {
            Some(line) => stop(conn, line, number),
            None => Ok(StopRecord::default()),
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

/// The balance of material as it was judged last.
pub(super) fn balance(conn: &Connection, line: i64) -> Found<Vec<SectionState>> {
    let mut find = conn.prepare_cached("select form from balance_state where line = ?1")?;
    let form = find.query_row([line], |row| row.get::<_, String>(0)).optional()?;
    let states = form.map(|form| record::sections(&form)).transpose();
    Ok(states
        .map_err(|problem| Failure::Damaged(format!("balance of material: {problem}")))?
        .unwrap_or_default())
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

pub(super) fn rollups(
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

/// One stop as recorded with its neighbours that it was merged with, its parts, and all revisions that name it.
fn stop(conn: &Connection, line: i64, number: u64) -> Found<StopRecord> {
    let (around, revisions) = around(conn, line, number, number)?;
    let parts = apply(&around, &revisions).map_err(damaged)?;
    let parts: Vec<Part> = parts.into_iter().filter(|part| part.of.contains(&number)).collect();
    let joined = |stop: &Stop| {
        stop.number == number || parts.iter().any(|part| part.of.contains(&stop.number))
    };
    let stops: Vec<Stop> = around.into_iter().filter(joined).collect();
    let names = |revision: &Revision| {
        revision.act.parts().any(|part| stops.iter().any(|stop| stop.number == part.stop))
    };
    let revisions = revisions.into_iter().filter(names).collect();
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

/// Adds a revision if it can be made; its number is given here. `seen` is the last revision that its author knew of: what
/// it names must not have been revised since.
pub(super) fn add_revision(
    conn: &Connection,
    line: &LineId,
    mut revision: Revision,
    seen: Option<u64>,
) -> Found<Result<Revision, Refusal>> {
    let Some(line) = record::line_id(conn, line)? else {
        let none = revision.act.parts().next().map(|part| Err(Refusal::NoPart(part)));
        return Ok(none.unwrap_or(Err(Refusal::Number(revision.number))));
    };
    let named = || revision.act.parts().map(|part| part.stop);
    let (first, last) = (named().min().unwrap_or(0), named().max().unwrap_or(0));
    let (stops, revisions) = around(conn, line, first, last)?;
    let mut parts = apply(&stops, &revisions).map_err(damaged)?;
    let last: i64 = conn.query_row(
        "select coalesce(max(number), 0) from stop_revision where line = ?1",
        [line],
        |row| row.get(0),
    )?;
    revision.number = last as u64 + 1;
    let checked = check_seen(&parts, &revision.act, seen.unwrap_or(u64::MAX));
    if let Err(refusal) = checked.and_then(|()| revise(&mut parts, &revision)) {
        return Ok(Err(refusal));
    }
    record::write_revision(conn, line, &revision)?;
    Ok(Ok(revision))
}
