//! What a journal holds of each line, and whether it adds up: minutes and gaps against the total of the counter.

use domain::units::Count;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::historian::read::Found;
use crate::historian::record;

/// A count as best, low, high.
type Bounds = (u64, u64, u64);

/// What a journal holds of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAccount {
    /// The line.
    pub line: String,
    /// Number of its last tick.
    pub tick: u64,
    /// When that was closed, UTC microseconds.
    pub at_us: Option<i64>,
    /// Good capsules of the counting stations since the journal began.
    pub total: Bounds,
    /// Those of them that its minutes hold.
    pub in_minutes: Bounds,
    /// Those that are known only of gaps.
    pub in_gaps: Bounds,
    /// Whether the last reading waits for its confirmation: it is in the total and in no minute yet.
    pub held: bool,
    /// Stored minutes.
    pub minutes: u64,
    /// Stored events.
    pub events: u64,
}

impl LineAccount {
    /// Whether minutes and gaps are the total, capsule by capsule and bound by bound.
    pub fn adds_up(&self) -> bool {
        let booked = self.in_minutes() + count(self.in_gaps);
        let total = count(self.total);
        let within = booked.low() <= total.low() && booked.high() <= total.high();
        booked == total || self.held && within
    }

    fn in_minutes(&self) -> Count {
        count(self.in_minutes)
    }
}

fn count((best, low, high): Bounds) -> Count {
    Count::between(low, best, high)
}

fn bounds(count: Count) -> Bounds {
    (count.best(), count.low(), count.high())
}

/// The accounts of all lines, in the order in which they came.
pub(super) fn accounts(conn: &Connection) -> Found<Vec<LineAccount>> {
    let sql = "select id, name, tick_seq, at_us, best, low, high,
                 (select count(*) from minute where minute.line = line.id),
                 (select count(*) from event where event.line = line.id)
               from line order by id";
    let mut find = conn.prepare(sql)?;
    let mut rows = find.query([])?;
    let mut accounts = Vec::new();
    while let Some(row) = rows.next()? {
        let line: i64 = row.get(0)?;
        let total = record::count(row, 4)?.unwrap_or(Count::ZERO);
        let booked = booked(conn, line, total)?;
        accounts.push(LineAccount {
            line: row.get(1)?,
            tick: row.get::<_, i64>(2)? as u64,
            at_us: row.get(3)?,
            total: bounds(total),
            in_minutes: bounds(booked.minutes),
            in_gaps: bounds(booked.gaps),
            held: is_held(conn, line)?,
            minutes: row.get::<_, i64>(7)? as u64,
            events: row.get::<_, i64>(8)? as u64,
        });
    }
    Ok(accounts)
}

/// What minutes and gaps hold of the counters that the total is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::historian) struct Booked {
    /// Where each counts, and the counter as its gaps name it, empty where none is needed.
    pub(in crate::historian) counters: Vec<(String, String)>,
    /// What minutes hold.
    pub(in crate::historian) minutes: Count,
    /// What gaps hold.
    pub(in crate::historian) gaps: Count,
}

/// What minutes and gaps hold of the counters that the total is of. A journal says which stations make the output where
/// these are several; of one alone it is the station whose good capsules come nearest to the total.
pub(in crate::historian) fn booked(conn: &Connection, line: i64, total: Count) -> Found<Booked> {
    let gaps = sums(conn, line, include_str!("../sql/account_gaps.sql"))?;
    let minutes = sums(conn, line, include_str!("../sql/account_minutes.sql"))?;
    let beside = side_by_side(conn, line)?;
    let groups: Vec<Vec<&str>> = match beside.is_empty() {
        true => minutes.iter().map(|(station, ..)| vec![station.as_str()]).collect(),
        false => vec![beside.iter().map(String::as_str).collect()],
    };
    let (mut nearest, mut distance) = (Booked::default(), total.best());
    for group in groups {
        for choice in choices(&group, &minutes, &gaps) {
            let sum = choice.minutes + choice.gaps;
            let off = total.best().abs_diff(sum.best());
            if off < distance || sum == total {
                (nearest, distance) = (choice, off);
            }
        }
    }
    Ok(nearest)
}

/// The stations that make the output of a line together, as it was described last; empty where one does.
fn side_by_side(conn: &Connection, line: i64) -> Found<Vec<String>> {
    let mut find = conn.prepare_cached(include_str!("../sql/layout_last.sql"))?;
    let stored: Option<String> = find.query_row([line], |row| row.get(0)).optional()?;
    // A text that cannot be read is found where readings are; here one station is looked for as before.
    let devices = stored.and_then(|json| record::devices(&json).ok()).unwrap_or_default();
    let beside = devices.into_iter().filter(|device| device.beside);
    Ok(beside.map(|device| device.station.to_string()).collect())
}

type Sums = [(String, String, Count)];

/// What these stations hold, for each choice of the counters that their gaps are of.
fn choices(stations: &[&str], minutes: &Sums, gaps: &Sums) -> Vec<Booked> {
    let mut choices = vec![Booked::default()];
    for station in stations {
        let held = minutes.iter().find(|(of, ..)| of == station);
        let held = held.map_or(Count::ZERO, |(.., held)| *held);
        let none = (String::new(), String::new(), Count::ZERO);
        let of_station = gaps.iter().filter(|(of, ..)| of == station);
        let with = |choice: &Booked, (_, tag, gap): &(String, String, Count)| {
            let mut choice = choice.clone();
            choice.counters.push(((*station).to_owned(), tag.clone()));
            choice.minutes += held;
            choice.gaps += *gap;
            choice
        };
        let tags: Vec<_> = std::iter::once(&none).chain(of_station).collect();
        let wider = choices.iter().flat_map(|choice| tags.iter().map(|tag| with(choice, tag)));
        choices = wider.collect();
    }
    choices
}

/// Whether the last reading of a counter of a line waits for its confirmation.
pub(in crate::historian) fn is_held(conn: &Connection, line: i64) -> rusqlite::Result<bool> {
    let sql = "select exists (select 1 from baseline
               where baseline.line = ?1 and json_extract(detail, '$.held') is not null)";
    conn.query_row(sql, [line], |row| row.get(0))
}

fn sums(conn: &Connection, line: i64, sql: &str) -> Found<Vec<(String, String, Count)>> {
    let mut find = conn.prepare(sql)?;
    let found = find.query_map([line], |row| {
        Ok((row.get(0)?, row.get(1)?, record::count(row, 2)?.unwrap_or(Count::ZERO)))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
