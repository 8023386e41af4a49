//! `capline-sim`: the simulated plant as a program of its own.

#![expect(clippy::print_stdout, reason = "addresses and the ledger are this program's output")]

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use simulators::{Counters, Pace, Plant, PlantConfig, Preset, utc_now_us};
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
    /// Run the plant until Ctrl-C, then print the ledger of each line as one line of JSON.
    Run(Run),
    /// Measure how fast the model runs, and what its registers and nodes cost.
    Bench(Bench),
}

#[derive(clap::Args)]
struct Bench {
    /// Plant time to run through, in hours.
    #[arg(long, default_value_t = 100)]
    hours: u32,
}

#[derive(clap::Args)]
struct Run {
    /// Lines, each with ports and a seed of its own: those given for the first, and the next ones.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32))]
    lines: u16,
    /// Fillers of each line that work side by side; together they are as fast as one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4))]
    fillers: u32,
    /// Seed of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds of plant time in a real second.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// How well the plant runs.
    #[arg(long, value_enum, default_value_t = PresetName::Good)]
    preset: PresetName,
    /// Address of all machines on Modbus TCP, each a unit.
    #[arg(long, default_value = "127.0.0.1:5020")]
    modbus: SocketAddr,
    /// Address of all machines on OPC UA.
    #[arg(long, default_value = "127.0.0.1:4840")]
    opcua: SocketAddr,
    /// Address of the ledger and the faults (HTTP).
    #[arg(long, default_value = "127.0.0.1:5080")]
    http: SocketAddr,
    /// Stop after this much real time, in seconds, such as 30s or 30.
    #[arg(long, value_parser = seconds)]
    duration: Option<Duration>,
    /// Folder for the certificates of the OPC UA server.
    #[arg(long)]
    pki: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum PresetName {
    Steady,
    Good,
    Typical,
    Poor,
}

impl From<PresetName> for Preset {
    fn from(name: PresetName) -> Preset {
        match name {
            PresetName::Steady => Preset::Steady,
            PresetName::Good => Preset::Good,
            PresetName::Typical => Preset::Typical,
            PresetName::Poor => Preset::Poor,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    let seconds = number.parse().map_err(|_| format!("{text} is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("{text}: {error}"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // A server without a certificate is what we want, and it is no error: the library thinks so.
    let default = "warn,opcua_crypto=off,opcua_server=error";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Cli::parse().command {
        Command::Run(run) => self::run(run).await,
        Command::Bench(bench) => {
            println!("{}", Pace::measure(bench.hours));
            Ok(())
        }
    }
}

async fn run(run: Run) -> anyhow::Result<()> {
    let mut plants = Vec::new();
    for nth in 0..run.lines {
        let plant = Plant::start(line(&run, nth)?).await?;
        show(nth + 1, &plant);
        plants.push(plant);
    }
    wait(run.duration).await?;
    for plant in plants {
        plant.hold();
        println!("{}", serde_json::to_string(&plant.ledger())?);
        plant.stop().await;
    }
    Ok(())
}

/// What a line is started with.
fn line(run: &Run, nth: u16) -> anyhow::Result<PlantConfig> {
    let defaults = PlantConfig::default();
    Ok(PlantConfig {
        seed: run.seed.wrapping_add(u64::from(nth)),
        speed: run.speed,
        preset: run.preset.into(),
        fillers: run.fillers,
        line_start_us: utc_now_us(),
        modbus_addr: further(run.modbus, nth)?,
        opcua_addr: further(run.opcua, nth)?,
        http_addr: Some(further(run.http, nth)?),
        start_counters: Counters::in_use(),
        pki_dir: run.pki.clone().unwrap_or(defaults.pki_dir.clone()),
        ..defaults
    })
}

/// The address of a further line: the next ports, or any free one again.
fn further(addr: SocketAddr, nth: u16) -> anyhow::Result<SocketAddr> {
    let port = match addr.port() {
        0 => 0,
        first => first.checked_add(nth).with_context(|| {
            format!("line {} has no port: {first} + {nth} is above 65535; begin lower", nth + 1)
        })?,
    };
    Ok(SocketAddr::new(addr.ip(), port))
}

/// Where the machines of a line are.
fn show(line: u16, plant: &Plant) {
    let (modbus, opcua) = (plant.modbus_addr(), plant.opcua_url());
    println!("line {line}  modbus tcp {modbus}  opc ua {opcua}");
    for (unit, station) in plant.machines() {
        let function = if unit == 3 { "input" } else { "holding" };
        println!("  {station}  unit {unit:<2}  {function} registers  nodes s={station}.…");
    }
    if let Some(http) = plant.http_addr() {
        println!("  ledger http://{http}/ledger");
    }
}

/// Returns at Ctrl-C or when the time is over.
async fn wait(duration: Option<Duration>) -> anyhow::Result<()> {
    let over = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = over => Ok(()),
        signal = tokio::signal::ctrl_c() => signal.context("Ctrl-C cannot be watched"),
    }
}
