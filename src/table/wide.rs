//! Rows of time and counts: a minute, a second or a period, with three columns for each counter of the line.

use domain::line::minute::{Counted, Minute, Tally, TimeSplit, sum};
use domain::line::rollup::Rollup;
use domain::line::second::Seconds;
use domain::line::state::TimeClass;
use domain::units::{Count, SECOND_US, StationId};
use jiff::tz::TimeZone;

use super::{Bound, Cell, Column, Kind, Of, local, snake};

/// A counter of a line.
pub type Counter = (StationId, Counted);

/// Tables of a line with these counters, for clocks of this zone.
#[derive(Clone, Debug)]
pub struct Wide {
    counters: Vec<Counter>,
    zone: TimeZone,
}

impl Wide {
    /// Of counters in this order.
    pub fn new(counters: Vec<Counter>, zone: TimeZone) -> Wide {
        Wide { counters, zone }
    }

    /// Columns of a minute.
    pub fn minute_columns(&self) -> Vec<Column> {
        let mut columns = self.begin(&[
            ("rev", Kind::Number),
            ("closed", Kind::Flag),
            ("answered_polls", Kind::Count),
            ("missed_polls", Kind::Count),
        ]);
        columns.extend(self.counts(false));
        columns
    }

    /// A minute.
    pub fn minute(&self, minute: &Minute) -> Vec<Cell> {
        let mut cells = self.time(minute.start_us, &minute.time);
        cells.extend([
            Cell::Number(i64::from(minute.rev)),
            Cell::Flag(minute.closed),
            Cell::Count(minute.polls),
            Cell::Count(minute.missed),
        ]);
        self.tallies(&minute.tallies, &mut cells);
        cells
    }

    /// Columns of a second.
    pub fn second_columns(&self) -> Vec<Column> {
        let mut columns = self.begin(&[("closed", Kind::Flag)]);
        columns.extend(self.counts(false));
        columns
    }

    /// The seconds of a minute of which anything is known.
    pub fn seconds(&self, block: &Seconds) -> Vec<Vec<Cell>> {
        let counter =
            |(s, c): &Counter| block.counts(|station, counted| s == station && c == counted);
        let counts: Vec<_> = self.counters.iter().map(counter).collect();
        let mut rows = Vec::new();
        for (n, time) in block.time().iter().enumerate() {
            let counts: Vec<Count> = counts.iter().map(|seconds| seconds[n]).collect();
            if time.total() == 0 && counts.iter().all(|count| count.is_zero()) {
                continue;
            }
            let mut cells = self.time(block.start_us + n as i64 * SECOND_US, time);
            cells.push(Cell::Flag(block.closed));
            cells.extend(counts.into_iter().flat_map(bounds));
            rows.push(cells);
        }
        rows
    }

    /// Columns of an hour, a shift or a batch.
    pub fn period_columns(&self) -> Vec<Column> {
        let mut columns = self.begin(&[
            ("end_utc", Kind::Time),
            ("name", Kind::Text),
            ("rev", Kind::Number),
            ("closed", Kind::Flag),
            ("remark", Kind::Text),
            ("estimated", Kind::Flag),
            ("setup_us", Kind::Number),
            ("overlap_us", Kind::Number),
            ("order_us", Kind::Number),
            ("failures", Kind::Count),
        ]);
        columns.extend(self.counts(false));
        columns.extend(self.counts(true));
        columns
    }

    /// An hour, a shift or a batch; its counts have those of gaps in them.
    pub fn period(&self, rollup: &Rollup) -> Vec<Cell> {
        let spending = &rollup.spending;
        let mut cells = self.time(rollup.start_us, &spending.time);
        cells.extend([
            rollup.end_us.map_or(Cell::Empty, Cell::Time),
            Cell::Text(rollup.name.to_string()),
            Cell::Number(i64::from(rollup.rev)),
            Cell::Flag(rollup.closed),
            Cell::text(rollup.remark.map(|remark| remark.word())),
            Cell::Flag(rollup.estimated),
            Cell::Number(spending.setup_us),
            Cell::Number(spending.overlap_us),
            Cell::Number(spending.order_us),
            Cell::Count(spending.failures),
        ]);
        self.tallies(&rollup.counts, &mut cells);
        self.tallies(&rollup.gaps, &mut cells);
        cells
    }

    /// Columns of when and how the time was spent, and some more.
    fn begin(&self, more: &[(&str, Kind)]) -> Vec<Column> {
        let mut columns = vec![Column::new("utc", Kind::Time), Column::new("local", Kind::Text)];
        columns.push(Column::new("coverage_percent", Kind::Real));
        let class = |class: TimeClass| Column::new(&format!("{}_us", class.word()), Kind::Number);
        columns.extend(TimeClass::ALL.map(class));
        columns.extend(more.iter().map(|(name, kind)| Column::new(name, *kind)));
        columns
    }

    fn time(&self, start_us: i64, time: &TimeSplit) -> Vec<Cell> {
        let total_us = time.total();
        let known_us = total_us - time.of(TimeClass::Unknown);
        let share = (total_us > 0).then(|| known_us as f64 / total_us as f64);
        let mut cells =
            vec![Cell::Time(start_us), local(start_us, &self.zone), Cell::percent(share)];
        cells.extend(time.0.map(Cell::Number));
        cells
    }

    fn counts(&self, gap: bool) -> Vec<Column> {
        let mut columns: Vec<Column> = Vec::new();
        for (n, (station, counted)) in self.counters.iter().enumerate() {
            let mut name = snake(station, counted);
            // `CF-01` and `CF_01` are two machines.
            let is_taken = |(s, c): &Counter| snake(s, c) == name;
            if self.counters[..n].iter().any(is_taken) {
                name += &format!("_{}", n + 1);
            }
            let gap_word = if gap { "_gap" } else { "" };
            columns.extend(Bound::ALL.map(|bound| Column {
                name: format!("{name}{gap_word}{}_capsules", bound.suffix()),
                kind: Kind::Count,
                of: Some(Of {
                    station: station.to_string(),
                    counted: counted.word().to_owned(),
                    reason: counted.reason().to_owned(),
                    bound,
                    gap,
                }),
            }));
        }
        columns
    }

    fn tallies(&self, tallies: &[Tally], cells: &mut Vec<Cell>) {
        for (station, counted) in &self.counters {
            cells.extend(bounds(sum(tallies, station, |one| one == counted)));
        }
    }
}

fn bounds(count: Count) -> [Cell; 3] {
    [count.best(), count.low(), count.high()].map(Cell::Count)
}
