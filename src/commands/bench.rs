//! `capline bench`: figures about Capline itself that anyone can compute again.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use capline::bench::acquire::{self, Figures, Kind, STEPS, Stop};
use capline::bench::spc::{Effort, run as detection};
use capline::bench::store::{Effort as Store, run as measure};
use capline::bench::{count, month, plant, web};
use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use super::{Refusal, print, print_json, runtime};

/// Compute figures about Capline itself
#[derive(Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// What the control charts miss and what they cry wolf about, on simulated lines
    ///
    /// False alarms a week of lines on which nothing happens, seen and expected, and how long the charts take to signal
    /// a shift, a burst and a worn bore. The same seed gives the same figures on any machine.
    Spc {
        /// Seed of the simulated lines
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Weeks of each kind of steady line
        #[arg(long, default_value_t = Effort::default().weeks)]
        weeks: usize,
        /// Lines of each kind of change
        #[arg(long, default_value_t = Effort::default().lines)]
        lines: usize,
    },
    /// What the embedded store costs the flash and how fast it answers, on this machine
    ///
    /// Stores made-up lines in a temporary directory of the disk that is named, and asks for them. Prints a table in
    /// Markdown. Exit code 1: a promise is not kept here.
    Store {
        /// Directory on the disk to be measured
        #[arg(value_name = "DIR", default_value = ".")]
        dir: PathBuf,
        /// Ticks of each load; a tick is 250 ms of a line
        #[arg(long, default_value_t = Store::default().ticks)]
        ticks: u64,
        /// Print the figures as JSON
        #[arg(long)]
        json: bool,
    },
    Forward(super::bench_forward::ForwardArgs),
    /// How much counting one core does, on this machine
    ///
    /// Samples a second of one ledger and snapshots a second of a whole line, by the core time of a thread. Prints a table in
    /// Markdown. Exit code 1: an aim is not reached here.
    Count {
        /// Rounds of each row; the quickest counts
        #[arg(long, default_value_t = count::ROUNDS)]
        rounds: usize,
        /// Print the figures as JSON
        #[arg(long)]
        json: bool,
    },
    /// What the simulated plant costs, on this machine
    ///
    /// How many times as fast as real a line without servers runs, and what its registers and nodes cost, by the core time of
    /// a thread. Prints a table in Markdown. Exit code 1: an aim is not reached here.
    Plant {
        /// Hours of the plant to run through
        #[arg(long, default_value_t = plant::HOURS)]
        hours: u32,
        /// Print the figures as JSON
        #[arg(long)]
        json: bool,
    },
    All(super::bench_all::AllArgs),
    /// How well polls keep their pace and what they cost, on this machine
    ///
    /// Polls load servers that run in processes of their own: as fast as it goes, a hundred devices at 100 Hz, one device,
    /// every core busy with and without real-time priority, and an OPC UA server. Prints a table in Markdown. Ctrl-C ends
    /// early and prints what there is. Exit code 1: an aim is not reached here, or it was ended early.
    Acquire {
        /// Seconds for each row
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=600))]
        seconds: u16,
        /// Write the figures to this file as JSON too
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// What live screens cost the service, on this machine
    ///
    /// Runs the service with two simulated machines in a process of its own, without a screen and with many. Prints a table
    /// in Markdown. Ctrl-C ends early and prints what there is. Exit code 1: an aim is not reached here, or it was ended
    /// early. How long a count needs until it is painted: tests/browser/paint.rs.
    Web {
        /// Seconds for each row
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=600))]
        seconds: u16,
        /// Screens that are open at once; the service lets 64 in
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=64))]
        screens: u16,
        /// Write the figures to this file as JSON too
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// The other side of `acquire`, in a process of its own
    #[command(hide = true)]
    LoadServer {
        /// Counters of an OPC UA server; without it a Modbus server
        #[arg(long)]
        items: Option<usize>,
        /// Priority under SCHED_FIFO
        #[arg(long)]
        realtime_priority: Option<u8>,
    },
    /// How long the workbench waits for a chart of a month
    ///
    /// Writes a journal of a line's minutes into a scratch directory, then starts afresh and asks for the chart.
    Chart {
        /// Days in the journal
        #[arg(long, default_value_t = 31)]
        days: u16,
        /// Starts
        #[arg(long, default_value_t = 5)]
        runs: usize,
    },
}

fn store(dir: &Path, ticks: u64, json: bool) -> Result<ExitCode, Refusal> {
    let dir = tempfile::tempdir_in(dir)
        .map_err(|error| Refusal::of(dir, &format!("cannot be written: {error}")))?;
    let spinner = indicatif::ProgressBar::new_spinner()
        .with_message(format!("{ticks} ticks of two loads, 31 days of 20 lines"));
    spinner.enable_steady_tick(Duration::from_millis(200));
    let measured = measure(dir.path(), Store { ticks, ..Store::default() });
    spinner.finish_and_clear();
    let figures = measured.map_err(|error| Refusal(error.to_string()))?;
    let printed = match json {
        true => print_json(&figures.json())?,
        false => print(&figures.to_string()),
    };
    Ok(if figures.kept() { printed } else { ExitCode::FAILURE })
}

fn computed(figures: &Figures, json: bool) -> Result<ExitCode, Refusal> {
    let printed = match json {
        true => print_json(&figures.json())?,
        false => print(&figures.to_string()),
    };
    Ok(if figures.kept() { printed } else { ExitCode::FAILURE })
}

/// What is measured row by row, which Ctrl-C ends early.
enum Measured {
    Acquisition,
    Web { screens: usize },
}

fn rows(what: Measured, each: Duration, json: Option<&Path>) -> anyhow::Result<ExitCode> {
    let runtime = runtime()?;
    let steps = if matches!(what, Measured::Acquisition) { STEPS } else { web::STEPS };
    let bar = indicatif::ProgressBar::new(steps);
    bar.set_style(indicatif::ProgressStyle::with_template("{pos}/{len} {elapsed} {msg}")?);
    bar.enable_steady_tick(Duration::from_millis(500));
    let stop = Stop::default();
    let asked = stop.clone();
    let figures = runtime.block_on(async {
        // Before anything is measured: from here on Ctrl-C has an ear.
        let mut interrupts = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            while interrupts.recv().await.is_some() {
                asked.set();
            }
        });
        let progress = |what| {
            bar.inc(1);
            bar.set_message(what);
            if bar.is_hidden() {
                eprintln!("{what}");
            }
        };
        anyhow::Ok(match what {
            Measured::Acquisition => acquire::run(each, &stop, progress).await,
            Measured::Web { screens } => web::run(screens, each, &stop, progress).await,
        })
    })?;
    bar.finish_and_clear();
    let printed = print(&figures.to_string());
    if let Some(file) = json {
        std::fs::write(file, format!("{:#}\n", figures.json()))
            .map_err(|error| anyhow::anyhow!("{}: cannot be written: {error}", file.display()))?;
    }
    Ok(if figures.kept() { printed } else { ExitCode::FAILURE })
}

fn served(items: Option<usize>, priority: Option<u8>) -> anyhow::Result<ExitCode> {
    acquire::serve(items.map_or(Kind::Modbus, |items| Kind::OpcUa { items }), priority)?;
    Ok(ExitCode::SUCCESS)
}

/// What a command gave, or why it could not be done.
fn said(done: anyhow::Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

pub(crate) fn run(args: &BenchArgs) -> ExitCode {
    match args.what {
        What::Spc { seed, weeks, lines } => {
            let spinner = indicatif::ProgressBar::new_spinner().with_message(format!(
                "{weeks} weeks of steady lines, {lines} lines of each change"
            ));
            spinner.enable_steady_tick(Duration::from_millis(200));
            let figures = detection(seed, Effort { weeks, lines });
            spinner.finish_and_clear();
            print(&format!("{figures}\n"))
        }
        What::Forward(ref args) => {
            super::bench_forward::run(args).unwrap_or_else(|refusal| refusal.exit())
        }
        What::Count { rounds, json } => {
            let figures = count::run(rounds, &Stop::default());
            computed(&figures, json).unwrap_or_else(|refusal| refusal.exit())
        }
        What::Plant { hours, json } => {
            computed(&plant::run(hours), json).unwrap_or_else(|refusal| refusal.exit())
        }
        What::All(ref args) => super::bench_all::run(args).unwrap_or_else(|refusal| refusal.exit()),
        What::Store { ref dir, ticks, json } => {
            store(dir, ticks, json).unwrap_or_else(|refusal| refusal.exit())
        }
        What::Acquire { seconds, ref json } => {
            said(rows(Measured::Acquisition, Duration::from_secs(seconds.into()), json.as_deref()))
        }
        What::Web { seconds, screens, ref json } => {
            let what = Measured::Web { screens: screens.into() };
            said(rows(what, Duration::from_secs(seconds.into()), json.as_deref()))
        }
        What::LoadServer { items, realtime_priority } => said(served(items, realtime_priority)),
        What::Chart { days, runs } => match month::run(i64::from(days), runs) {
            Ok(figures) => print(&format!("{figures}\n")),
            Err(error) => said(Err(error)),
        },
    }
}
