//! `capline bench`: figures about Capline itself that anyone can compute again.

use std::process::ExitCode;
use std::time::Duration;

use capline::bench::month;
use capline::bench::spc::{Effort, run as detection};
use clap::{Args, Subcommand};

use super::print;

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
        What::Chart { days, runs } => match month::run(i64::from(days), runs) {
            Ok(figures) => print(&format!("{figures}\n")),
            Err(error) => {
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        },
    }
}
