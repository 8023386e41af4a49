//! `capline count FILE.csv`: readings of one counter in a file → what was made, each row with its cause.
//!
//! The file has a header `t,value[,uptime][,batch]`. `t` is in seconds or an RFC 3339 time, an empty
//! `value` is a missed poll, `uptime` is in seconds. The report serialises as the command prints it:
//! its field names are a contract.
//!
//! A file is read afterwards, so that the batch ids of the next rows are known: an id that does not
//! change within three rows excludes a reset by a change of batch.

mod table;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use table::{Problem, Problems, Time};

use super::counter::batch_key;
use super::counter::{Cause, Counter, Delta, Evidence, Modulus, Resets, Sample, Settings};
use crate::units::{Count, Moment};
use table::{Row, Table};

/// What the command line says about the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// After how many counts it starts again at 0, up to 2^64; `None`: it is only ever reset.
    pub modulus: Option<u128>,
    /// The most the machine makes, in counts per minute, before the tolerance of a tenth.
    pub max_per_minute: u64,
    /// Counts in one stroke.
    pub step: u64,
}

/// Registers of signed 32 bits "roll over at 2,147,483,647" (OPC 30050), which does not say whether that value is shown.
const SIGNED_32: u128 = 1 << 31;

impl Default for Options {
    fn default() -> Options {
        Options { modulus: None, max_per_minute: 6_500, step: 50 }
    }
}

/// What was made according to a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// All that was made.
    pub total: Interval,
    /// How often the counter started afresh, the first time included.
    pub segments: u64,
    /// One entry for each row that has a value.
    pub deltas: Vec<Entry>,
    /// Every remark that was made, once, in the order of appearance.
    pub flags: Vec<&'static str>,
}

/// A count with its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// The best supported value.
    pub best: u64,
    /// The least that the truth can be.
    pub low: u64,
    /// The most that the truth can be.
    pub high: u64,
}

/// What one row adds to the total.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The time as the file gives it.
    pub t: Time,
    /// The best supported value.
    pub best: u64,
    /// The least that the truth can be.
    pub low: u64,
    /// The most that the truth can be.
    pub high: u64,
    /// `first`, `step`, `wrap`, `reset`, `preset`, `gap`, `duplicate`, `torn` or `quarantined`.
    pub cause: &'static str,
}

/// Counts the readings of a file, or names everything in it that cannot be read.
pub fn count(text: &str, options: &Options) -> Result<Report, Problems> {
    let table = Table::read(text)?;
    let mut counter = Counter::new(settings(options, &table));
    let mut report =
        Report { total: interval(Count::ZERO), segments: 0, deltas: Vec::new(), flags: Vec::new() };
    let mut deltas = Vec::new();
    let mut held: Option<usize> = None;
    for (index, row) in table.rows.iter().enumerate() {
        let Some(value) = row.value else {
            counter.missed();
            continue;
        };
        counter.sample(&sample(&table, index, row, value), &mut deltas);
        let current = report.deltas.len();
        report.deltas.push(entry(row.t.clone(), Count::ZERO, Cause::Duplicate));
        // A held reading is decided together with the next one, and first.
        let decided = held.filter(|_| deltas.len() == 2);
        for (delta, position) in deltas.drain(..).zip(decided.into_iter().chain([current, current]))
        {
            report.book(position, &delta);
        }
        held = match counter.undecided().is_zero() {
            true => None,
            false => held.filter(|_| decided.is_none()).or(Some(current)),
        };
    }
    report.close(&counter, held);
    Ok(report)
}

impl Report {
    fn book(&mut self, position: usize, delta: &Delta) {
        if let Some(old) = self.deltas.get_mut(position) {
            *old = entry(old.t.clone(), delta.count, delta.cause);
        }
        for word in delta.flags.words() {
            self.remark(word);
        }
    }

    /// Ends the file. A reading that still waits may be anything the machine could have made.
    fn close(&mut self, counter: &Counter, held: Option<usize>) {
        let undecided = counter.undecided();
        self.total = interval(counter.total() + undecided);
        self.segments = counter.segments();
        if let Some(old) = held.and_then(|position| self.deltas.get_mut(position)) {
            *old = entry(old.t.clone(), undecided, Cause::Quarantined);
            self.remark("undecided");
        }
    }

    fn remark(&mut self, word: &'static str) {
        if !self.flags.contains(&word) {
            self.flags.push(word);
        }
    }
}

fn settings(options: &Options, table: &Table) -> Settings {
    Settings {
        modulus: options.modulus.map_or(Modulus::None, modulus),
        doubt: u64::from(options.modulus == Some(SIGNED_32)),
        max_per_minute: options.max_per_minute,
        step: options.step,
        resets: Resets { batch: table.has_batch, manual: false },
        gap_after_us: 0,
        ..Settings::default()
    }
}

fn modulus(states: u128) -> Modulus {
    u64::try_from(states).map_or(Modulus::Full64, Modulus::At)
}

fn sample(table: &Table, index: usize, row: &Row, value: u64) -> Sample {
    let evidence = Evidence {
        uptime_s: row.uptime_s,
        batch: row.batch.as_deref().map(batch_key),
        batch_settled: is_settled(table, index, row),
        ..Evidence::default()
    };
    let at = Moment { utc_us: row.at_us, mono_us: row.at_us };
    Sample { at, off_us: 0, source_us: Some(row.at_us), value, evidence }
}

/// Whether the batch id stays the same in the next rows that have a value.
fn is_settled(table: &Table, index: usize, row: &Row) -> bool {
    let late = usize::from(Settings::default().batch_late);
    let next = table.rows.iter().skip(index + 1).filter(|next| next.value.is_some()).take(late);
    row.batch.is_some()
        && next.into_iter().all(|next| next.batch.is_none() || next.batch == row.batch)
}

fn interval(count: Count) -> Interval {
    Interval { best: count.best(), low: count.low(), high: count.high() }
}

fn entry(t: Time, count: Count, cause: Cause) -> Entry {
    Entry { t, best: count.best(), low: count.low(), high: count.high(), cause: cause.word() }
}
