//! The CSV tables beside the cases: a header, numbers, commas, no quotes.

use super::CaseError;
use super::place::Place;

/// A table by columns.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<(String, Vec<f64>)>,
}

impl Table {
    /// Reads a table; an empty cell or one that is no number is an error that names the line.
    pub(super) fn parse(text: &str, name: &str) -> Result<Table, CaseError> {
        let mut lines = text.lines();
        let header = lines.next().unwrap_or_default();
        let mut columns: Vec<(String, Vec<f64>)> =
            header.split(',').map(|title| (title.trim().to_owned(), Vec::new())).collect();
        for (i, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
            let error =
                |problem: String| CaseError { place: format!("{name}: line {}", i + 2), problem };
            let cells: Vec<&str> = line.split(',').collect();
            if cells.len() != columns.len() {
                return Err(error(format!(
                    "found {} cells; the header has {}",
                    cells.len(),
                    columns.len()
                )));
            }
            for ((_, column), cell) in columns.iter_mut().zip(cells) {
                column.push(
                    cell.trim()
                        .parse()
                        .map_err(|_| error(format!("found {cell:?}; expected a number")))?,
                );
            }
        }
        Ok(Table { columns })
    }

    /// The table that a case names, which the caller has to hand over.
    pub(super) fn of(data: &Place, text: Option<&str>) -> Result<Option<Table>, CaseError> {
        let Some(csv) = data.get("csv") else { return Ok(None) };
        let text = text.ok_or_else(|| csv.error("that file beside the case"))?;
        Table::parse(text, csv.text()?).map(Some)
    }

    /// The column of that title.
    pub(super) fn column(&self, title: &str) -> Result<&[f64], CaseError> {
        let column = self
            .columns
            .iter()
            .find(|(name, _)| name == title)
            .map(|(_, values)| values.as_slice());
        column.ok_or_else(|| CaseError {
            place: "csv".into(),
            problem: format!("has no column {title}"),
        })
    }

    /// All columns after the first one, which numbers the rows.
    pub(super) fn values(&self) -> &[(String, Vec<f64>)] {
        self.columns.get(1..).unwrap_or_default()
    }

    /// The rows, without the first column.
    pub(super) fn rows(&self) -> Vec<Vec<f64>> {
        let n_rows = self.values().first().map_or(0, |(_, values)| values.len());
        (0..n_rows).map(|i| self.values().iter().map(|(_, values)| values[i]).collect()).collect()
    }
}
