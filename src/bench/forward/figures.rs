//! The figures of forwarding as a table and as JSON.

use std::fmt;
use std::time::Duration;

use crate::bench::machine::Machine;

/// The present must not be later than this.
pub(in super::super) const LATEST: Duration = Duration::from_secs(2);

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// How much was asked for.
    pub lines: u64,
    /// Minutes of each line.
    pub minutes: i64,
    /// Rows of the backlog, those of all tables.
    pub rows: u64,
    /// Time in which they went.
    pub took: Duration,
    /// How late each event of the present was, from when it was stored to when the database had acknowledged it; the
    /// smallest first.
    pub late: Vec<Duration>,
    /// Where.
    pub machine: Machine,
}

impl Figures {
    /// Rows a second.
    pub fn rate(&self) -> f64 {
        self.rows as f64 / self.took.as_secs_f64()
    }

    /// How late the present was: of 100 events so many came earlier.
    pub fn late(&self, of_100: usize) -> Duration {
        let n = self.late.len();
        let place = (n * of_100).div_ceil(100).clamp(1, n.max(1)) - 1;
        self.late.get(place).copied().unwrap_or_default()
    }

    /// Whether the present was never later than promised.
    pub fn kept(&self) -> bool {
        self.late(100) < LATEST
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        let seconds = |late: Duration| late.as_secs_f64();
        serde_json::json!({
            "lines": self.lines, "minutes": self.minutes, "rows": self.rows, "seconds": seconds(self.took),
            "rows_a_second": self.rate(), "live_ticks": self.late.len(),
            "late_p50_s": seconds(self.late(50)), "late_p99_s": seconds(self.late(99)),
            "late_worst_s": seconds(self.late(100)), "late_below_s": seconds(LATEST),
            "machine": self.machine,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = |of_100| format!("{:.2} s", self.late(of_100).as_secs_f64());
        writeln!(f, "| forwarding to PostgreSQL | measured | promised |\n|---|---|---|")?;
        let Figures { lines, minutes, rows, .. } = self;
        writeln!(f, "| backlog: {lines} lines × {minutes} minutes | {rows} rows | |")?;
        writeln!(f, "| sent in | {:.1} s | |", self.took.as_secs_f64())?;
        writeln!(f, "| rows a second | {:.0} | |", self.rate())?;
        writeln!(f, "| present late meanwhile, median | {} | |", late(50))?;
        writeln!(f, "| present late meanwhile, 99 of 100 | {} | |", late(99))?;
        let below = format!("< {} s", LATEST.as_secs());
        writeln!(
            f,
            "| present late meanwhile, worst of {} | {} | {below} |",
            self.late.len(),
            late(100)
        )?;
        writeln!(f, "| machine | {} | |", self.machine)
    }
}
