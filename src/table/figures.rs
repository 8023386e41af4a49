//! What a table adds up to: rows, first and last moment, sums of its columns, and what its gaps hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cell, Column};

/// What a table adds up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Rows.
    pub rows: u64,
    /// The earliest moment of the first column, UTC microseconds.
    pub first_us: Option<i64>,
    /// The latest.
    pub last_us: Option<i64>,
    /// Sums of the columns that can be added up.
    pub sums: BTreeMap<String, i128>,
    /// Of a table of events: counts that are in no minute because they are known for a gap as a whole, each best, low and
    /// high. A counter is `station tag`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gaps: BTreeMap<String, [i128; 3]>,
}

impl Figures {
    /// Of no rows yet.
    pub fn new(columns: &[Column]) -> Figures {
        let summed = columns.iter().filter(|column| column.adds_up());
        let sums = summed.map(|column| (column.name.clone(), 0)).collect();
        Figures { sums, ..Figures::default() }
    }

    /// Adds a row.
    pub fn add(&mut self, columns: &[Column], cells: &[Cell]) {
        self.rows += 1;
        if let Some(Cell::Time(us)) = cells.first() {
            self.first_us = Some(self.first_us.map_or(*us, |first| first.min(*us)));
            self.last_us = Some(self.last_us.map_or(*us, |last| last.max(*us)));
        }
        for (column, cell) in columns.iter().zip(cells) {
            let n = match cell {
                Cell::Count(n) => i128::from(*n),
                Cell::Number(n) => i128::from(*n),
                _ => continue,
            };
            if let Some(sum) = self.sums.get_mut(&column.name) {
                *sum += n;
            }
        }
        self.add_gap(columns, cells);
    }

    fn add_gap(&mut self, columns: &[Column], cells: &[Cell]) {
        // Nearly all rows are of tables without this column.
        let Some(from) = columns.iter().position(|column| column.name == "from_utc") else {
            return;
        };
        let Some(Cell::Time(_)) = cells.get(from) else { return };
        let cell = |name: &str| {
            let at = columns.iter().position(|column| column.name == name)?;
            cells.get(at)
        };
        let word = |name: &str| match cell(name) {
            Some(Cell::Text(text)) => text.as_str(),
            _ => "",
        };
        let bounds = ["count_capsules", "count_low_capsules", "count_high_capsules"];
        let [best, low, high] = bounds.map(|name| match cell(name) {
            Some(Cell::Count(n)) => Some(i128::from(*n)),
            _ => None,
        });
        let (Some(best), Some(low), Some(high)) = (best, low, high) else { return };
        if word("kind") != "count" {
            return;
        }
        let counter = format!("{} {}", word("station"), word("tag"));
        let sum = self.gaps.entry(counter).or_default();
        sum.iter_mut().zip([best, low, high]).for_each(|(sum, n)| *sum += n);
    }

    /// Everything in which two differ, in words; `self` is what is told, `found` what is there.
    pub fn differences(&self, found: &Figures) -> Vec<String> {
        let mut all = Vec::new();
        if self.rows != found.rows {
            all.push(format!("has {} rows instead of {}", found.rows, self.rows));
        }
        if (self.first_us, self.last_us) != (found.first_us, found.last_us) {
            all.push("does not begin and end when it should".to_owned());
        }
        for (name, told) in &self.sums {
            let sum = found.sums.get(name).copied().unwrap_or(0);
            if sum != *told {
                all.push(format!("{name} adds up to {sum} instead of {told}"));
            }
        }
        if self.gaps != found.gaps {
            all.push("its gaps do not add up to what they should".to_owned());
        }
        all
    }
}
