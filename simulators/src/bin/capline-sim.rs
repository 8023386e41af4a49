//! `capline-sim`: the simulated plant as a program of its own.

#![expect(clippy::print_stdout, reason = "addresses and the ledger are this program's output")]

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use simulators::{Counters, Plant, PlantConfig, Preset, utc_now_us};
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
    /// Run the plant until Ctrl-C, then print its ledger as one line of JSON.
    Run(Run),
}

#[derive(clap::Args)]
struct Run {
    /// Seed of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds of plant time in a real second.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// How well the plant runs.
    #[arg(long, value_enum, default_value_t = PresetName::Good)]
    preset: PresetName,
    /// Address of the filler (Modbus TCP, unit 1).
    #[arg(long, default_value = "127.0.0.1:5020")]
    modbus: SocketAddr,
    /// Address of the checkweigher (OPC UA).
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
    }
}

async fn run(run: Run) -> anyhow::Result<()> {
    let defaults = PlantConfig::default();
    let plant = Plant::start(PlantConfig {
        seed: run.seed,
        speed: run.speed,
        preset: run.preset.into(),
        line_start_us: utc_now_us(),
        modbus_addr: run.modbus,
        opcua_addr: run.opcua,
        http_addr: Some(run.http),
        start_counters: Counters::in_use(),
        pki_dir: run.pki.unwrap_or(defaults.pki_dir),
        ..defaults
    })
    .await?;
    println!("CF01    modbus tcp  {}  unit 1", plant.modbus_addr());
    println!("CW04    opc ua      {}", plant.opcua_url());
    if let Some(http) = plant.http_addr() {
        println!("ledger  http        http://{http}/ledger");
    }
    wait(run.duration).await?;
    plant.hold();
    println!("{}", serde_json::to_string(&plant.ledger())?);
    plant.stop().await;
    Ok(())
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
