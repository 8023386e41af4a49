//! Stops, their revisions, and periods ↔ their rows.

use domain::line::batch::Remark;
use domain::line::minute::{Counted, Tally, TimeSplit};
use domain::line::rollup::{PeriodKind, Rollup, Spending};
use domain::line::state::State;
use domain::line::stop::key_cause::KeyCause;
use domain::line::stop::revision::{Act, PartId, Revision};
use domain::line::stop::{Cause, Flags, Stop};
use domain::units::{Count, Moment, StationId};
use rusqlite::{Connection, Result, Row, params};
use serde::{Deserialize, Serialize};

use super::rows::strange;
use super::write::{Scope, counter};
use crate::historian::Tick;

/// Writes the stops of a tick.
pub(super) fn stops(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let mut upsert = conn.prepare_cached(include_str!("../sql/stop_write.sql"))?;
    for stop in &tick.stops {
        let (key, candidates) = match &stop.key {
            KeyCause::None => (None, None),
            KeyCause::Station(station) => (Some(station.as_str()), None),
            KeyCause::Undecided(stations) => {
                let names: Vec<&str> = stations.iter().map(StationId::as_str).collect();
                (None, Some(serde_json::Value::from(names).to_string()))
            }
        };
        upsert.execute(params![
            scope.line,
            stop.number as i64,
            stop.from.utc_us,
            stop.from.mono_us,
            stop.to.map(|to| to.utc_us),
            stop.to.map(|to| to.mono_us),
            stop.cause.word(),
            stop.state.word(),
            stop.reason,
            key,
            candidates,
            stop.flags.bits(),
        ])?;
    }
    Ok(())
}

/// A row of the `stop…_read.sql`.
pub(in crate::historian) fn stop(row: &Row<'_>) -> Result<Stop> {
    let (to_us, to_mono_us): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
    let moment = |(utc_us, mono_us)| Moment { utc_us, mono_us };
    let (cause, state): (String, String) = (row.get(5)?, row.get(6)?);
    let (key, candidates): (Option<String>, Option<String>) = (row.get(8)?, row.get(9)?);
    let key = match (key, candidates) {
        (Some(station), _) => KeyCause::Station(StationId::new(station)),
        (None, Some(list)) => {
            let names: Vec<String> =
                serde_json::from_str(&list).map_err(|_| strange(9, "list of stations", &list))?;
            KeyCause::Undecided(names.into_iter().map(StationId::new).collect())
        }
        (None, None) => KeyCause::None,
    };
    Ok(Stop {
        number: row.get::<_, i64>(0)? as u64,
        from: Moment { utc_us: row.get(1)?, mono_us: row.get(2)? },
        to: to_us.zip(to_mono_us).map(moment),
        cause: Cause::from_word(&cause).ok_or_else(|| strange(5, "cause of a stop", &cause))?,
        state: State::ALL
            .into_iter()
            .find(|known| known.word() == state)
            .ok_or_else(|| strange(6, "state", &state))?,
        reason: row.get(7)?,
        key,
        flags: Flags::from_bits(row.get(10)?),
    })
}

/// The stored form of an [`Act`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ActForm {
    Assign { part: String, cause: String, reason: String },
    Undo { part: String },
    Split { part: String, after_us: i64 },
    Merge { first: String, second: String },
}

/// Writes a revision.
pub(in crate::historian) fn write_revision(
    conn: &Connection,
    line: i64,
    revision: &Revision,
) -> Result<()> {
    let (act, stops) = match &revision.act {
        Act::Assign { part, cause, reason } => {
            let (cause, reason) = (cause.word().to_owned(), reason.to_string());
            (ActForm::Assign { part: part.to_string(), cause, reason }, (part.stop, part.stop))
        }
        Act::Undo { part } => (ActForm::Undo { part: part.to_string() }, (part.stop, part.stop)),
        Act::Split { part, after_us } => {
            let after_us = *after_us;
            (ActForm::Split { part: part.to_string(), after_us }, (part.stop, part.stop))
        }
        Act::Merge { first, second } => {
            let stops = (first.stop.min(second.stop), first.stop.max(second.stop));
            let (first, second) = (first.to_string(), second.to_string());
            (ActForm::Merge { first, second }, stops)
        }
    };
    let act = serde_json::to_string(&act)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    conn.execute(
        include_str!("../sql/stop_revision_write.sql"),
        params![
            line,
            revision.number as i64,
            revision.at_us,
            revision.by.as_ref(),
            revision.why.as_ref(),
            act,
            stops.0 as i64,
            stops.1 as i64,
        ],
    )?;
    Ok(())
}

/// A row of `stop_revisions_read.sql`.
pub(in crate::historian) fn revision(row: &Row<'_>) -> Result<Revision> {
    let act: String = row.get(4)?;
    let damaged = || strange(4, "revision", &act);
    let part = |text: &str| PartId::parse(text).ok_or_else(damaged);
    let form: ActForm = serde_json::from_str(&act).map_err(|_| damaged())?;
    let decided = match form {
        ActForm::Assign { part: id, cause, reason } => Act::Assign {
            part: part(&id)?,
            cause: Cause::from_word(&cause).ok_or_else(damaged)?,
            reason: reason.into(),
        },
        ActForm::Undo { part: id } => Act::Undo { part: part(&id)? },
        ActForm::Split { part: id, after_us } => Act::Split { part: part(&id)?, after_us },
        ActForm::Merge { first, second } => {
            Act::Merge { first: part(&first)?, second: part(&second)? }
        }
    };
    Ok(Revision {
        number: row.get::<_, i64>(0)? as u64,
        at_us: row.get(1)?,
        by: row.get::<_, String>(2)?.into(),
        why: row.get::<_, String>(3)?.into(),
        act: decided,
    })
}

/// A counter's share of a period: its number, and the bounds of the count and of its part from gaps, each as best, low,
/// high.
type CountForm = (i64, u64, u64, u64, u64, u64, u64);

/// Writes the periods of a tick.
pub(super) fn rollups(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let mut upsert = conn.prepare_cached(include_str!("../sql/rollup_write.sql"))?;
    for rollup in &tick.rollups {
        let mut counts: Vec<CountForm> = Vec::with_capacity(rollup.counts.len());
        for tally in &rollup.counts {
            let is_it = |t: &&Tally| t.station == tally.station && t.counted == tally.counted;
            let gap: Count = rollup.gaps.iter().filter(is_it).map(|t| t.count).sum();
            let (all, id) = (tally.count, counter(conn, scope, tally)?);
            counts.push((id, all.best(), all.low(), all.high(), gap.best(), gap.low(), gap.high()));
        }
        let counts = serde_json::to_string(&counts)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let Spending { time: TimeSplit(us), setup_us, overlap_us, order_us, failures } =
            rollup.spending;
        upsert.execute(params![
            scope.line,
            rollup.kind.word(),
            rollup.start_us,
            rollup.name.as_ref(),
            rollup.end_us,
            rollup.rev,
            rollup.closed,
            rollup.remark.map(Remark::word),
            rollup.estimated,
            us[0],
            us[1],
            us[2],
            us[3],
            us[4],
            us[5],
            setup_us,
            overlap_us,
            order_us,
            failures as i64,
            counts,
        ])?;
    }
    Ok(())
}

/// A row of the `rollups…_read.sql`; `counters` is the dictionary of counters.
pub(in crate::historian) fn rollup(
    row: &Row<'_>,
    counters: impl Fn(i64) -> Option<(StationId, Counted)>,
) -> Result<Rollup> {
    let (kind, remark): (String, Option<String>) = (row.get(0)?, row.get(6)?);
    let mut time = TimeSplit::default();
    for (n, us) in time.0.iter_mut().enumerate() {
        *us = row.get(8 + n)?;
    }
    let text: String = row.get(18)?;
    let damaged = || strange(18, "list of counts", &text);
    let forms: Vec<CountForm> = serde_json::from_str(&text).map_err(|_| damaged())?;
    let (mut counts, mut gaps) = (Vec::with_capacity(forms.len()), Vec::new());
    for (id, best, low, high, gap_best, gap_low, gap_high) in forms {
        let (station, counted) = counters(id).ok_or_else(damaged)?;
        let gap = Count::between(gap_low, gap_best, gap_high);
        if !gap.is_zero() {
            gaps.push(Tally { station: station.clone(), counted: counted.clone(), count: gap });
        }
        counts.push(Tally { station, counted, count: Count::between(low, best, high) });
    }
    let remark = remark
        .map(|word| Remark::from_word(&word).ok_or_else(|| strange(6, "remark on a batch", &word)));
    Ok(Rollup {
        kind: PeriodKind::from_word(&kind).ok_or_else(|| strange(0, "kind of period", &kind))?,
        start_us: row.get(1)?,
        name: row.get::<_, String>(2)?.into(),
        end_us: row.get(3)?,
        rev: row.get(4)?,
        closed: row.get(5)?,
        remark: remark.transpose()?,
        estimated: row.get(7)?,
        spending: Spending {
            time,
            setup_us: row.get(14)?,
            overlap_us: row.get(15)?,
            order_us: row.get(16)?,
            failures: row.get::<_, i64>(17)? as u64,
        },
        counts,
        gaps,
    })
}
