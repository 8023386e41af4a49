//! What a line counted before, in and after a span, and whether that is the total of its counter.

use domain::units::Count;
use rusqlite::{Connection, Params};
use serde::{Deserialize, Serialize};

use super::LineView;
use crate::historian::backup::{booked, is_held};
use crate::historian::error::StoreError;
use crate::historian::read::Found;
use crate::historian::record;

/// A count as it is written: best, low, high.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Best supported.
    pub best: u64,
    /// The least that the truth can be.
    pub low: u64,
    /// The most that the truth can be.
    pub high: u64,
}

/// Good capsules of the counting stations in a part of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Those that minutes hold.
    pub minutes: Amount,
    /// Those that are known for gaps only as a whole; a gap is of the moment at which it ended.
    pub gaps: Amount,
}

/// The account of a line around a span: before + in + after = total.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The station whose good capsules the total is of; of several side by side all, `CF01 + CF02`.
    pub station: String,
    /// Its counter, as its gaps name it; empty where there was none. Of several all, with ` + ` between.
    pub tag: String,
    /// Good capsules since the journal began, as the ledger has them.
    pub total: Amount,
    /// What the counter went on in the span: the total less what lies before and after.
    pub counter: Amount,
    /// Before the span.
    pub before: Part,
    /// In it.
    pub within: Part,
    /// After it.
    pub after: Part,
    /// Whether the last reading waits for its confirmation: it is in the total and in no minute yet.
    pub held: bool,
    /// Whether minutes and gaps of the span are what the counter went on.
    pub adds_up: bool,
}

impl From<Count> for Amount {
    fn from(count: Count) -> Amount {
        Amount { best: count.best(), low: count.low(), high: count.high() }
    }
}

impl Amount {
    fn count(self) -> Count {
        Count::between(self.low, self.best, self.high)
    }

    /// The three as integers that cannot overflow.
    pub fn wide(self) -> [i128; 3] {
        [self.best, self.low, self.high].map(i128::from)
    }
}

impl Part {
    fn count(&self) -> Count {
        self.minutes.count() + self.gaps.count()
    }
}

impl Account {
    /// Whether its own figures say that minutes and gaps are what the counter went on.
    pub fn is_sound(&self) -> bool {
        let booked = self.within.count();
        let counter = self.counter.count();
        let may_lag = self.held && booked.low() <= counter.low() && booked.high() <= counter.high();
        let rest = self.total.count().since(self.before.count()).since(self.after.count());
        rest == counter && (booked == counter || may_lag)
    }
}

/// Counts before, in and after a span: a row of the statement begins with the number of its part.
fn parts(conn: &Connection, sql: &str, args: impl Params) -> Found<[Amount; 3]> {
    let mut parts = [Amount::default(); 3];
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query(args)?;
    while let Some(row) = rows.next()? {
        if let Some(part) = parts.get_mut(usize::from(row.get::<_, u16>(0)?)) {
            *part = record::count(row, 1)?.unwrap_or(Count::ZERO).into();
        }
    }
    Ok(parts)
}

impl LineView<'_> {
    /// The account around `[from_us, to_us)`.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn account(&self, (from_us, to_us): (i64, i64)) -> Result<Account, StoreError> {
        let id = self.id();
        self.ask(|conn| {
            let sql = "select best, low, high from line where id = ?1";
            let total =
                conn.query_row(sql, [id], |row| record::count(row, 0))?.unwrap_or(Count::ZERO);
            let held = is_held(conn, id)?;
            let booked = booked(conn, id, total)?;
            let mut sums = [Part::default(); 3];
            for (station, tag) in &booked.counters {
                let sql = include_str!("../sql/extract/minute_parts.sql");
                let minutes = parts(conn, sql, (id, station, from_us, to_us))?;
                let sql = include_str!("../sql/extract/gap_parts.sql");
                let gaps = parts(conn, sql, (id, station, tag, from_us, to_us))?;
                for (sum, (minutes, gaps)) in sums.iter_mut().zip(minutes.iter().zip(gaps)) {
                    sum.minutes = (sum.minutes.count() + minutes.count()).into();
                    sum.gaps = (sum.gaps.count() + gaps.count()).into();
                }
            }
            let [before, within, after] = sums;
            let joined = |names: Vec<&str>| names.join(" + ");
            let stations = booked.counters.iter().map(|(station, _)| station.as_str()).collect();
            let tags = booked.counters.iter().map(|(_, tag)| tag.as_str());
            let tags = tags.filter(|tag| !tag.is_empty()).collect();
            let counter = total.since(before.count()).since(after.count());
            let mut account = Account {
                station: joined(stations),
                tag: joined(tags),
                total: total.into(),
                counter: counter.into(),
                before,
                within,
                after,
                held,
                adds_up: false,
            };
            account.adds_up = account.is_sound();
            Ok(account)
        })
    }
}
