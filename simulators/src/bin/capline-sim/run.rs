//! `capline-sim run`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::ValueEnum;
use simulators::{
    Counters, Plant, PlantConfig, Preset, Recorder, Scenario, Table, ignored, length,
    scenario_file, utc_now_us,
};

use super::{SCENARIOS, until_over};

/// Registers are recorded so often, in real time.
const RECORD_EVERY: Duration = Duration::from_millis(10);
/// And brought to the file so often, in microseconds.
const FLUSH_EVERY_US: i64 = 1_000_000;
/// Progress of a scenario is told so often.
const PROGRESS_EVERY_US: i64 = 10_000_000;

#[derive(clap::Args)]
pub(super) struct Run {
    /// A scenario, for its plant and its faults: a file, or a name as `list` shows it.
    scenario: Option<PathBuf>,
    /// Folder of the scenarios that are given by name.
    #[arg(long, default_value = SCENARIOS)]
    folder: PathBuf,
    /// Lines, each with ports and a seed of its own: those given for the first, and the next ones. config/two-lines.toml reads two.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32), conflicts_with = "scenario")]
    lines: u16,
    /// Fillers of each line that work side by side; together they are as fast as one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4), conflicts_with = "scenario")]
    fillers: u32,
    /// Seed of all randomness.
    #[arg(long, default_value_t = 1, conflicts_with = "scenario")]
    seed: u64,
    /// Seconds of plant time in a real second. A service in real time can follow 1 only.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// How well the plant runs.
    #[arg(long, value_enum, default_value_t = PresetName::Good, conflicts_with = "scenario")]
    preset: PresetName,
    /// Shifts of so long from the start on, such as 8h: the fillers stand for ten minutes at each hand-over.
    #[arg(long, value_parser = length)]
    shifts: Option<Duration>,
    /// Address of all machines on Modbus TCP, each a unit.
    #[arg(long, default_value = "127.0.0.1:5020")]
    modbus: SocketAddr,
    /// Address of all machines on OPC UA.
    #[arg(long, default_value = "127.0.0.1:4840")]
    opcua: SocketAddr,
    /// Address of the ledger and the faults (HTTP).
    #[arg(long, default_value = "127.0.0.1:5080")]
    http: SocketAddr,
    /// Stop after this much real time, such as 30s, 5min or 2h.
    #[arg(long, value_parser = length)]
    duration: Option<Duration>,
    /// Folder for the certificates of the OPC UA server.
    #[arg(long)]
    pki: Option<PathBuf>,
    /// Record the registers of all machines of the first line into this file, as CSV.
    #[arg(long)]
    record: Option<PathBuf>,
    /// Make nothing before `POST /resume`, so that a service can be started first; `score --scenario` lets it go.
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
        let scenario = self.load()?;
        let mut plants = Vec::new();
        for nth in 0..self.lines {
            let plant = Plant::start(self.config(scenario.as_ref(), nth)?).await?;
            show(nth + 1, &plant);
            plants.push(plant);
        }
        let first = plants.first().context("there is at least one line")?;
        let inject = scenario.iter().flat_map(|scenario| &scenario.inject);
        inject.for_each(|injection| first.plan(*injection));
        let undone = scenario.iter().flat_map(|scenario| &scenario.service);
        undone.for_each(|fault| eprintln!("{fault}"));
        let mut recorder = self.record.as_deref().map(Recorder::create).transpose()?;
        self.watch(first, scenario.as_ref(), recorder.as_mut()).await?;
        if let (Some(recorder), Some(file)) = (recorder, &self.record) {
            eprintln!("{} rows in {}", recorder.finish()?, file.display());
        }
        for plant in plants {
            plant.hold();
            println!("{}", serde_json::to_string(&plant.ledger())?);
            plant.stop().await;
        }
        Ok(())
    }

    /// The scenario, with a word on what is not done of it.
    fn load(&self) -> anyhow::Result<Option<Scenario>> {
        let Some(name) = &self.scenario else { return Ok(None) };
        let file = scenario_file(name, &self.folder).map_err(anyhow::Error::msg)?;
        let scenario = Scenario::load(&file)?;
        eprintln!("{}: {}", scenario.name, scenario.title);
        let ignored = ignored(&scenario);
        if !ignored.is_empty() {
            eprintln!(
                "  {}: for who judges a service, score --scenario or the tests",
                ignored.join(", ")
            );
        }
        if scenario.speed != self.speed {
            eprintln!("  speed {}: here --speed {} holds", scenario.speed, self.speed);
        }
        Ok(Some(scenario))
    }

    /// What a line is started with.
    fn config(&self, scenario: Option<&Scenario>, nth: u16) -> anyhow::Result<PlantConfig> {
        let defaults = PlantConfig::default();
        let plant = match scenario {
            Some(scenario) => scenario.plant(),
            None => PlantConfig {
                seed: self.seed.wrapping_add(u64::from(nth)),
                preset: self.preset.into(),
                fillers: self.fillers,
                start_counters: Counters::in_use(),
                ..defaults.clone()
            },
        };
        Ok(PlantConfig {
            line: nth.saturating_add(1),
            speed: self.speed,
            shift_us: self.shifts.map(|shift| i64::try_from(shift.as_micros()).unwrap_or(i64::MAX)),
            line_start_us: utc_now_us(),
            modbus_addr: further(self.modbus, nth)?,
            opcua_addr: further(self.opcua, nth)?,
            http_addr: Some(further(self.http, nth)?),
            pki_dir: self.pki.clone().unwrap_or(defaults.pki_dir),
            held: self.held,
            ..plant
        })
    }

    /// Returns at Ctrl-C or SIGTERM, when the time is over, or at the end of the scenario.
    async fn watch(
        &self,
        plant: &Plant,
        scenario: Option<&Scenario>,
        mut recorder: Option<&mut Recorder>,
    ) -> anyhow::Result<()> {
        let began_us = utc_now_us();
        let (mut told_us, mut flushed_us) = (0, began_us);
        let look = || {
            let now_us = plant.plant_us();
            if let Some(recorder) = &mut recorder {
                for image in plant.registers() {
                    recorder.look(&image)?;
                }
                if utc_now_us() - flushed_us >= FLUSH_EVERY_US {
                    recorder.flush()?;
                    flushed_us = utc_now_us();
                }
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
        let (table, addresses) = plant.range(unit);
        let table = match table {
            Table::Holding => "holding",
            Table::Input => "input",
        };
        let (first, last) = (addresses.start(), addresses.end());
        let registers = format!("{table} {first}-{last}");
        println!("  {station}  unit {unit:<2}  {registers:<15}  nodes s={station}.…");
    }
    if let (Some(http), Some(inject)) = (plant.http_addr(), plant.inject_line()) {
        println!("  ledger http://{http}/ledger  all routes http://{http}/");
        println!("  {inject}");
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use clap::error::ErrorKind;

    use crate::Cli;

    /// What a scenario brings along is not given beside it.
    #[test]
    fn what_a_scenario_says_of_its_plant_is_not_said_again() {
        let parses = |more: &[&str]| {
            Cli::try_parse_from(["capline-sim", "run"].iter().chain(more)).map(|_| ())
        };
        for (option, value) in
            [("--fillers", "2"), ("--lines", "2"), ("--seed", "2"), ("--preset", "good")]
        {
            assert!(parses(&[option, value]).is_ok(), "{option}");
            let refused = parses(&["jam", option, value]).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ArgumentConflict, "{option}: {refused}");
        }
        assert!(parses(&["jam", "--held"]).is_ok());
    }
}
