//! Every figure that we state about ourselves in one table: all benches one after the other.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::acquire::{self, Stop};
use super::forward;
use super::machine::Machine;
use super::month;
use super::spc::{self, Delay};
use super::store;
use super::table::{Aim, HEAD, Row};
use super::{count, plant, web, weights};
use crate::historian::archive::Settings;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Seconds for each row of acquisition and of live screens.
    pub acquire: Duration,
    /// Rounds of counting.
    pub count_rounds: usize,
    /// Hours of the simulated plant.
    pub plant_hours: u32,
    /// Simulated lines.
    pub spc: spc::Effort,
    /// Days of the journal of a chart, and starts.
    pub chart: (i64, usize),
    /// Loads of the store.
    pub store: store::Effort,
    /// What is forwarded.
    pub forward: forward::Effort,
}

impl Effort {
    /// That of each command unless told otherwise.
    pub fn whole() -> Effort {
        Effort {
            acquire: Duration::from_secs(10),
            count_rounds: count::ROUNDS,
            plant_hours: plant::HOURS,
            spc: spc::Effort::default(),
            chart: (31, 5),
            store: store::Effort::default(),
            forward: forward::Effort::default(),
        }
    }

    /// Enough to see that everything runs. Its figures are no statement about anything.
    pub fn quick() -> Effort {
        Effort {
            acquire: Duration::from_secs(1),
            count_rounds: 2,
            plant_hours: 1,
            spc: spc::Effort { weeks: 1, lines: 3 },
            chart: (2, 1),
            store: store::Effort { ticks: 80, days: 2, questions: 1 },
            forward: forward::Effort { lines: 1, minutes: 120, ..forward::Effort::default() },
        }
    }
}

/// A part of the table: one bench.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The command that gives these rows alone: `capline bench store`.
    pub command: &'static str,
    /// Its rows; none where it was left out.
    pub rows: Vec<Row>,
    /// Why it was left out.
    pub left_out: Option<String>,
}

/// The whole table.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The machine and the program.
    pub machine: Machine,
    /// Whether it was only looked whether everything runs.
    pub quick: bool,
    /// The parts, in the order in which they were measured.
    pub parts: Vec<Part>,
    /// Whether somebody ended it early.
    pub interrupted: bool,
}

/// Names of the parts in their order, for whoever shows how far it is.
pub const PARTS: [&str; 9] =
    ["acquire", "web", "forward", "count", "plant", "spc", "weights", "chart", "store"];

/// Live screens that are open at once.
const SCREENS: usize = 50;

/// Runs all benches. `dir` is on the disk to be measured, `database` an empty one of a PostgreSQL if there is one;
/// `progress` hears what is measured next.
pub async fn run(
    dir: &Path,
    database: Option<Settings>,
    (effort, quick): (Effort, bool),
    stop: &Stop,
    progress: impl Fn(&str),
) -> Figures {
    let machine = Machine::read();
    let mut parts = Vec::new();
    for name in PARTS {
        if stop.is_set() {
            break;
        }
        progress(name);
        parts.push(match name {
            "acquire" => {
                let figures = acquire::run(effort.acquire, stop, &progress).await;
                measured("capline bench acquire", figures.rows)
            }
            "web" => {
                let figures = web::run(SCREENS, effort.acquire, stop, &progress).await;
                measured("capline bench web", figures.rows)
            }
            "forward" => forwarded(dir, database.clone(), effort.forward, stop).await,
            "count" => {
                let (rounds, stop) = (effort.count_rounds, stop.clone());
                let rows = computed(move || Ok(count::run(rounds, &stop).rows)).await;
                measured("capline bench count", rows)
            }
            "plant" => {
                let rows = unless(stop, move || Ok(plant::run(effort.plant_hours).rows));
                measured("capline bench plant", rows.await)
            }
            "spc" => {
                let rows = unless(stop, move || Ok(of_spc(&spc::without_weights(1, effort.spc))));
                measured("capline bench spc", rows.await)
            }
            "weights" => {
                let rows = unless(stop, move || Ok(of_weights(weights::run(1, effort.spc))));
                measured("capline bench spc", rows.await)
            }
            "chart" => {
                let (days, runs) = effort.chart;
                let rows = computed(move || Ok(of_month(&month::run(days, runs)?))).await;
                measured("capline bench chart", rows)
            }
            _ => {
                let dir = dir.to_owned();
                let rows = computed(move || of_store(&dir, effort.store)).await;
                measured("capline bench store", rows)
            }
        });
    }
    Figures { machine, quick, parts, interrupted: stop.is_set() }
}

fn measured(command: &'static str, rows: Vec<Row>) -> Part {
    Part { command, rows, left_out: None }
}

/// Runs what keeps a core busy where nothing else waits for it, and notes how long it took. What fails says why.
async fn computed(work: impl FnOnce() -> anyhow::Result<Vec<Row>> + Send + 'static) -> Vec<Row> {
    let since = Instant::now();
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(anyhow::Error::from).flatten();
    let mut rows = done.unwrap_or_else(|error| vec![Row::failed("all", &format!("{error:#}"))]);
    let seconds = since.elapsed().as_secs_f64();
    for row in rows.iter_mut().filter(|row| row.seconds == 0.0) {
        row.seconds = seconds;
    }
    rows
}

/// The same of a computation that leaves nothing behind: it is not waited for once the end was asked for.
async fn unless(
    stop: &Stop,
    work: impl FnOnce() -> anyhow::Result<Vec<Row>> + Send + 'static,
) -> Vec<Row> {
    tokio::select! {
        rows = computed(work) => rows,
        () = stop.asked() => vec![Row::failed("all", "ended early")],
    }
}

async fn forwarded(
    dir: &Path,
    database: Option<Settings>,
    effort: forward::Effort,
    stop: &Stop,
) -> Part {
    let command = "capline bench forward --database URL";
    let Some(settings) = database else {
        let why = "no PostgreSQL was named: give an empty database with --database URL or CAPLINE_BENCH_DATABASE";
        return Part { command, rows: Vec::new(), left_out: Some(why.to_owned()) };
    };
    let ended = Arc::new(AtomicBool::new(false));
    let journal = dir.join("forward");
    let run = forward::run(&journal, settings, effort, Arc::new(|_, _, _| {}), ended.clone());
    let mut run = std::pin::pin!(run);
    let done = tokio::select! {
        done = &mut run => done,
        () = stop.asked() => {
            // It ends by itself, so that nothing is left half written.
            ended.store(true, Relaxed);
            run.await
        }
    };
    let rows = match done {
        Ok(figures) => of_forward(&figures),
        Err(why) => vec![Row::failed("forwarding to PostgreSQL", &why)],
    };
    measured(command, rows)
}

fn of_forward(figures: &forward::Figures) -> Vec<Row> {
    let what = format!("backlog of {} lines × {} minutes", figures.lines, figures.minutes);
    let late = |of_100: usize| figures.late(of_100).as_secs_f64();
    let row = Row::new(what, figures.took.as_secs_f64())
        .figure("rows", figures.rows as f64, "")
        .figure("sent", figures.rate(), "rows/s")
        .figure("present late meanwhile, 99 of 100", late(99), "s")
        .figure("worst", late(100), "s")
        .aim(Aim::AtMost(forward::LATEST.as_secs_f64()));
    vec![row]
}

fn of_spc(figures: &spc::Figures) -> Vec<Row> {
    let steady = figures.steady.iter().map(|row| {
        let mut of = Row::new(format!("false alarms a week, {}", row.kind), 0.0);
        for (chart, (seen, estimated)) in
            spc::CHARTS.iter().zip(row.per_week.iter().zip(row.estimated))
        {
            of = of.figure(chart, *seen, "").figure("expected", estimated, "");
        }
        of.note(format!("{} weeks, seed {}", row.weeks, figures.seed))
    });
    let delays = figures.delays.iter().map(|row| of_delay(row, spc::CHARTS, figures.seed));
    steady.chain(delays).collect()
}

fn of_weights(weights: Option<weights::Weights>) -> Vec<Row> {
    let Some(weights) = weights else {
        return vec![Row::failed("charts of weights", "a baseline gave no limits")];
    };
    let mut alarms = Row::new("false alarms a week, weights", 0.0);
    for (chart, seen) in weights::CHARTS.iter().zip(weights.per_week) {
        alarms = alarms.figure(chart, seen, "");
    }
    let alarms = alarms.note(format!("{} weeks, seed 1", weights.weeks));
    let delays = weights.delays.iter().map(|row| of_delay(row, weights::CHARTS, 1));
    std::iter::once(alarms).chain(delays).collect()
}

fn of_delay(row: &Delay, charts: [&'static str; 4], seed: u64) -> Row {
    let mut of = Row::new(format!("minutes to a signal, {}", row.kind), 0.0);
    for (chart, (median, found)) in charts.iter().zip(row.median_min.iter().zip(row.found)) {
        if let Some(median) = median {
            of = of.figure(chart, *median as f64, "min");
        }
        of = of.figure("found in a day", found * 100.0, "%");
    }
    of.note(format!("median of {} lines, seed {seed}", row.lines))
}

fn of_month(figures: &month::Figures) -> Vec<Row> {
    let ms = |all: &[Duration], at: usize| {
        all.get(at.min(all.len().saturating_sub(1))).map_or(0.0, Duration::as_secs_f64) * 1e3
    };
    let answers =
        figures.asked.iter().flat_map(|(packed, rows)| rows.iter().map(|row| (*packed, row)));
    let of = |(packed, asked): (bool, &month::Asked)| {
        let (id, minutes) = &asked.what;
        let hours = if packed { "" } else { ", hours not packed" };
        Row::new(format!("{id} in {minutes} min{hours}"), 0.0)
            .figure("first answer", ms(&asked.cold, asked.cold.len() / 2), "ms")
            .figure("worst", ms(&asked.cold, usize::MAX), "ms")
            .figure("next", ms(&asked.warm, asked.cold.len() / 2), "ms")
            .figure("points", asked.points as f64, "")
            .note(format!("{} days, journal of {:.1} MB", figures.days, figures.bytes as f64 / 1e6))
    };
    answers.map(of).collect()
}

fn of_store(dir: &Path, effort: store::Effort) -> anyhow::Result<Vec<Row>> {
    let store::Figures(figures) = store::run(&dir.join("store"), effort)?;
    let of = |figure: store::Figure| {
        let row = Row::new(figure.what, 0.0).figure("", figure.value, figure.unit);
        match figure.below {
            Some(below) => row.aim(Aim::AtMost(below)),
            None => row,
        }
    };
    Ok(figures.into_iter().map(of).collect())
}

impl Figures {
    /// Whether every row was measured and every aim is reached. What was left out breaks no promise.
    pub fn kept(&self) -> bool {
        !self.interrupted && self.parts.iter().flat_map(|part| &part.rows).all(Row::kept)
    }

    /// As JSON: machine, load and commit, and all parts with their rows.
    pub fn json(&self) -> Value {
        let part = |part: &Part| {
            json!({
                "command": part.command,
                "left_out": part.left_out,
                "rows": part.rows.iter().map(Row::json).collect::<Vec<_>>(),
            })
        };
        json!({
            "machine": self.machine,
            "quick": self.quick,
            "interrupted": self.interrupted,
            "parts": self.parts.iter().map(part).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        if self.quick {
            writeln!(f, "Quick: everything ran once, and no figure states anything.")?;
        }
        if self.interrupted {
            writeln!(f, "Ended early: what is missing was not measured.")?;
        }
        writeln!(f, "\n{HEAD}")?;
        for part in &self.parts {
            let left_out = part.left_out.iter().map(|why| format!("left out: {why}"));
            let note = left_out.collect::<String>();
            writeln!(f, "| **`{}`** | | | | {note} |", part.command)?;
            for row in &part.rows {
                writeln!(f, "{row}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(parts: Vec<Part>) -> Figures {
        Figures { machine: Machine::read(), quick: false, parts, interrupted: false }
    }

    /// Shows: EVI-02
    #[test]
    fn one_table_holds_all_parts_and_says_what_was_left_out() {
        let row = Row::new("x", 1.0).figure("rate", 3.0, "/s").aim(Aim::AtLeast(2.0));
        let out = Part {
            command: "capline bench forward --database URL",
            rows: Vec::new(),
            left_out: Some("no PostgreSQL was named".to_owned()),
        };
        let all = figures(vec![measured("capline bench count", vec![row.clone()]), out]);
        let text = all.to_string();
        assert_eq!(text.matches("| what | measured |").count(), 1, "{text}");
        assert!(
            text.contains("| **`capline bench count`** | | | |  |\n| x | rate 3 /s |"),
            "{text}"
        );
        assert!(text.contains("| left out: no PostgreSQL was named |"), "{text}");
        assert!(all.kept(), "what was left out breaks no promise");
        assert_eq!(all.json()["parts"][0]["rows"][0]["figures"][0]["reached"], true);
        // The negative controls: an aim that is not reached, and an early end.
        let missed = row.aim(Aim::AtLeast(4.0));
        assert!(!figures(vec![measured("capline bench count", vec![missed])]).kept());
        assert!(!Figures { interrupted: true, ..all }.kept());
    }

    #[tokio::test]
    async fn what_was_stopped_before_it_began_measures_nothing() {
        let (stop, dir) = (Stop::default(), tempfile::tempdir().unwrap());
        stop.set();
        let all = run(dir.path(), None, (Effort::quick(), true), &stop, |_| {}).await;
        assert!(all.parts.is_empty() && all.interrupted && !all.kept());
    }
}
