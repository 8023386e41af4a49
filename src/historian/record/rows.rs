//! Rows → values of the domain.

use domain::line::event::{Event, EventKind};
use domain::line::minute::{Minute, TimeSplit};
use domain::line::state::State;
use domain::units::{Count, LineId, StationId, TagId};
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Connection, OptionalExtension, Result, Row};

use crate::historian::StoredState;

/// The number of a line, none if nothing was ever stored of it.
pub(in crate::historian) fn line_id(conn: &Connection, line: &LineId) -> Result<Option<i64>> {
    conn.prepare_cached("select id from line where name = ?1")?
        .query_row([line.as_str()], |row| row.get(0))
        .optional()
}

/// A count from three neighbouring columns, none where `best` is null.
pub(in crate::historian) fn count(row: &Row<'_>, best: usize) -> Result<Option<Count>> {
    let Some(value) = row.get::<_, Option<i64>>(best)? else { return Ok(None) };
    let low = row.get::<_, Option<i64>>(best + 1)?.unwrap_or(value);
    let high = row.get::<_, Option<i64>>(best + 2)?.unwrap_or(value);
    Ok(Some(Count::between(low as u64, value as u64, high as u64)))
}

/// A row of `events_read.sql` and `gaps_read.sql`.
pub(in crate::historian) fn event(row: &Row<'_>) -> Result<(i64, Event)> {
    let kind: String = row.get(3)?;
    let event = Event {
        at_us: row.get(1)?,
        from_us: row.get(2)?,
        kind: EventKind::from_word(&kind).ok_or_else(|| strange(3, "kind of event", &kind))?,
        station: row.get::<_, Option<String>>(4)?.map(StationId::new),
        tag: row.get::<_, Option<String>>(5)?.map(TagId::new),
        word: row.get(6)?,
        count: count(row, 7)?,
        detail: row.get(10)?,
    };
    Ok((row.get(0)?, event))
}

/// A row of `minutes_read.sql`, still without its tallies.
pub(in crate::historian) fn minute(row: &Row<'_>) -> Result<Minute> {
    let mut time = TimeSplit::default();
    for (n, us) in time.0.iter_mut().enumerate() {
        *us = row.get(3 + n)?;
    }
    Ok(Minute {
        start_us: row.get(0)?,
        rev: row.get(1)?,
        closed: row.get(2)?,
        time,
        polls: row.get::<_, i64>(9)? as u64,
        missed: row.get::<_, i64>(10)? as u64,
        tallies: Vec::new(),
        weights: Vec::new(),
    })
}

/// The state of a station: station, state, raw, since.
pub(in crate::historian) fn state(row: &Row<'_>) -> Result<StoredState> {
    let word: String = row.get(1)?;
    // Not `State::from_word`: that one is for maps and does not give the two unknown states.
    let state = State::ALL.into_iter().find(|state| state.word() == word);
    Ok(StoredState {
        station: StationId::new(row.get::<_, String>(0)?),
        state: state.ok_or_else(|| strange(1, "state", &word))?,
        raw: row.get(2)?,
        since_us: row.get(3)?,
    })
}

/// A word that no version wrote: damage, or a newer version's word in an older binary.
pub(in crate::historian) fn strange(column: usize, what: &str, found: &str) -> rusqlite::Error {
    let message = format!("`{found}` is no {what}");
    let cause = FromSqlError::Other(message.into());
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(cause))
}
