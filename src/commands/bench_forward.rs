//! `capline bench forward`: how fast a backlog goes to a real PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use capline::bench::forward::{Effort, Figures, Progress, run as measure};
use capline::config::DatabaseConfig;
use capline::historian::archive::{Secret, Settings};
use capline::service;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Refusal, print, runtime};

/// How fast three days of twenty lines go to a plant database after an outage, and how late the present is meanwhile
///
/// Fills a journal in a scratch directory, makes the tables in the database where they are missing, forwards the journal
/// to it while all lines tick on, compares what is there with what was sent, and prints a table in Markdown. The
/// database should be an empty one of its own: what is sent stays there. The password comes from
/// CAPLINE_DATABASE_PASSWORD, PGPASSWORD or the credentials of systemd. Exit code 1: the present was later than promised.
#[derive(Args)]
#[command(
    after_help = "Example:\n  createdb bench && PGPASSWORD=... capline bench forward --database postgres://postgres@127.0.0.1:5432/bench"
)]
pub(crate) struct ForwardArgs {
    /// The database, without a password: postgres://user@host:port/name
    #[arg(long, value_name = "URL")]
    database: String,
    /// Certificates of the authorities that the server's must lead to, PEM; for a server on another machine
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Lines
    #[arg(long, default_value_t = Effort::default().lines, value_parser = clap::value_parser!(u64).range(1..=60))]
    lines: u64,
    /// Minutes of each line in the backlog
    #[arg(long, default_value_t = Effort::default().minutes, value_parser = clap::value_parser!(i64).range(1..=131_400))]
    minutes: i64,
    /// Directory on the disk that the journal is made on
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Write the figures as JSON into a file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Go on although the database holds rows of boxes
    #[arg(long)]
    beside: bool,
}

pub(crate) fn run(args: &ForwardArgs) -> Result<ExitCode, Refusal> {
    let settings = settings(&args.database, args.ca.clone())?;
    let dir = tempfile::tempdir_in(&args.dir)
        .map_err(|error| Refusal::of(&args.dir, &format!("cannot be written: {error}")))?;
    let runtime = runtime().map_err(|error| Refusal(error.to_string()))?;
    let figures = runtime.block_on(measured(args, settings, dir.path()))?;
    if let Some(file) = &args.json {
        let json = format!("{:#}\n", figures.json());
        std::fs::write(file, json)
            .map_err(|error| Refusal::of(file, &format!("cannot be written: {error}")))?;
    }
    let printed = print(&figures.to_string());
    Ok(if figures.kept() { printed } else { ExitCode::FAILURE })
}

/// A box of a name of its own: each journal is another one.
pub(super) fn settings(database: &str, ca: Option<PathBuf>) -> Result<Settings, Refusal> {
    let edge = format!("bench-{}", uuid::Uuid::new_v4().simple());
    let config = DatabaseConfig::of_url(database, &edge, ca).map_err(Refusal)?;
    let mut settings =
        service::plant_database("bench", &config).map_err(|error| Refusal(error.to_string()))?;
    let address = &mut settings.address;
    address.password =
        address.password.take().or_else(|| std::env::var("PGPASSWORD").ok().map(Secret::new));
    Ok(settings)
}

async fn measured(args: &ForwardArgs, settings: Settings, dir: &Path) -> Result<Figures, Refusal> {
    let effort = Effort { lines: args.lines, minutes: args.minutes, beside: args.beside };
    let (stop, host) = (Arc::new(AtomicBool::new(false)), settings.address.host.clone());
    let run = measure(dir, settings, effort, bar(), stop.clone());
    let mut run = std::pin::pin!(run);
    let done = tokio::select! {
        done = &mut run => done,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.map_err(|error| Refusal(error.to_string()))?;
            stop.store(true, Ordering::Relaxed);
            // It ends by itself, so that nothing is left half written.
            run.await
        }
    };
    done.map_err(|why| Refusal(format!("{host}: {why}")))
}

/// A bar for each step, on a terminal.
fn bar() -> Progress {
    let style = ProgressStyle::with_template("{msg:20} {wide_bar} {percent} % {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style);
    Arc::new(move |step, done, of| {
        bar.set_message(step);
        bar.set_length(of);
        bar.set_position(done);
        if done == of {
            bar.finish_and_clear();
        }
    })
}
