//! The rows of the file, and all that is wrong with them at once.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// A time as the file gives it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Time {
    /// Whole seconds.
    Seconds(i64),
    /// Seconds with decimals.
    Decimal(f64),
    /// An RFC 3339 time.
    Text(String),
}

/// One thing in the file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line of the file, from 1.
    pub line: usize,
    /// The column by its name.
    pub column: String,
    /// What was found.
    pub value: String,
    /// What is wrong with it, and the way out.
    pub why: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {:?} {}", self.line, self.column, self.value, self.why)
    }
}

/// Everything in the file that cannot be read, one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let end = if index + 1 < self.0.len() { "\n" } else { "" };
            write!(f, "{problem}{end}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// One poll.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) t: Time,
    pub(super) at_us: i64,
    pub(super) value: Option<u64>,
    pub(super) uptime_s: Option<u64>,
    pub(super) batch: Option<String>,
}

/// So many problems are told; a file with more is no file of readings.
const MOST_PROBLEMS: usize = 100;

/// The file as read.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) has_batch: bool,
    pub(super) rows: Vec<Row>,
}

/// Where the columns stand.
struct Columns {
    t: usize,
    value: usize,
    uptime: Option<usize>,
    batch: Option<usize>,
    n: usize,
}

impl Table {
    pub(super) fn read(text: &str) -> Result<Table, Problems> {
        let text = text.trim_start_matches('\u{feff}');
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let (at, header) = lines.next().unwrap_or((0, ""));
        if header.is_empty() {
            return Err(Problems(vec![Problem {
                line: 1,
                column: "t".to_owned(),
                value: String::new(),
                why: "is all there is: the file is empty; begin it with t,value[,uptime][,batch]",
            }]));
        }
        let columns = Columns::read(at + 1, header)?;
        let mut problems = Vec::new();
        let mut rows = Vec::new();
        for (at, line) in lines {
            rows.extend(columns.row(at + 1, line, &mut problems));
            if problems.len() >= MOST_PROBLEMS {
                break;
            }
        }
        if rows.is_empty() && problems.is_empty() {
            problems.push(Problem {
                line: at + 1,
                column: "value".to_owned(),
                value: String::new(),
                why: "has no rows below the header; add one row for each poll",
            });
        }
        mixed_times(&rows, at + 2, &mut problems);
        match problems.is_empty() {
            true => Ok(Table { has_batch: columns.batch.is_some(), rows }),
            false => Err(Problems(problems)),
        }
    }
}

/// Seconds and dates in one file have no common origin.
fn mixed_times(rows: &[Row], line: usize, problems: &mut Vec<Problem>) {
    let is_text = |row: &Row| matches!(row.t, Time::Text(_));
    let Some(first) = rows.first() else { return };
    if rows.iter().any(|row| is_text(row) != is_text(first)) {
        problems.push(Problem {
            line,
            column: "t".to_owned(),
            value: "seconds and RFC 3339 times".to_owned(),
            why: "are mixed in one file; use one of them throughout",
        });
    }
}

impl Columns {
    fn read(line: usize, header: &str) -> Result<Columns, Problems> {
        let names = cells(header);
        let mut problems = Vec::new();
        let mut report = |column: &str, value: &str, why| {
            let (column, value) = (column.to_owned(), value.to_owned());
            problems.push(Problem { line, column, value, why });
        };
        for (index, name) in names.iter().enumerate() {
            if !matches!(*name, "t" | "value" | "uptime" | "batch") {
                report(name, header, "has an unknown column; use t,value[,uptime][,batch]");
            }
            if names[..index].contains(name) {
                report(name, header, "has this column twice; keep one");
            }
        }
        let place = |name: &str| names.iter().position(|found| *found == name);
        let (t, value) = (place("t"), place("value"));
        for (name, found) in [("t", t), ("value", value)] {
            if found.is_none() {
                report(name, header, "lacks this column; the header is t,value[,uptime][,batch]");
            }
        }
        match (t, value) {
            (Some(t), Some(value)) if problems.is_empty() => {
                let (uptime, batch) = (place("uptime"), place("batch"));
                Ok(Columns { t, value, uptime, batch, n: names.len() })
            }
            _ => Err(Problems(problems)),
        }
    }

    fn row(&self, line: usize, text: &str, problems: &mut Vec<Problem>) -> Option<Row> {
        let cells = cells(text);
        let before = problems.len();
        let mut report = |column: &str, value: &str, why| {
            let (column, value) = (column.to_owned(), value.to_owned());
            problems.push(Problem { line, column, value, why });
        };
        if cells.len() > self.n || cells.len() < 2 {
            report(
                "row",
                text,
                "has another number of fields than the header; write one comma between fields",
            );
            return None;
        }
        let time = cells.get(self.t).copied().unwrap_or("");
        let t = read_time(time);
        if t.is_none() {
            report(
                "t",
                time,
                "is no time; write seconds like 12.5 or RFC 3339 like 2026-01-31T08:00:00Z",
            );
        }
        let mut whole = |column: &str, place: Option<usize>, why| {
            let text = place.and_then(|place| cells.get(place)).copied().unwrap_or("");
            let number = match column {
                "uptime" => read_seconds(text),
                _ => read_whole(text),
            };
            if number.is_none() && !text.is_empty() {
                report(column, text, why);
            }
            number
        };
        let value = whole(
            "value",
            Some(self.value),
            "is no whole number from 0 to 18446744073709551615; leave it empty for a missed poll",
        );
        let uptime_s =
            whole("uptime", self.uptime, "is no number of seconds; leave it empty if unknown");
        let batch = self
            .batch
            .and_then(|place| cells.get(place))
            .copied()
            .filter(|id| !id.is_empty())
            .map(str::to_owned);
        let (t, at_us) = t?;
        (problems.len() == before).then_some(Row { t, at_us, value, uptime_s, batch })
    }
}

/// The fields of a line. A comma between quotes is part of its field.
fn cells(line: &str) -> Vec<&str> {
    let mut quoted = false;
    let ends = |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    line.split(ends).map(cell).collect()
}

/// A field without blanks and quotes around it.
fn cell(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// A time as given, and in microseconds.
fn read_time(text: &str) -> Option<(Time, i64)> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some((Time::Seconds(seconds), seconds.checked_mul(1_000_000)?));
    }
    if let Ok(seconds) = text.parse::<f64>() {
        let us = seconds * 1e6;
        let fits = us.is_finite() && us.abs() < 9e18;
        return fits.then_some((Time::Decimal(seconds), us.round() as i64));
    }
    let time: Timestamp = text.parse().ok()?;
    Some((Time::Text(text.to_owned()), time.as_microsecond()))
}

/// Whole seconds of a time that may have decimals.
fn read_seconds(text: &str) -> Option<u64> {
    let seconds: f64 = text.parse().ok()?;
    (0.0..1.8e19).contains(&seconds).then_some(seconds as u64)
}

/// A whole number, also as a float writes it: `16777216.0`, `1e3`. Above 2^53 the text of a float with an exponent no
/// longer says which whole number it is.
fn read_whole(text: &str) -> Option<u64> {
    if text.contains(['e', 'E']) {
        let number: f64 = text.parse().ok()?;
        let whole = (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0;
        return whole.then_some(number as u64);
    }
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    match decimals.bytes().all(|digit| digit == b'0') && !whole.starts_with('+') {
        true => whole.parse().ok(),
        false => None,
    }
}
