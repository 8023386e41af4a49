//! `capline-sim`: the simulated plant as a program of its own, its scenarios, and the score of who reads it.

#![expect(clippy::print_stdout, reason = "addresses, ledgers and scores are this program's output")]
#![expect(clippy::print_stderr, reason = "progress is for people and not part of the output")]

mod list;
mod replay;
mod run;
mod score;

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Parser, Subcommand};
use simulators::Pace;
use tracing_subscriber::EnvFilter;

/// A simulated capsule plant on Modbus TCP and OPC UA.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the plant, or one of a scenario file, until Ctrl-C, then print the ledger of each line as one line of JSON.
    Run(run::Run),
    /// Show a recorded trace of registers as a Modbus TCP server.
    Replay(replay::Replay),
    /// Compare what a service says over its API with the truth of the plant. Exit code 1 when a count is wrong or not told,
    /// when a stop is missed or was none, or when something is not as the file of a scenario wants it.
    Score(score::Score),
    /// List scenarios, faults and presets.
    List(list::List),
    /// Measure how fast the model runs, and what its registers and nodes cost.
    Bench(Bench),
}

#[derive(clap::Args)]
struct Bench {
    /// Plant time to run through, in hours.
    #[arg(long, default_value_t = 100)]
    hours: u32,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    let seconds = number.parse().map_err(|_| format!("{text} is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("{text}: {error}"))
}

#[tokio::main]
async fn main() -> ExitCode {
    // A server without a certificate is what we want, and it is no error: the library thinks so.
    let default = "warn,opcua_crypto=off,opcua_server=error";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match Cli::parse().command {
        Command::Run(run) => run.run().await.map(|()| true),
        Command::Replay(replay) => replay.run().await.map(|()| true),
        Command::Score(score) => score.run().await,
        Command::List(list) => list.run().map(|()| true),
        Command::Bench(bench) => {
            println!("{}", Pace::measure(bench.hours));
            Ok(true)
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("capline-sim: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Calls `look` every `period` until it says that the time is over, or Ctrl-C.
async fn until_over(
    period: Duration,
    mut look: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(period);
    let ended = tokio::signal::ctrl_c();
    tokio::pin!(ended);
    loop {
        tokio::select! {
            _ = ticks.tick() => if look()? { return Ok(()) },
            signal = &mut ended => return signal.context("Ctrl-C cannot be watched"),
        }
    }
}
