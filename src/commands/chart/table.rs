//! A table with a header, comma separated, as people export it.

/// Largest number of a table: its fourth power and their sums are still numbers.
const LARGEST: f64 = 1e60;

/// A table by columns of text.
pub(super) struct Table<'t> {
    pub(super) titles: Vec<&'t str>,
    rows: Vec<(usize, Vec<&'t str>)>,
    pub(super) labels: Vec<&'t str>,
}

impl<'t> Table<'t> {
    pub(super) fn read(text: &'t str) -> Result<Table<'t>, String> {
        let text = text.trim_start_matches('\u{feff}');
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let Some((_, header)) = lines.next() else {
            return Err("is empty; begin it with a header such as minute,rejected,total".into());
        };
        let titles = cells(header);
        let mut rows = Vec::new();
        let mut mistakes = Vec::new();
        for (i, line) in lines {
            let cells = cells(line);
            if cells.len() != titles.len() {
                let (n, wanted) = (cells.len(), titles.len());
                mistakes.push(format!(
                    "line {}: found {n} cells; the header has {wanted}, make them equal",
                    i + 1
                ));
            }
            rows.push((i + 1, cells));
        }
        if rows.is_empty() {
            mistakes.push("has a header and no rows; add one row for each subgroup".into());
        }
        if !mistakes.is_empty() {
            return Err(mistakes.join("\n"));
        }
        let labels = rows.iter().filter_map(|(_, cells)| cells.first().copied()).collect();
        Ok(Table { titles, rows, labels })
    }

    fn place(&self, title: &str) -> Result<usize, String> {
        self.titles.iter().position(|other| *other == title).ok_or_else(|| {
            let known = self.titles.join(", ");
            format!("line 1: has no column {title:?}; its columns are {known}")
        })
    }

    /// The texts of a column.
    pub(super) fn texts(&self, title: &str) -> Result<Vec<&'t str>, String> {
        let at = self.place(title)?;
        Ok(self.rows.iter().map(|(_, cells)| cells.get(at).copied().unwrap_or_default()).collect())
    }

    /// The numbers of a column; an empty cell is a gap.
    pub(super) fn column(&self, title: &str) -> Result<Vec<Option<f64>>, String> {
        let at = self.place(title)?;
        let mut mistakes = Vec::new();
        let mut numbers = Vec::with_capacity(self.rows.len());
        for (line, cells) in &self.rows {
            let cell = cells.get(at).copied().unwrap_or_default();
            let number = cell.parse().ok().filter(|x: &f64| x.is_finite());
            if number.is_some_and(|x| x.abs() > LARGEST) {
                mistakes.push(format!(
                    "line {line}: {title}: {cell:?} is beyond {LARGEST:e}; write it in a larger unit"
                ));
            }
            if number.is_none() && !cell.is_empty() {
                mistakes.push(format!(
                    "line {line}: {title}: {cell:?} is no number; write one, or nothing for a gap"
                ));
            }
            numbers.push(number);
        }
        if mistakes.is_empty() { Ok(numbers) } else { Err(mistakes.join("\n")) }
    }
}

fn cells(line: &str) -> Vec<&str> {
    line.split(',').map(|cell| cell.trim().trim_matches('"')).collect()
}
