//! Values of the domain → rows, part by part. What makes the parts one is the transaction around them.

use domain::line::minute::{Minute, Tally};
use domain::line::state::TimeClass;
use domain::reading::Snapshot;
use domain::units::{Count, LineId};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::BaselineRow;
use super::hand::{balance_state, batch_entries};
use super::line::{rollups, stops};
use super::second::seconds;
use super::weight::weighings;
use crate::historian::{Tick, audit, frame};

/// Where the rows of a tick belong.
#[derive(Clone, Copy)]
pub(in crate::historian) struct Scope {
    /// The line.
    pub(in crate::historian) line: i64,
    /// This run of the service.
    pub(in crate::historian) run: i64,
}

/// One part of a tick.
type Part = fn(&Connection, Scope, &Tick) -> Result<()>;

/// All parts of a tick. The last one says that the tick is stored.
pub(in crate::historian) const PARTS: [Part; 13] = [
    frames,
    baselines,
    minutes,
    seconds,
    weighings,
    events,
    states,
    stops,
    rollups,
    batch_entries,
    balance_state,
    notes,
    line,
];

/// The number of a line and of its last tick, and when that was closed. A line that is not known yet is entered.
pub(in crate::historian) fn line_row(
    conn: &Connection,
    line: &LineId,
) -> Result<(i64, u64, Option<i64>)> {
    let mut find = conn.prepare_cached("select id, tick_seq, at_us from line where name = ?1")?;
    let found = find
        .query_row([line.as_str()], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)? as u64, row.get(2)?))
        })
        .optional()?;
    if let Some(found) = found {
        return Ok(found);
    }
    conn.execute("insert into line (name) values (?1)", [line.as_str()])?;
    Ok((conn.last_insert_rowid(), 0, None))
}

fn frames(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let mut insert = conn.prepare_cached(include_str!("../sql/frame_write.sql"))?;
    for part in frame::parts(&tick.snapshots) {
        let times = part.iter().map(|snapshot: &Snapshot| snapshot.taken_at.utc_us);
        let (from, to) = (times.clone().min(), times.max());
        insert.execute(params![
            scope.line,
            scope.run,
            from,
            to,
            part.len() as i64,
            frame::encode(part)
        ])?;
    }
    Ok(())
}

fn baselines(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let mut upsert = conn.prepare_cached(include_str!("../sql/baseline_write.sql"))?;
    for (tag, baseline) in &tick.baselines {
        let row = BaselineRow::of(baseline);
        let (best, low, high) = columns(row.total);
        let (at, mono, raw) = (row.at.utc_us, row.at.mono_us, row.raw as i64);
        let tag = tag.as_str();
        upsert.execute(params![
            scope.line, tag, scope.run, raw, best, low, high, at, mono, row.detail
        ])?;
    }
    Ok(())
}

fn minutes(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    tick.minutes.iter().try_for_each(|minute| write_minute(conn, scope, minute))
}

fn write_minute(conn: &Connection, scope: Scope, minute: &Minute) -> Result<()> {
    let mut upsert = conn.prepare_cached(include_str!("../sql/minute_write.sql"))?;
    let time = |class| minute.time.of(class);
    let n_written = upsert.execute(params![
        scope.line,
        minute.start_us,
        minute.rev,
        minute.closed,
        time(TimeClass::Run),
        time(TimeClass::Internal),
        time(TimeClass::External),
        time(TimeClass::Planned),
        time(TimeClass::Idle),
        time(TimeClass::Unknown),
        minute.polls as i64,
        minute.missed as i64,
    ])?;
    // None written means that a newer revision is there; its counts stay with it.
    if n_written == 0 {
        return Ok(());
    }
    let mut upsert = conn.prepare_cached(include_str!("../sql/minute_count_write.sql"))?;
    for tally in &minute.tallies {
        let (best, low, high) = columns(tally.count);
        let counter = counter(conn, scope, tally)?;
        upsert.execute(params![scope.line, minute.start_us, counter, best, low, high])?;
    }
    super::weight::write(conn, scope, minute)
}

/// The number of a counter in the dictionary, entered if it is new.
pub(super) fn counter(conn: &Connection, scope: Scope, tally: &Tally) -> Result<i64> {
    let key = (scope.line, tally.station.as_str(), tally.counted.word(), tally.counted.reason());
    let mut find = conn.prepare_cached(include_str!("../sql/counter_find.sql"))?;
    if let Some(id) = find.query_row(key, |row| row.get(0)).optional()? {
        return Ok(id);
    }
    conn.execute(
        "insert into counter (line, station, counted, reason) values (?1, ?2, ?3, ?4)",
        key,
    )?;
    Ok(conn.last_insert_rowid())
}

fn events(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let mut insert = conn.prepare_cached(include_str!("../sql/event_write.sql"))?;
    for event in &tick.events {
        let (best, low, high) = match event.count {
            Some(count) => columns(count),
            None => (None, None, None),
        };
        insert.execute(params![
            scope.line,
            event.at_us,
            event.from_us,
            event.kind.word(),
            event.station.as_ref().map(|station| station.as_str()),
            event.tag.as_ref().map(|tag| tag.as_str()),
            event.word,
            best,
            low,
            high,
            event.detail,
        ])?;
    }
    Ok(())
}

fn states(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let mut upsert = conn.prepare_cached(include_str!("../sql/station_state_write.sql"))?;
    for (n, stored) in tick.states.iter().enumerate() {
        let (station, state) = (stored.station.as_str(), stored.state.word());
        upsert.execute(params![
            scope.line,
            station,
            n as i64,
            state,
            stored.raw,
            stored.since_us
        ])?;
    }
    Ok(())
}

fn notes(conn: &Connection, _: Scope, tick: &Tick) -> Result<()> {
    tick.all_notes().try_for_each(|note| audit::add(conn, &note).map(drop))
}

fn line(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let (best, low, high) = columns(tick.total);
    let mut update = conn.prepare_cached(include_str!("../sql/line_write.sql"))?;
    let (at, mono) = (tick.at.utc_us, tick.at.mono_us);
    let (booked, booked_mono) = (tick.booked_to.utc_us, tick.booked_to.mono_us);
    update.execute(params![
        scope.line,
        tick.seq as i64,
        scope.run,
        at,
        mono,
        best,
        low,
        high,
        booked,
        booked_mono
    ])?;
    Ok(())
}

/// A count as `best`, `low`, `high`; the bounds are null where it is exact.
fn columns(count: Count) -> (Option<i64>, Option<i64>, Option<i64>) {
    let bound = |n: u64| if count.is_exact() { None } else { Some(n as i64) };
    (Some(count.best() as i64), bound(count.low()), bound(count.high()))
}
