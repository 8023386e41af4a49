//! Weights of a minute ↔ rows.

use domain::line::minute::Minute;
use domain::line::weighing::Sequence;
use domain::line::weight::{Account, Moments, Series, WeightTally};
use domain::units::StationId;
use rusqlite::{Connection, Result, Row, params};

use super::{Scope, rows::strange};
use crate::historian::Tick;

/// Writes the weights of a minute whose row was written.
pub(super) fn write(conn: &Connection, scope: Scope, minute: &Minute) -> Result<()> {
    let mut upsert = conn.prepare_cached(include_str!("../sql/minute_weight_write.sql"))?;
    for WeightTally { station, series, bore, moments, account } in &minute.weights {
        let Account { records, missed, refused, unheard } = *account;
        // A minute of the heaviest capsules has 2^59; a number that does not fit would be damage.
        let squares = i64::try_from(moments.squares()).unwrap_or(i64::MAX);
        upsert.execute(params![
            scope.line,
            minute.start_us,
            station.as_str(),
            series.word(),
            bore,
            moments.n() as i64,
            moments.sum_ug() as i64,
            squares,
            records,
            missed,
            refused,
            unheard,
        ])?;
    }
    Ok(())
}

/// Writes the last numbers taken.
pub(super) fn weighings(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let mut upsert = conn.prepare_cached(include_str!("../sql/weighing_write.sql"))?;
    for (station, series, sequence) in &tick.weighings {
        upsert.execute(params![scope.line, station.as_str(), series.word(), *sequence as i64])?;
    }
    Ok(())
}

/// A row of `minute_weights_read.sql`: the start of its minute, and the weights.
pub(in crate::historian) fn weight(row: &Row<'_>) -> Result<(i64, WeightTally)> {
    let tally = WeightTally {
        station: StationId::new(row.get::<_, String>(1)?),
        series: series(row, 2)?,
        bore: row.get(3)?,
        moments: Moments::stored(
            row.get::<_, i64>(4)? as u64,
            row.get::<_, i64>(5)? as u64,
            row.get::<_, i64>(6)?.unsigned_abs().into(),
        ),
        account: Account {
            records: row.get(7)?,
            missed: row.get(8)?,
            refused: row.get(9)?,
            unheard: row.get(10)?,
        },
    };
    Ok((row.get(0)?, tally))
}

/// The last number taken of a series: station, series, number.
pub(in crate::historian) fn weighing(row: &Row<'_>) -> Result<(StationId, Series, Sequence)> {
    let station = StationId::new(row.get::<_, String>(0)?);
    Ok((station, series(row, 1)?, row.get::<_, i64>(2)? as u64))
}

fn series(row: &Row<'_>, column: usize) -> Result<Series> {
    let word: String = row.get(column)?;
    Series::from_word(&word).ok_or_else(|| strange(column, "series of weights", &word))
}
