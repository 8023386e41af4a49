//! `capline bench`: figures about Capline itself that anyone can compute again.

use std::process::ExitCode;
use std::time::Duration;

use capline::bench::month;
use capline::bench::spc::{Effort, run as detection};
use capline::bench::store::{Effort as Store, run as measure};
use clap::{Args, Subcommand};

use super::{Refusal, print, print_json};

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
        dir: std::path::PathBuf,
        /// Ticks of each load; a tick is 250 ms of a line
        #[arg(long, default_value_t = Store::default().ticks)]
        ticks: u64,
        /// Print the figures as JSON
        #[arg(long)]
        json: bool,
    },
    Forward(super::bench_forward::ForwardArgs),
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

fn store(dir: &std::path::Path, ticks: u64, json: bool) -> Result<ExitCode, Refusal> {
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
        What::Store { ref dir, ticks, json } => {
            store(dir, ticks, json).unwrap_or_else(|refusal| refusal.exit())
        }
        What::Chart { days, runs } => match month::run(i64::from(days), runs) {
            Ok(figures) => print(&format!("{figures}\n")),
            Err(error) => {
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        },
    }
}
