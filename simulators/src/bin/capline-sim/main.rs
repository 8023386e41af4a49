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
use tokio::signal::unix::{SignalKind, signal};
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
    /// Run the plant until Ctrl-C or SIGTERM, or that of a scenario until its end, then print the ledger of each line as one line of JSON.
    Run(run::Run),
    /// Show a recorded trace of registers as a Modbus TCP server.
    Replay(replay::Replay),
    /// Compare what a service says over its API with the truth of the plant. Exit code 0 when every count holds the truth with no
    /// more doubt than --most-doubt, every stop is told with its reason and blames no other machine, every alarm of a count is
    /// true and due ones are raised, and every batch is right, or when all is as the file of a scenario wants it; 1 when
    /// something is not, and is printed; 2 when it could not be compared. What is not judged is printed too.
    Score(score::Score),
    /// List scenarios, faults and presets.
    List(list::List),
    /// Measure how fast the model runs, and what its registers and nodes cost. `capline bench plant` gives the same as a table,
    /// with machine, load and commit.
    Bench(Bench),
}

/// Folder of the scenario files, where the program is started in the folder of the sources.
const SCENARIOS: &str = "simulators/scenarios";

#[derive(clap::Args)]
struct Bench {
    /// Plant time to run through, in hours.
    #[arg(long, default_value_t = 100)]
    hours: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    // A server without a certificate is what we want, and it is no error: the library thinks so.
    let default = "warn,opcua_crypto=off,opcua_core::comms::secure_channel=off,opcua_server=error";
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

/// Calls `look` every `period` until it says that the time is over, or Ctrl-C, or SIGTERM, which `kill` sends.
async fn until_over(
    period: Duration,
    mut look: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(period);
    let mut terminated = signal(SignalKind::terminate()).context("SIGTERM cannot be watched")?;
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            _ = ticks.tick() => if look()? { return Ok(()) },
            signal = &mut interrupted => return signal.context("Ctrl-C cannot be watched"),
            _ = terminated.recv() => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    /// The negative control is the process itself: a SIGTERM that nobody watches ends it, and the test with it.
    #[tokio::test]
    async fn a_sigterm_ends_a_run_as_a_whole() {
        let (mut looks, mut is_over) = (0, false);
        let watched = until_over(Duration::from_millis(5), || {
            looks += 1;
            if looks == 1 {
                kill_process(getpid(), Signal::TERM)?;
            }
            // A minute of looks, where the signal is not heard.
            is_over = looks > 12_000;
            Ok(is_over)
        });
        watched.await.unwrap();
        assert!(!is_over, "the signal was heard and not the end of the time");
    }
}
