//! The command line. Prints, decides nothing.
#![expect(clippy::print_stderr, reason = "the command line is what prints")]
#![cfg_attr(feature = "demo", expect(clippy::print_stdout, reason = "the summary of a demo"))]

use std::io::IsTerminal;
#[cfg(feature = "demo")]
use std::net::SocketAddr;
#[cfg(feature = "demo")]
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use capline::clock::Clock;
use capline::config::Config;
use capline::service::{Service, open_historian};
use capline::sources;
use clap::{Parser, Subcommand};

mod commands;

use commands::{
    Which, adopt, audit, backup, browse, check, count, export, import, migrate, oee, pki, probe,
    reconcile, runtime, selftest, spc, user,
};

/// Keeps an exact account of every capsule of a filling line and shows it live.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a simulated capsule line and watch it; needs no plant
    #[cfg(feature = "demo")]
    Demo {
        /// Port of the screens on this machine
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Journal directory, kept for the next demo; a temporary one without it
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Seed of the simulated plant
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Line seconds in a real second, 1 to 60
        #[arg(long, default_value_t = 1.0, value_parser = speed)]
        speed: f64,
        /// End after this time and print a summary: 30s, 5min
        #[arg(long, value_parser = duration)]
        duration: Option<Duration>,
        /// How long the plant has run before, about: 12h, 30min; 0s for none
        #[arg(long, default_value = "12h", value_parser = history)]
        history: Duration,
        /// Machines of the line that are read: two (filler and checkweigher) or all five
        #[arg(long, default_value = "two")]
        machines: capline::demo::Machines,
    },
    /// Run the service of a plant
    ///
    /// Reads the devices of the configuration, keeps the account in its journal and serves the screens until SIGINT or
    /// SIGTERM. A device that cannot be reached is tried again and stops nothing else. SIGHUP reads the configuration
    /// and its maps again: with any mistake the old ones go on, else only what has changed is touched.
    #[command(
        after_help = "Example:\n  capline check config/plant.toml && capline run config/plant.toml"
    )]
    Run {
        #[command(flatten)]
        which: Which,
    },
    Adopt(adopt::AdoptArgs),
    Audit(audit::AuditArgs),
    Backup(backup::BackupArgs),
    Browse(browse::BrowseArgs),
    Check(check::CheckArgs),
    Count(count::CountArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
    Migrate(migrate::MigrateArgs),
    Oee(oee::OeeArgs),
    Pki(pki::PkiArgs),
    Probe(probe::ProbeArgs),
    Reconcile(reconcile::ReconcileArgs),
    Restore(backup::RestoreArgs),
    Spc(Box<spc::SpcArgs>),
    Selftest(selftest::SelftestArgs),
    User(user::UserArgs),
    Display(user::DisplayArgs),
    #[cfg(feature = "demo")]
    Bench(commands::bench::BenchArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        // The simulated server warns that it lacks a certificate; a demo needs none.
        .unwrap_or_else(|_| {
            format!("warn,capline=info,opcua_server=off,{}", sources::QUIET).into()
        });
    // Colours are for a terminal; in a file they are noise.
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours);
    log.with_writer(std::io::stderr).init();
    match perform(cli.command) {
        Ok(code) => code,
        Err(error) => {
            commands::complain(&format!("capline: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        #[cfg(feature = "demo")]
        Command::Demo { port, data, seed, speed, duration, history, machines } => {
            let listen = SocketAddr::from(([127, 0, 0, 1], port));
            runtime()?.block_on(demo(
                capline::demo::DemoOptions { listen, data, seed, speed, history, machines },
                duration,
            ))
        }
        Command::Run { which } => {
            let config = Config::load(which.file())?;
            runtime()?.block_on(run(&config))
        }
        Command::Adopt(args) => {
            let done = runtime()?.block_on(adopt::run(&args));
            Ok(done.unwrap_or_else(|refusal| refusal.exit()))
        }
        Command::Audit(args) => {
            let done = runtime()?.block_on(audit::run(&args));
            Ok(done.unwrap_or_else(|refusal| refusal.exit()))
        }
        Command::Backup(args) => {
            Ok(backup::back_up(&args).unwrap_or_else(|refusal| refusal.exit()))
        }
        Command::Browse(args) => {
            let done = runtime()?.block_on(browse::run(&args));
            Ok(done.unwrap_or_else(|refusal| refusal.exit()))
        }
        Command::Check(args) => Ok(check::run(&args)),
        Command::Count(args) => Ok(count::run(&args).unwrap_or_else(|refusal| refusal.exit())),
        Command::Export(args) => {
            let end = async {
                if let Err(error) = wait(None).await {
                    eprintln!("capline: no signal can be heard: {error}");
                    std::future::pending::<()>().await;
                }
            };
            let done = runtime()?.block_on(export::run(args, end));
            Ok(done.unwrap_or_else(|refusal| refusal.exit()))
        }
        Command::Import(args) => Ok(import::run(&args)),
        Command::Probe(args) => Ok(runtime()?.block_on(probe::run(&args))),
        Command::Migrate(args) => {
            let done = runtime()?.block_on(migrate::run(&args));
            Ok(done.unwrap_or_else(|refusal| refusal.exit()))
        }
        Command::Oee(args) => Ok(oee::run(&args).unwrap_or_else(|refusal| refusal.exit())),
        Command::Reconcile(args) => {
            let done = runtime()?.block_on(reconcile::run(&args));
            Ok(done.unwrap_or_else(|refusal| refusal.exit()))
        }
        Command::Restore(args) => {
            Ok(backup::restore(&args).unwrap_or_else(|refusal| refusal.exit()))
        }
        Command::Pki(args) => {
            Ok(pki::run(&args, &Clock::real()).unwrap_or_else(|refusal| refusal.exit()))
        }
        Command::Spc(args) => Ok(spc::run(&args).unwrap_or_else(|refusal| refusal.exit())),
        Command::Selftest(_) => Ok(selftest::run()),
        Command::User(args) => Ok(user::run(&args).unwrap_or_else(|refusal| refusal.exit())),
        Command::Display(args) => {
            Ok(user::run_display(&args).unwrap_or_else(|refusal| refusal.exit()))
        }
        #[cfg(feature = "demo")]
        Command::Bench(args) => Ok(commands::bench::run(&args)),
    }
}

#[cfg(feature = "demo")]
async fn demo(
    mut options: capline::demo::DemoOptions,
    duration: Option<Duration>,
) -> anyhow::Result<ExitCode> {
    if std::io::stderr().is_terminal() {
        // For who waits; what reads a pipe waits for the address.
        eprintln!(
            "Capline demo: the plant runs through its history first; the address follows in some seconds."
        );
    }
    let shown = commands::demo_history::Shown::new();
    let started = capline::demo::Demo::start_telling(&options, &|step| shown.tell(step)).await;
    shown.end();
    let mut demo = started?;
    eprintln!("Capline demo: open http://{} (simulated line; Ctrl-C ends it)", demo.addr());
    eprintln!("Nobody signs in: a demo lets everybody in who is at this machine.");
    let mut end = std::pin::pin!(wait(duration));
    let summary = loop {
        let rerun = tokio::select! {
            ended = &mut end => {
                ended?;
                break demo.stop().await?;
            }
            rerun = demo.rerun() => rerun,
        };
        // The screens stay where they are, so that they come back by themselves.
        options = capline::demo::DemoOptions {
            listen: demo.addr(),
            seed: rerun.seed,
            speed: rerun.speed,
            ..options
        };
        demo.stop().await?;
        demo = capline::demo::Demo::start(&options).await?;
    };
    println!("{}", serde_json::to_string(&summary)?);
    Ok(ExitCode::SUCCESS)
}

async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    // Before anything is opened: a signal that comes early must not end the service.
    let hangup = tokio::signal::unix::SignalKind::hangup();
    let mut hangups = tokio::signal::unix::signal(hangup)?;
    let historian = open_historian(config)?;
    let service = Service::start(config, Clock::real(), historian, false).await?;
    eprintln!("Capline: open {} (Ctrl-C ends it)", service.url());
    if let Some(fingerprint) = service.fingerprint() {
        eprintln!(
            "Capline: compare the certificate that a browser warns of: SHA-256 {fingerprint}"
        );
    }
    if let Some(token) = service.offer_set_up()? {
        // Here and nowhere else: a log is kept, and read by others.
        eprintln!(
            "Capline: nobody can sign in yet. Make the first administrator at {}/setup with this one-time token: {token}",
            service.url()
        );
    }
    serve_to_the_end(&service, &mut hangups).await?;
    service.report_stopping();
    service.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// Lets the service run until a signal ends it, or a fault of ours.
async fn serve_to_the_end(
    service: &Service,
    hangups: &mut tokio::signal::unix::Signal,
) -> anyhow::Result<()> {
    let mut end = std::pin::pin!(wait(None));
    let mut report = std::pin::pin!(service.report());
    loop {
        tokio::select! {
            end = &mut end => return end,
            () = &mut report => {}
            line = service.failed() => anyhow::bail!(
                "line {line} ended by a fault of Capline, see the log above; start again, it goes on from its last tick"
            ),
            // What comes of it is in the log, in the journal and at /api/v1/reload.
            _ = hangups.recv() => drop(service.reload("SIGHUP").await),
        }
    }
}

/// Waits for the end: the time given, SIGINT or SIGTERM.
async fn wait(duration: Option<Duration>) -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let timer = async {
        match duration {
            Some(duration) => pass(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = timer => {}
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Lets a time pass, and shows on a terminal how much of it has.
async fn pass(duration: Duration) {
    let bar = indicatif::ProgressBar::new(duration.as_secs());
    let end = tokio::time::Instant::now() + duration;
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(end) => break,
            _ = seconds.tick() => bar.set_position(bar.elapsed().as_secs()),
        }
    }
    bar.finish_and_clear();
}

#[cfg(feature = "demo")]
fn speed(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text} is no speed; write a number from 1 to 60");
    text.parse().ok().filter(|speed| (1.0..=60.0).contains(speed)).ok_or_else(wrong)
}

#[cfg(feature = "demo")]
fn history(text: &str) -> Result<Duration, String> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        _ => duration(text),
    }
}

#[cfg(feature = "demo")]
fn duration(text: &str) -> Result<Duration, String> {
    let us = domain::plc_map::document::parse_duration_us(text);
    us.map(|us| Duration::from_micros(us as u64))
        .ok_or_else(|| format!("{text} is no time; write 30s, 5min or 2h"))
}
