//! Tables that leave the journal as they lie in it: a statement each, and what its columns are called.

use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::{Each, What};
use crate::historian::read::{Failure, Found};
use crate::table::{Cell, Column, Kind, local};

/// A table as it lies in the journal. The first column of its statement is the moment that it is of; the local time is put
/// behind it.
pub(super) struct Plain {
    what: What,
    sql: &'static str,
    columns: &'static [(&'static str, Kind)],
}

use Kind::{Count, Flag, Number, Real, Text, Time};

const PLAIN: [Plain; 12] = [
    Plain {
        what: What::Events,
        sql: include_str!("../sql/extract/events.sql"),
        columns: &[
            ("utc", Time),
            ("seq", Number),
            ("from_utc", Time),
            ("kind", Text),
            ("station", Text),
            ("tag", Text),
            ("word", Text),
            ("count_capsules", Count),
            ("count_low_capsules", Count),
            ("count_high_capsules", Count),
            ("detail", Text),
        ],
    },
    Plain {
        what: What::Stops,
        sql: include_str!("../sql/extract/stops.sql"),
        columns: &[
            ("utc", Time),
            ("number", Number),
            ("to_utc", Time),
            ("lasted_us", Number),
            ("cause", Text),
            ("state", Text),
            ("reason", Number),
            ("key", Text),
            ("candidates", Text),
            ("flags", Number),
        ],
    },
    Plain {
        what: What::StopRevisions,
        sql: include_str!("../sql/extract/stop_revisions.sql"),
        columns: &[
            ("utc", Time),
            ("number", Number),
            ("author", Text),
            ("why", Text),
            ("act", Text),
            ("first_stop", Number),
            ("last_stop", Number),
        ],
    },
    Plain {
        what: What::Weights,
        sql: include_str!("../sql/extract/weights.sql"),
        columns: &[
            ("utc", Time),
            ("station", Text),
            ("series", Text),
            ("bore", Number),
            ("weighed_capsules", Count),
            ("sum_ug", Number),
            ("sum_of_squares_ug2", Number),
            ("records", Count),
            ("missed_records", Count),
            ("refused_records", Count),
            ("unheard_records", Count),
        ],
    },
    Plain {
        what: What::BatchEntries,
        sql: include_str!("../sql/extract/batch_entries.sql"),
        columns: &[
            ("utc", Time),
            ("did", Text),
            ("batch", Text),
            ("product", Text),
            ("author", Text),
            ("batch_start_utc", Time),
        ],
    },
    Plain {
        what: What::Limits,
        sql: include_str!("../sql/extract/limits.sql"),
        columns: &[
            ("utc", Time),
            ("characteristic", Text),
            ("version", Number),
            ("author", Text),
            ("reason", Text),
            ("body", Text),
            ("sha256", Text),
            ("verdict", Text),
            ("decided_utc", Time),
            ("decided_by", Text),
            ("decided_why", Text),
        ],
    },
    Plain {
        what: What::Points,
        sql: include_str!("../sql/extract/points.sql"),
        columns: &[
            ("utc", Time),
            ("characteristic", Text),
            ("rev", Number),
            ("limits_version", Number),
            ("fitness", Text),
            ("counted", Number),
            ("size", Number),
            ("stat", Real),
            ("z", Real),
            ("companion", Real),
            ("rules", Text),
            ("companion_rules", Text),
            ("told_utc", Time),
        ],
    },
    Plain {
        what: What::Incidents,
        sql: include_str!("../sql/extract/incidents.sql"),
        columns: &[
            ("utc", Time),
            ("id", Number),
            ("characteristic", Text),
            ("limits_version", Number),
            ("last_utc", Time),
            ("rules", Text),
            ("companion_rules", Text),
            ("points", Number),
            ("level", Text),
            ("is_over", Flag),
        ],
    },
    Plain {
        what: What::IncidentWork,
        sql: include_str!("../sql/extract/incident_work.sql"),
        columns: &[
            ("utc", Time),
            ("incident", Number),
            ("author", Text),
            ("word", Text),
            ("text", Text),
        ],
    },
    Plain {
        what: What::Reports,
        sql: include_str!("../sql/extract/reports.sql"),
        columns: &[
            ("utc", Time),
            ("number", Number),
            ("kind", Text),
            ("version", Number),
            ("made_utc", Time),
            ("author", Text),
            ("lang", Text),
            ("data_sha256", Text),
            ("page_sha256", Text),
        ],
    },
    Plain {
        what: What::GapNotes,
        sql: include_str!("../sql/extract/gap_notes.sql"),
        columns: &[("utc", Time), ("gap", Text), ("author", Text), ("text", Text)],
    },
    Plain {
        what: What::Counters,
        sql: include_str!("../sql/extract/counters.sql"),
        columns: &[
            ("utc", Time),
            ("tag", Text),
            ("raw", Kind::Whole),
            ("total", Count),
            ("total_low", Count),
            ("total_high", Count),
            ("detail", Text),
        ],
    },
];

/// The table of a kind, none where it has a form of its own.
pub(super) fn of(what: What) -> Option<&'static Plain> {
    const { &PLAIN }.iter().find(|plain| plain.what == what)
}

impl Plain {
    pub(super) fn columns(&self) -> Vec<Column> {
        let mut columns: Vec<Column> =
            self.columns.iter().map(|(name, kind)| Column::new(name, *kind)).collect();
        columns.insert(1, Column::new("local", Text));
        columns
    }

    pub(super) fn rows(
        &self,
        conn: &Connection,
        line: i64,
        (from_us, to_us): (i64, i64),
        zone: &TimeZone,
        each: Each<'_>,
    ) -> Found<()> {
        let mut find = conn.prepare_cached(self.sql)?;
        let mut rows = find.query((line, from_us, to_us))?;
        let mut cells = Vec::with_capacity(self.columns.len() + 1);
        while let Some(row) = rows.next()? {
            cells.clear();
            for (place, (name, kind)) in self.columns.iter().enumerate() {
                cells.push(cell(row, place, *kind).map_err(|found| {
                    Failure::Damaged(format!("{}: {name} holds {found}", self.what.word()))
                })?);
                if let (0, Some(Cell::Time(us))) = (place, cells.last()) {
                    cells.push(local(*us, zone));
                }
            }
            if !each(&cells) {
                break;
            }
        }
        Ok(())
    }
}

/// A value of a column, or what else there is.
fn cell(row: &Row<'_>, place: usize, kind: Kind) -> Result<Cell, String> {
    let value = row.get_ref(place).map_err(|error| error.to_string())?;
    Ok(match (kind, value) {
        (_, ValueRef::Null) => Cell::Empty,
        (Time, ValueRef::Integer(us)) => Cell::Time(us),
        // Counts above 2^63 wrap into the negative.
        (Count, ValueRef::Integer(n)) => Cell::Count(n as u64),
        (Kind::Whole, ValueRef::Integer(n)) => Cell::Whole(i128::from(n as u64)),
        (Number, ValueRef::Integer(n)) => Cell::Number(n),
        (Flag, ValueRef::Integer(n)) => Cell::Flag(n != 0),
        (Real, ValueRef::Real(x)) => Cell::Real(x),
        (Real, ValueRef::Integer(n)) => Cell::Real(n as f64),
        // What is no UTF-8 is shown as such rather than kept from all others.
        (Text, ValueRef::Text(text)) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        (_, other) => return Err(other.data_type().to_string()),
    })
}
