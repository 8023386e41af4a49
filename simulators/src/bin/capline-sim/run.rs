//! `capline-sim run`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::ValueEnum;
use simulators::{Counters, Plant, PlantConfig, Preset, Recorder, Scenario, Table, utc_now_us};

use super::{seconds, until_over};

/// Registers are recorded so often, in real time.
const RECORD_EVERY: Duration = Duration::from_millis(10);
/// Progress of a scenario is told so often.
const PROGRESS_EVERY_US: i64 = 10_000_000;

#[derive(clap::Args)]
pub(super) struct Run {
    /// A scenario file, for its plant and its faults.
    scenario: Option<PathBuf>,
    /// Seed of all randomness.
    #[arg(long, default_value_t = 1, conflicts_with = "scenario")]
    seed: u64,
    /// Seconds of plant time in a real second. A service in real time can follow 1 only.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// How well the plant runs.
    #[arg(long, value_enum, default_value_t = PresetName::Good, conflicts_with = "scenario")]
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
    /// Record the registers of the filler into this file, as CSV.
    #[arg(long)]
    record: Option<PathBuf>,
    /// Make nothing before `POST /resume`, so that a service can be started first.
    #[arg(long)]
    held: bool,
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

impl Run {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let scenario = self.scenario.as_deref().map(Scenario::load).transpose()?;
        let plant = Plant::start(self.config(scenario.as_ref())).await?;
        println!("CF01    modbus tcp  {}  unit 1", plant.modbus_addr());
        println!("CW04    opc ua      {}", plant.opcua_url());
        if let Some(http) = plant.http_addr() {
            println!("ledger  http        http://{http}/ledger");
        }
        let inject = scenario.iter().flat_map(|scenario| &scenario.inject);
        inject.for_each(|injection| plant.plan(*injection));
        let mut recorder = self.record.as_deref().map(Recorder::create).transpose()?;
        self.watch(&plant, scenario.as_ref(), recorder.as_mut()).await?;
        plant.hold();
        if let (Some(recorder), Some(file)) = (recorder, &self.record) {
            eprintln!("{} rows in {}", recorder.finish()?, file.display());
        }
        println!("{}", serde_json::to_string(&plant.ledger())?);
        plant.stop().await;
        Ok(())
    }

    fn config(&self, scenario: Option<&Scenario>) -> PlantConfig {
        let defaults = PlantConfig::default();
        let plant = match scenario {
            Some(scenario) => scenario.plant(),
            None => PlantConfig {
                seed: self.seed,
                preset: self.preset.into(),
                start_counters: Counters::in_use(),
                ..defaults.clone()
            },
        };
        PlantConfig {
            speed: self.speed,
            line_start_us: utc_now_us(),
            modbus_addr: self.modbus,
            opcua_addr: self.opcua,
            http_addr: Some(self.http),
            pki_dir: self.pki.clone().unwrap_or(defaults.pki_dir),
            held: self.held,
            ..plant
        }
    }

    /// Returns at Ctrl-C, when the time is over, or at the end of the scenario.
    async fn watch(
        &self,
        plant: &Plant,
        scenario: Option<&Scenario>,
        mut recorder: Option<&mut Recorder>,
    ) -> anyhow::Result<()> {
        let began_us = utc_now_us();
        let mut told_us = 0;
        let look = || {
            let now_us = plant.plant_us();
            if let Some(recorder) = &mut recorder {
                let (at_us, registers) = plant.registers(1);
                recorder.look(at_us, 1, Table::Holding, &registers)?;
            }
            if let Some(scenario) = scenario
                && now_us >= told_us
            {
                told_us = now_us + PROGRESS_EVERY_US;
                let length_s = scenario.length_us / 1_000_000;
                eprintln!("{}: {} s of {length_s} s", scenario.name, now_us / 1_000_000);
            }
            let passed_us = u128::try_from(utc_now_us() - began_us).unwrap_or(0);
            let is_over = self.duration.is_some_and(|duration| passed_us >= duration.as_micros());
            Ok(is_over || scenario.is_some_and(|scenario| now_us >= scenario.length_us))
        };
        until_over(RECORD_EVERY, look).await
    }
}
