//! Tables of the workbench as files: what its answer has in columns, in rows.

use jiff::tz::TimeZone;

use super::{CompanionView, WorkbenchView, histogram};
use crate::table::{Cell, Column, Kind, local};

/// A table in the making: each column with its cells.
#[derive(Default)]
pub(crate) struct Table(Vec<(Column, Vec<Cell>)>);

impl Table {
    /// The columns from left to right, and the rows.
    pub(crate) fn finish(self) -> (Vec<Column>, Vec<Vec<Cell>>) {
        let Table(mut columns) = self;
        let longest = columns.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        let mut take = |i: usize| {
            let cell = |(_, cells): &mut (Column, Vec<Cell>)| {
                cells.get_mut(i).map_or(Cell::Empty, |cell| std::mem::replace(cell, Cell::Empty))
            };
            columns.iter_mut().map(cell).collect::<Vec<Cell>>()
        };
        let rows = (0..longest).map(&mut take).collect();
        (columns.into_iter().map(|(column, _)| column).collect(), rows)
    }

    fn add(&mut self, name: &str, kind: Kind, cells: Vec<Cell>) {
        self.0.push((Column::new(name, kind), cells));
    }

    pub(super) fn reals(&mut self, name: &str, values: impl IntoIterator<Item = Option<f64>>) {
        let cells = values.into_iter().map(|x| x.map_or(Cell::Empty, Cell::Real));
        self.add(name, Kind::Real, cells.collect());
    }

    pub(super) fn counts(&mut self, name: &str, values: impl IntoIterator<Item = Option<u64>>) {
        let cells = values.into_iter().map(|n| n.map_or(Cell::Empty, Cell::Count));
        self.add(name, Kind::Count, cells.collect());
    }

    fn words(&mut self, name: &str, values: &[&str]) {
        self.add(
            name,
            Kind::Text,
            values.iter().map(|word| Cell::Text((*word).to_owned())).collect(),
        );
    }

    /// The rules that are complete at each of so many points.
    fn rules(&mut self, name: &str, n: usize, signals: &[(usize, &str)]) {
        let at = |i: usize| {
            let here = signals.iter().filter(|(at, _)| *at == i).map(|(_, rule)| *rule);
            let here = here.collect::<Vec<_>>().join(" ");
            if here.is_empty() { Cell::Empty } else { Cell::Text(here) }
        };
        self.add(name, Kind::Text, (0..n).map(at).collect());
    }

    /// A chart beside the main one.
    fn beside(&mut self, n: usize, view: &CompanionView) {
        let name = view.name;
        match view.down.is_empty() {
            true => self.reals(name, view.y.iter().copied()),
            false => {
                self.reals(&format!("{name}_plus"), view.y.iter().copied());
                self.reals(&format!("{name}_minus"), view.down.iter().copied());
            }
        }
        self.reals(&format!("{name}_lcl"), view.lcl.iter().copied());
        self.reals(&format!("{name}_ucl"), view.ucl.iter().copied());
        self.rules(&format!("{name}_rules"), n, &view.sig);
    }
}

impl WorkbenchView {
    /// All points of the chart and of those beside it, oldest first.
    pub(crate) fn chart_file(&self, zone: &TimeZone) -> Table {
        let n = self.t.len();
        let unit = match self.characteristic.unit {
            "%" => "percent",
            "‰" => "per_thousand",
            "mg" => "mg",
            _ => "per_minute",
        };
        let mut table = Table::default();
        let starts = || self.t.iter().map(|ms| ms.saturating_mul(1_000));
        table.add("start_utc", Kind::Time, starts().map(Cell::Time).collect());
        table.add("start_local", Kind::Text, starts().map(|us| local(us, zone)).collect());
        let length = Some(u64::from(self.subgroup_minutes));
        table.counts("subgroup_minutes", std::iter::repeat_n(length, n));
        table.counts("n", self.n.iter().copied().map(Some));
        table.counts("x", self.x.iter().copied().map(Some));
        for (bound, name) in ["x_low", "x_high"].into_iter().enumerate() {
            let of = |(x, doubt): (&u64, &Option<[u64; 2]>)| {
                Some(doubt.as_ref().map_or(*x, |bounds| bounds[bound]))
            };
            table.counts(name, self.x.iter().zip(&self.doubt).map(of));
        }
        let columns =
            [("value", &self.p), ("lcl", &self.lcl), ("cl", &self.cl), ("ucl", &self.ucl)];
        for (name, column) in columns {
            table.reals(&format!("{name}_{unit}"), column.iter().copied());
        }
        table.reals("z", self.z.iter().copied());
        let version = |version: &u32| (*version > 0).then_some(u64::from(*version));
        table.counts("limits_version", self.version.iter().map(version));
        table.rules("rules", n, &self.sig);
        table.beside(n, &self.companion);
        if let Some(within) = &self.within {
            table.beside(n, within);
        }
        table.words("fitness", &self.fitness);
        table.words("follows", &self.follows);
        table.reals("coverage_percent", self.coverage.iter().copied().map(Some));
        table
    }

    /// The bins of the histogram, each with what all of them were made of.
    pub(crate) fn weights_file(&self) -> Table {
        histogram::file(self.histogram.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_is_shorter_ends_in_empty_cells() {
        let mut table = Table::default();
        table.reals("value_mg", [Some(1.5), None, Some(2.5)]);
        table.rules("rules", 3, &[(1, "N1"), (1, "N2")]);
        table.counts("n", [Some(7)]);
        let (columns, rows) = table.finish();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["value_mg", "rules", "n"]);
        let rules = Cell::Text("N1 N2".to_owned());
        assert_eq!(
            rows,
            [
                vec![Cell::Real(1.5), Cell::Empty, Cell::Count(7)],
                vec![Cell::Empty, rules, Cell::Empty],
                vec![Cell::Real(2.5), Cell::Empty, Cell::Empty],
            ]
        );
    }
}
