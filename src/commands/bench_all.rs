//! `capline bench all`: every figure that we state about ourselves, in one table.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use capline::bench::acquire::Stop;
use capline::bench::all::{Effort, PARTS, run as measure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Refusal, print, runtime};

/// Every figure that Capline states about itself, measured here, in one table
///
/// Runs all benches one after the other: acquisition, live screens, forwarding to a PostgreSQL if one is named, counting,
/// the simulated plant, control charts and those of weights on simulated lines, the chart of a month, the store. Prints one table in Markdown, with each
/// command that gives its part alone. Ctrl-C ends early and prints what there is. The machine should be idle; it takes
/// about ten minutes of it. Exit code 1: an aim is not reached here, or it was ended early.
#[derive(Args)]
#[command(after_help = "\
Examples:
  CAPLINE_COMMIT=$(git rev-parse --short HEAD) cargo run --release -- bench all --json figures.json
  createdb bench && PGPASSWORD=... capline bench all --database postgres://postgres@127.0.0.1:5432/bench")]
pub(crate) struct AllArgs {
    /// Directory on the disk to be measured
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// An empty database for the figures of forwarding, without a password: postgres://user@host:port/name; without it that
    /// of CAPLINE_BENCH_DATABASE
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Certificates of the authorities that the server's must lead to, PEM; for a server on another machine
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Only look whether everything runs, in about a minute; the figures state nothing
    #[arg(long)]
    quick: bool,
    /// Write the figures to this file as JSON too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) fn run(args: &AllArgs) -> Result<ExitCode, Refusal> {
    let database = args.database.clone().or_else(|| std::env::var("CAPLINE_BENCH_DATABASE").ok());
    let database = database.map(|url| super::bench_forward::settings(&url, args.ca.clone()));
    let database = database.transpose()?;
    let dir = tempfile::tempdir_in(&args.dir)
        .map_err(|error| Refusal::of(&args.dir, &format!("cannot be written: {error}")))?;
    let effort = if args.quick { Effort::quick() } else { Effort::whole() };
    let (bar, stop) = (bar(), Stop::default());
    let runtime = runtime().map_err(|error| Refusal(error.to_string()))?;
    let figures = runtime.block_on(async {
        let asked = stop.clone();
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                asked.set();
            }
        });
        let progress = |what: &str| {
            if let Some(part) = PARTS.iter().position(|part| *part == what) {
                bar.set_position(part as u64);
            }
            bar.set_message(what.to_owned());
            if bar.is_hidden() {
                eprintln!("{what}");
            }
        };
        measure(dir.path(), database, (effort, args.quick), &stop, progress).await
    });
    bar.finish_and_clear();
    // What was ended early may still compute; nobody waits for it.
    runtime.shutdown_timeout(Duration::ZERO);
    let printed = print(&figures.to_string());
    if let Some(file) = &args.json {
        std::fs::write(file, format!("{:#}\n", figures.json()))
            .map_err(|error| Refusal::of(file, &format!("cannot be written: {error}")))?;
    }
    Ok(if figures.kept() { printed } else { ExitCode::FAILURE })
}

/// Which part it is at, on a terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{pos}/{len} {elapsed} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(PARTS.len() as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
