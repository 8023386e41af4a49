//! Tables that leave the service: named columns with a kind and a unit, rows of cells, and their text as CSV.
//!
//! One row of a minute looks the same from the API and from `capline export`, because both come from here. What a file
//! holds is added up here too, by whoever writes it and by whoever proves it afterwards.

mod figures;
pub mod sheet;
pub mod span;
pub mod trail;
mod wide;

use domain::line::minute::Counted;
use domain::units::StationId;
use serde::{Deserialize, Serialize};

pub use figures::Figures;
pub use wide::{Counter, Wide};

/// What a column holds. Every cell may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A moment, UTC microseconds.
    Time,
    /// Text.
    Text,
    /// A number of things, up to 2^64 - 1.
    Count,
    /// An integer that may be negative.
    Number,
    /// An integer as a device gave it, signed or not, up to 20 digits.
    Whole,
    /// A measurement.
    Real,
    /// Yes or no.
    Flag,
}

/// Which bound of a count a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Best supported.
    Best,
    /// The least that the truth can be.
    Low,
    /// The most that the truth can be.
    High,
}

impl Bound {
    /// In the order of the columns.
    pub const ALL: [Bound; 3] = [Bound::Best, Bound::Low, Bound::High];

    fn suffix(self) -> &'static str {
        match self {
            Bound::Best => "",
            Bound::Low => "_low",
            Bound::High => "_high",
        }
    }
}

/// The counter that a column is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// Where.
    pub station: String,
    /// `infeed`, `good`, `reject`, `sample` or `void`.
    pub counted: String,
    /// Reason of a reject, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Which bound.
    pub bound: Bound,
    /// Whether it is only the part that is known for gaps as a whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gap: bool,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, snake case, with the unit at its end where there is one.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// The counter that it is of, none for other columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Of>,
}

impl Column {
    /// A column of no counter.
    pub fn new(name: &str, kind: Kind) -> Column {
        Column { name: name.to_owned(), kind, of: None }
    }

    /// Whether its cells may be added up: counts and lengths of time can, numbers that name something cannot.
    pub fn adds_up(&self) -> bool {
        const UNITS: [&str; 4] = ["_capsules", "_us", "_polls", "_ug"];
        let is_amount = UNITS.iter().any(|unit| self.name.ends_with(unit));
        is_amount && matches!(self.kind, Kind::Count | Kind::Number)
    }

    /// Whether it is of the good capsules of a station, gaps left out.
    pub fn is_good(&self, station: &str, bound: Bound) -> bool {
        self.of.as_ref().is_some_and(|of| {
            of.station == station && of.counted == "good" && of.bound == bound && !of.gap
        })
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// UTC microseconds.
    Time(i64),
    /// Text.
    Text(String),
    /// A number of things.
    Count(u64),
    /// An integer.
    Number(i64),
    /// An integer of up to 20 digits.
    Whole(i128),
    /// A measurement.
    Real(f64),
    /// Yes or no.
    Flag(bool),
}

impl Cell {
    /// A text, empty where there is none.
    pub fn text(text: Option<impl Into<String>>) -> Cell {
        text.map_or(Cell::Empty, |text| Cell::Text(text.into()))
    }

    /// A share of 0 to 1 as percent with three decimals.
    pub fn percent(share: Option<f64>) -> Cell {
        share.map_or(Cell::Empty, |share| Cell::Real((share * 100_000.0).round() / 1_000.0))
    }
}

/// The name of a counter as part of a column: `cf01_reject_no_dose`.
fn snake(station: &StationId, counted: &Counted) -> String {
    let words = [station.as_str(), counted.word(), counted.reason()];
    let words: Vec<String> = words
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(|word| {
            let plain =
                |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
            word.chars().map(plain).collect()
        })
        .collect();
    words.join("_")
}

/// A moment of UTC microseconds as a clock on the wall of the plant shows it: `2026-11-24T08:00:00+08:00`.
pub fn local(us: i64, zone: &jiff::tz::TimeZone) -> Cell {
    let moment = jiff::Timestamp::from_microsecond(us).ok();
    Cell::text(moment.map(|moment| {
        moment.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
    }))
}
