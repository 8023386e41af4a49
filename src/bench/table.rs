//! The table: rows of figures, some of which have an aim, as Markdown and as JSON.

use std::fmt;

use serde_json::{Value, json};

use super::machine::Machine;

/// The head of a table of rows.
pub(super) const HEAD: &str = "| what | measured | aim | s | note |\n|---|---|---|---|---|";

/// What a figure is to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

impl Aim {
    /// Whether a value reaches it. What is no number reaches nothing.
    pub fn is_reached(self, value: f64) -> bool {
        match self {
            Aim::AtLeast(least) => value >= least,
            Aim::AtMost(most) => value <= most,
        }
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is.
    pub name: &'static str,
    /// How much.
    pub value: f64,
    /// In what; empty for a plain number.
    pub unit: &'static str,
    /// What it is to reach, if anything.
    pub aim: Option<Aim>,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// What came out; empty where it could not be measured.
    pub figures: Vec<Figure>,
    /// How long it was measured, in seconds.
    pub seconds: f64,
    /// What one has to know about it.
    pub note: String,
    /// Whether it failed, which is not the same as something that is not installed.
    pub failed: bool,
}

impl Row {
    pub(super) fn new(what: impl Into<String>, seconds: f64) -> Row {
        Row { what: what.into(), seconds, ..Row::default() }
    }

    pub(super) fn failed(what: &str, why: &str) -> Row {
        // A row is a line, and a cell ends at a bar.
        let why = why.lines().next().unwrap_or_default().replace('|', "/");
        let note = format!("not measured: {why}");
        Row { what: what.to_owned(), note, failed: true, ..Row::default() }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Row {
        self.note = note.into();
        self
    }

    pub(super) fn figure(mut self, name: &'static str, value: f64, unit: &'static str) -> Row {
        self.figures.push(Figure { name, value, unit, aim: None });
        self
    }

    /// The last figure is to reach this.
    pub(super) fn aim(mut self, aim: Aim) -> Row {
        if let Some(figure) = self.figures.last_mut() {
            figure.aim = Some(aim);
        }
        self
    }
}

/// All rows, and what they were measured on.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The machine and the program.
    pub machine: Machine,
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether somebody ended it early.
    pub interrupted: bool,
}

impl Figures {
    /// Whether every row was measured and every aim is reached.
    pub fn kept(&self) -> bool {
        !self.interrupted && self.rows.iter().all(Row::kept)
    }

    /// As JSON: the machine, and the rows with their figures.
    pub fn json(&self) -> Value {
        json!({
            "machine": self.machine,
            "interrupted": self.interrupted,
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
        })
    }
}

impl Row {
    /// Whether it was measured and every aim is reached.
    pub(super) fn kept(&self) -> bool {
        let reached = |figure: &Figure| figure.aim.is_none_or(|aim| aim.is_reached(figure.value));
        !self.failed && self.figures.iter().all(reached)
    }

    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let aim = |aim: Aim| match aim {
            Aim::AtLeast(least) => json!({ "at_least": least }),
            Aim::AtMost(most) => json!({ "at_most": most }),
        };
        let figure = |figure: &Figure| {
            json!({
                "name": figure.name,
                "value": figure.value,
                "unit": figure.unit,
                "aim": figure.aim.map(aim),
                "reached": figure.aim.map(|aim| aim.is_reached(figure.value)),
            })
        };
        json!({
            "what": self.what,
            "seconds": self.seconds,
            "note": self.note,
            "failed": self.failed,
            "figures": self.figures.iter().map(figure).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measured: Vec<String> = self.figures.iter().map(measured).collect();
        let aims: Vec<String> = self.figures.iter().filter_map(aimed).collect();
        let Row { what, seconds, note, .. } = self;
        let (measured, aims) = (measured.join("; "), aims.join("; "));
        write!(f, "| {what} | {measured} | {aims} | {seconds:.1} | {note} |")
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        if self.interrupted {
            writeln!(
                f,
                "Ended early: the last row is what there was, and the others are missing."
            )?;
        }
        writeln!(f, "\n{HEAD}")?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        Ok(())
    }
}

fn measured(figure: &Figure) -> String {
    // A row of one figure needs no name for it.
    format!("{} {}", figure.name, amount(figure.value, figure.unit)).trim_start().to_owned()
}

fn aimed(figure: &Figure) -> Option<String> {
    let aim = figure.aim?;
    let (sign, bound) = match aim {
        Aim::AtLeast(least) => ("≥", least),
        Aim::AtMost(most) => ("≤", most),
    };
    let reached = if aim.is_reached(figure.value) { "" } else { " **not reached**" };
    let text = format!("{} {sign} {}{reached}", figure.name, amount(bound, figure.unit));
    Some(text.trim_start().to_owned())
}

/// A number with as many decimals as it deserves, and thousands apart.
fn amount(value: f64, unit: &str) -> String {
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    if value.fract() == 0.0 || value.abs() >= 1_000.0 {
        let digits = format!("{value:.0}");
        let start = digits.len() % 3;
        let mut text = digits[..start].to_owned();
        for at in (start..digits.len()).step_by(3) {
            if !text.is_empty() && text != "-" {
                text.push(',');
            }
            text += &digits[at..at + 3];
        }
        return text + &unit;
    }
    let decimals = if value.abs() < 1.0 { 3 } else { 2 };
    format!("{value:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(value: f64) -> Figures {
        let row = Row::new("one connection", 2.5)
            .figure("polls", 20_101.4, "/s")
            .aim(Aim::AtLeast(10_000.0))
            .figure("late", value, "ms")
            .aim(Aim::AtMost(0.7))
            .note("n");
        let machine = Machine {
            cpu: "X".to_owned(),
            cores: 2,
            load: "1.50".to_owned(),
            kernel: "6".to_owned(),
            commit: "abc",
            optimised: true,
        };
        Figures { machine, rows: vec![row], interrupted: false }
    }

    /// Shows: EVI-02
    #[test]
    fn the_table_says_what_was_reached_and_what_was_not() {
        let text = figures(0.25).to_string();
        assert!(text.starts_with("X, 2 cores, load before 1.50, Linux 6, commit abc\n\n| what |"));
        let row = "| one connection | polls 20,101 /s; late 0.250 ms | polls ≥ 10,000 /s; late ≤ 0.700 ms | 2.5 | n |";
        assert!(text.contains(row), "{text}");
        assert!(figures(0.25).kept());
        let text = figures(7.0).to_string();
        assert!(text.contains("late 7 ms |") && text.contains("late ≤ 0.700 ms **not reached**"));
        assert!(!figures(7.0).kept() && !figures(f64::NAN).kept());
    }

    #[test]
    fn what_failed_or_was_ended_early_is_not_kept() {
        let mut some = figures(0.25);
        some.interrupted = true;
        assert!(!some.kept() && some.to_string().contains("Ended early"));
        let mut some = figures(0.25);
        some.rows.push(Row::failed("b", "no port\nno host"));
        assert!(
            !some.kept() && some.to_string().contains("| b |  |  | 0.0 | not measured: no port |")
        );
        assert_eq!(some.json()["rows"][1]["failed"], true);
        assert_eq!(some.json()["rows"][0]["figures"][1]["aim"]["at_most"], 0.7);
    }

    #[test]
    fn thousands_stand_apart() {
        let of = |value| amount(value, "");
        assert_eq!((of(0.0), of(999.0), of(1_000.0)), ("0".into(), "999".into(), "1,000".into()));
        assert_eq!((of(1_234_567.0), of(12.345)), ("1,234,567".to_owned(), "12.35".to_owned()));
    }
}
