//! Minutes, as rows and as packed hours. An hour is packed once all its minutes are closed, and unpacked by whatever
//! writes to one of them (the triggers of `0007_hours.sql`): a reader never sees an hour that its rows contradict.

use domain::line::minute::{Counted, Minute};
use domain::units::{Count, HOUR_US, LineId, StationId};
use rusqlite::{Connection, OptionalExtension};

use super::Historian;
use super::error::StoreError;
use super::frame::hour::{self, Numbered};
use super::read::{self, Counter, Failure, Found};
use super::record;

/// Hours packed in one transaction: the lines' ticks wait for it.
const BITE: usize = 24;
/// Hours looked at in one transaction.
const LOOK: usize = 800;

impl Historian {
    /// Packs closed hours of a line that ended by `until_us`, from the hour of `from_us` on, some of them at a time.
    /// Returns where to go on; none when all are packed. Blocks.
    pub fn pack_hours(
        &self,
        line: &LineId,
        from_us: i64,
        until_us: i64,
    ) -> Result<Option<i64>, StoreError> {
        let (line, (told, next)) = (line.clone(), std::sync::mpsc::sync_channel(1));
        self.0.writer.perform(move |journal| {
            let mut next_us = None;
            journal.transact(|conn| {
                if let Some(line) = record::line_id(conn, &line)? {
                    next_us = pack(conn, line, from_us.max(0), until_us)?;
                }
                Ok(())
            })?;
            // Whoever asked waits for it; if not, nobody wants the answer.
            let _ = told.send(next_us);
            Ok(())
        })?;
        next.recv().map_err(|_| StoreError::Closed)
    }
}

fn hour_of(at_us: i64) -> i64 {
    at_us.div_euclid(HOUR_US) * HOUR_US
}

fn pack(
    conn: &Connection,
    line: i64,
    from_us: i64,
    until_us: i64,
) -> rusqlite::Result<Option<i64>> {
    let mut next =
        conn.prepare_cached("select min(start_us) from minute where line = ?1 and start_us >= ?2")?;
    let mut known =
        conn.prepare_cached("select 1 from minute_hour where line = ?1 and hour_us = ?2")?;
    let mut from_us = hour_of(from_us);
    let mut n_packed = 0;
    for _ in 0..LOOK {
        let Some(start_us) = next.query_row((line, from_us), |row| row.get::<_, Option<i64>>(0))?
        else {
            return Ok(None);
        };
        let hour_us = hour_of(start_us);
        from_us = hour_us + HOUR_US;
        if from_us > until_us {
            return Ok(None);
        }
        if known.query_row((line, hour_us), |_| Ok(())).optional()?.is_none() {
            pack_hour(conn, line, hour_us)?;
            n_packed += 1;
        }
        if n_packed == BITE {
            break;
        }
    }
    Ok(Some(from_us))
}

/// Packs an hour, unless a minute of it is open or lies between two minutes of the clock.
fn pack_hour(conn: &Connection, line: i64, hour_us: i64) -> rusqlite::Result<()> {
    let minutes = numbered(conn, line, (hour_us, hour_us + HOUR_US))?;
    if minutes.iter().any(|numbered| !numbered.minute.closed) {
        return Ok(());
    }
    let Some(data) = hour::encode(hour_us, &minutes) else { return Ok(()) };
    let mut insert =
        conn.prepare_cached("insert into minute_hour (line, hour_us, data) values (?1, ?2, ?3)")?;
    insert.execute((line, hour_us, data))?;
    Ok(())
}

fn numbered(
    conn: &Connection,
    line: i64,
    (from_us, to_us): (i64, i64),
) -> rusqlite::Result<Vec<Numbered>> {
    let mut find = conn.prepare_cached(include_str!("sql/minutes_read.sql"))?;
    let found = find.query_map((line, from_us, to_us, -1), record::minute)?;
    let mut minutes = found
        .map(|minute| minute.map(|minute| Numbered { minute, counts: Vec::new() }))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut find = conn.prepare_cached(include_str!("sql/minute_counts_read.sql"))?;
    let mut rows = find.query((line, from_us, to_us - 1))?;
    while let Some(row) = rows.next()? {
        let start_us: i64 = row.get(0)?;
        let count = record::count(row, 2)?.unwrap_or(Count::ZERO);
        let at = minutes.binary_search_by_key(&start_us, |numbered| numbered.minute.start_us);
        if let Some(numbered) = at.ok().and_then(|at| minutes.get_mut(at)) {
            numbered.counts.push((row.get(1)?, count));
        }
    }
    Ok(minutes)
}

/// Minutes that began in a span, oldest first: packed hours, and rows where there are none.
pub(super) fn minutes(
    conn: &Connection,
    line: i64,
    (from_us, to_us): (i64, i64),
    limit: usize,
) -> Found<Vec<Minute>> {
    let counters = read::counters(conn, line)?;
    let name = |id: i64| -> Option<(StationId, Counted)> {
        let counter = counters.iter().find(|counter| counter.id == id)?;
        Some((counter.station.clone(), counter.counted.clone()))
    };
    let sql = "select hour_us, data from minute_hour
               where line = ?1 and hour_us > ?2 and hour_us < ?3 order by hour_us";
    let mut find = conn.prepare_cached(sql)?;
    let mut packed = find.query((line, from_us.saturating_sub(HOUR_US), to_us))?;
    let mut minutes = Vec::new();
    // Up to where the span is read.
    let mut at_us = from_us;
    while minutes.len() < limit
        && let Some(hour) = packed.next()?
    {
        let hour_us: i64 = hour.get(0)?;
        rows(conn, line, &counters, (at_us, hour_us), limit, &mut minutes)?;
        let data = hour.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        hour::decode(data, hour_us, (from_us, to_us), name, &mut minutes)
            .map_err(|error| Failure::Damaged(format!("packed hour {hour_us}: {error}")))?;
        at_us = hour_us + HOUR_US;
    }
    rows(conn, line, &counters, (at_us, to_us), limit, &mut minutes)?;
    minutes.truncate(limit);
    Ok(minutes)
}

/// The same from their rows alone.
pub(super) fn plain_minutes(conn: &Connection, line: i64, span: (i64, i64)) -> Found<Vec<Minute>> {
    let counters = read::counters(conn, line)?;
    let mut minutes = Vec::new();
    rows(conn, line, &counters, span, usize::MAX, &mut minutes)?;
    Ok(minutes)
}

/// Adds minutes of a span from their rows.
fn rows(
    conn: &Connection,
    line: i64,
    counters: &[Counter],
    (from_us, to_us): (i64, i64),
    limit: usize,
    minutes: &mut Vec<Minute>,
) -> Found<()> {
    if from_us >= to_us || minutes.len() >= limit {
        return Ok(());
    }
    let first = minutes.len();
    let left = read::sql_limit(limit - first);
    let mut find = conn.prepare_cached(include_str!("sql/minutes_read.sql"))?;
    for minute in find.query_map((line, from_us, to_us, left), record::minute)? {
        minutes.push(minute?);
    }
    let Some(fresh) = minutes.get_mut(first..).filter(|fresh| !fresh.is_empty()) else {
        return Ok(());
    };
    let span = fresh.first().zip(fresh.last()).map(|(a, b)| (a.start_us, b.start_us));
    let Some((first_us, last_us)) = span else { return Ok(()) };
    let mut find = conn.prepare_cached(include_str!("sql/minute_counts_read.sql"))?;
    let mut rows = find.query((line, first_us, last_us))?;
    let mut at = 0;
    while let Some(row) = rows.next()? {
        let start_us: i64 = row.get(0)?;
        while fresh.get(at).is_some_and(|minute| minute.start_us < start_us) {
            at += 1;
        }
        let id: i64 = row.get(1)?;
        let counter = counters.iter().find(|counter| counter.id == id);
        let (Some(minute), Some(counter)) = (fresh.get_mut(at), counter) else {
            return Err(Failure::Damaged(format!("minute {start_us}: count without a minute")));
        };
        let count = record::count(row, 2)?.unwrap_or(Count::ZERO);
        minute.tallies.push(counter.tally(count));
    }
    Ok(())
}
