//! Tables of what an answer has: which members of its rows become which columns. What a screen shows and what a file
//! holds come from the same rows, so that they cannot differ.

use axum::response::Response;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::IntoParams;

use super::table::Form;
use crate::table::{Cell, Column, Kind, local};
use crate::web::error::WebError;
use crate::web::{App, LineFeed};

/// In which form, of an answer that has several tables.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct SheetForm {
    /// `json` (default), or `csv`: a table in UTF-8 with a byte order mark, times in UTC and as the plant's clocks show
    /// them.
    format: Option<String>,
    /// Of `csv` which table of the answer; an unknown one is answered with the list. Default: the first.
    table: Option<String>,
}

/// A table: its name, where in the answer its rows are, and its columns.
pub(in crate::web) struct Sheet {
    /// Name in addresses and of files.
    pub(super) name: &'static str,
    /// The way to its rows: names of members with blanks between; empty for an answer that is a list.
    pub(super) rows: &'static str,
    /// Columns from left to right.
    pub(super) picks: &'static [Pick],
}

/// A column: its name with its unit, the way to its member in a row, and how that is written.
pub(super) type Pick = (&'static str, &'static str, As);

/// How a member becomes columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum As {
    /// UTC milliseconds: `…_utc` and `…_local`, as the plant's clocks show it.
    Moment,
    /// A word or a name; of several all, with blanks between.
    Text,
    /// How many for which reason: `timeout 3 skipped 1`.
    Reasons,
    /// A text in both languages: `…_en` and `…_zh`.
    Both,
    /// A count: best, low and high.
    Count,
    /// The same of a difference of counts.
    Difference,
    /// A number.
    Real,
    /// Yes or no.
    Flag,
}

impl SheetForm {
    /// The table that is asked for; none where JSON is.
    pub(in crate::web) fn sheet(
        &self,
        known: &'static [Sheet],
    ) -> Result<Option<&'static Sheet>, WebError> {
        let names: Vec<&str> = known.iter().map(|sheet| sheet.name).collect();
        let name = self.named(&names)?;
        Ok(name.and_then(|name| known.iter().find(|sheet| sheet.name == name)))
    }

    /// The name of the table that is asked for, among these; none where JSON is.
    pub(in crate::web) fn named(
        &self,
        known: &[&'static str],
    ) -> Result<Option<&'static str>, WebError> {
        if !Form::of(self.format.clone()).is_csv()? {
            return Ok(None);
        }
        let asked = self.table.as_deref();
        let found = known.iter().find(|name| asked.is_none_or(|asked| asked == **name));
        found
            .copied()
            .map(Some)
            .ok_or_else(|| WebError::unknown("table", asked.unwrap_or_default(), &known.join(", ")))
    }
}

impl Form {
    /// The only table of an answer; none where JSON is asked for.
    pub(in crate::web) fn only(
        &self,
        known: &'static [Sheet],
    ) -> Result<Option<&'static Sheet>, WebError> {
        Ok(if self.is_csv()? { known.first() } else { None })
    }
}

/// What a way leads to; null where it ends before. `last` is the last of a list.
fn member<'a>(from: &'a Value, way: &str) -> &'a Value {
    let step = |at: &'a Value, name: &str| match at {
        Value::Array(all) if name == "last" => all.last(),
        Value::Array(all) => name.parse::<usize>().ok().and_then(|i| all.get(i)),
        at => at.get(name),
    };
    let end = way.split_ascii_whitespace().try_fold(from, step);
    end.unwrap_or(&Value::Null)
}

fn columns(picks: &[Pick]) -> Vec<Column> {
    let of = |(name, _, how): &Pick| {
        let bounds = |unit: &str, kind| {
            let all = ["", "_low", "_high"];
            all.map(|bound| Column::new(&format!("{name}{bound}{unit}"), kind)).to_vec()
        };
        match how {
            As::Moment => vec![
                Column::new(&format!("{name}_utc"), Kind::Time),
                Column::new(&format!("{name}_local"), Kind::Text),
            ],
            As::Both => {
                ["en", "zh"].map(|lang| Column::new(&format!("{name}_{lang}"), Kind::Text)).to_vec()
            }
            As::Count => bounds("_capsules", Kind::Count),
            As::Difference => bounds("_capsules", Kind::Number),
            As::Text | As::Reasons => vec![Column::new(name, Kind::Text)],
            As::Real => vec![Column::new(name, Kind::Real)],
            As::Flag => vec![Column::new(name, Kind::Flag)],
        }
    };
    picks.iter().flat_map(of).collect()
}

/// The cells of a row.
fn cells(row: &Value, picks: &[Pick], zone: &TimeZone) -> Vec<Cell> {
    let cell = |(_, way, how): &Pick| {
        let found = member(row, way);
        let of = |name: &str| member(found, name);
        match how {
            As::Moment => match found.as_i64().map(|ms| ms.saturating_mul(1_000)) {
                Some(us) => vec![Cell::Time(us), local(us, zone)],
                None => vec![Cell::Empty, Cell::Empty],
            },
            As::Both => ["en", "zh"].map(|lang| Cell::text(of(lang).as_str())).to_vec(),
            As::Count => ["best", "low", "high"]
                .map(|bound| of(bound).as_u64().map_or(Cell::Empty, Cell::Count))
                .to_vec(),
            As::Difference => ["best", "low", "high"]
                .map(|bound| of(bound).as_i64().map_or(Cell::Empty, Cell::Number))
                .to_vec(),
            As::Text => vec![words(found)],
            As::Reasons => vec![reasons(found)],
            As::Real => vec![found.as_f64().map_or(Cell::Empty, Cell::Real)],
            As::Flag => vec![found.as_bool().map_or(Cell::Empty, Cell::Flag)],
        }
    };
    picks.iter().flat_map(cell).collect()
}

fn words(found: &Value) -> Cell {
    match found {
        Value::Null => Cell::Empty,
        Value::String(text) if text.is_empty() => Cell::Empty,
        Value::Array(all) if all.is_empty() => Cell::Empty,
        Value::String(text) => Cell::Text(text.clone()),
        Value::Array(all) => {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            Cell::Text(all.join(" "))
        }
        other => Cell::Text(other.to_string()),
    }
}

fn reasons(found: &Value) -> Cell {
    let all = found.as_array().into_iter().flatten();
    let all = all.filter_map(|one| Some(format!("{} {}", one["reason"].as_str()?, one["n"])));
    words(&all.collect::<Vec<_>>().into())
}

impl App {
    /// A table of an answer as a file: `L1_stops_20261124T0800.csv`.
    pub(super) fn sheet(
        &self,
        line: &LineFeed,
        sheet: &Sheet,
        from_us: i64,
        answer: &impl Serialize,
    ) -> Result<Response, WebError> {
        self.sheet_of(line.config.id.as_str(), sheet, from_us, answer)
    }

    /// The same of something else than a line.
    pub(in crate::web) fn sheet_of(
        &self,
        name: &str,
        sheet: &Sheet,
        from_us: i64,
        answer: &impl Serialize,
    ) -> Result<Response, WebError> {
        let answer = serde_json::to_value(answer);
        let answer = answer.map_err(|error| WebError::Store(error.to_string()))?;
        let rows = member(&answer, sheet.rows).as_array().into_iter().flatten();
        let zone = &self.parts().zone;
        let rows = rows.map(|row| cells(row, sheet.picks, zone));
        self.file_of(name, sheet.name, from_us, &columns(sheet.picks), rows)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PICKS: [Pick; 9] = [
        ("start", "from_ms", As::Moment),
        ("title", "title", As::Both),
        ("good", "good", As::Count),
        ("grown", "grown", As::Difference),
        ("stations", "stations", As::Text),
        ("known_percent", "time known", As::Real),
        ("said_by", "said last by", As::Text),
        ("missed", "missed", As::Reasons),
        ("closed", "closed", As::Flag),
    ];

    #[test]
    fn a_row_has_a_cell_for_each_column_whatever_it_lacks() {
        let count = json!({ "best": -2, "low": -3, "high": 1 });
        let row = json!({
            "from_ms": 1_795_507_200_000_i64, "title": { "en": "Jam", "zh": "堵料" },
            "good": { "best": 2, "low": 1, "high": 3 }, "grown": count,
            "stations": ["CF01", "PS02"], "time": { "known": 99.5 }, "closed": true,
            "said": [{ "by": "Li Wei" }, { "by": "Zhao" }], "missed": [{ "reason": "timeout", "n": 3 }]
        });
        let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
        let full = cells(&row, &PICKS, &zone);
        let word = |text: &str| Cell::Text(text.to_owned());
        assert_eq!(full[0], Cell::Time(1_795_507_200_000_000));
        assert_eq!(full[1..4], [word("2026-11-24T16:00:00+08:00"), word("Jam"), word("堵料")]);
        assert_eq!(full[4..7], [2, 1, 3].map(Cell::Count));
        assert_eq!(full[7..10], [-2, -3, 1].map(Cell::Number));
        assert_eq!(full[10..12], [word("CF01 PS02"), Cell::Real(99.5)]);
        assert_eq!(full[12..], [word("Zhao"), word("timeout 3"), Cell::Flag(true)]);
        let none = cells(&json!({}), &PICKS, &zone);
        assert!(none.iter().all(|cell| *cell == Cell::Empty));
        let names: Vec<String> = columns(&PICKS).into_iter().map(|column| column.name).collect();
        assert_eq!((full.len(), none.len()), (names.len(), names.len()));
        assert_eq!(names[..2], ["start_utc", "start_local"]);
        assert_eq!(names[4..6], ["good_capsules", "good_low_capsules"]);
    }
}
