//! `capline demo`: a simulated plant inside this process, and the service pointed at it.
//!
//! The plant is a pure function of its seed and of plant time. After an end of any kind it is wound forward to the
//! present, so that it went on making capsules while nobody looked, as a real one does. When a demo begins, its plant
//! has already run for some hours, see [`history`].

mod history;
mod sim;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use domain::units::Count;
use serde::{Deserialize, Serialize};
use simulators::{Counters, ModelConfig, Plant, PlantConfig, Preset};
use tokio::sync::{Mutex, mpsc};

use crate::clock::Clock;
use crate::config::{Config, Wire};
use crate::historian::Historian;
use crate::service::{self, Service, open_historian};
pub use history::Progress;
pub use sim::Rerun;
use sim::SimDesk;

/// Key of the journal under which a demo keeps what its plant was started with.
const SETTING: &str = "demo";

/// How well the demo's plant runs.
const PRESET: Preset = Preset::Good;

/// How long the demo waits for the first reading of every simulated counter before capsules are made.
const FIRST_READING: Duration = Duration::from_secs(10);

/// How long the plant has run before the first look, unless told otherwise.
pub const HISTORY: Duration = Duration::from_secs(12 * 3_600);

/// Which machines of the simulated line a demo reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Machines {
    /// The filler and the checkweigher.
    #[default]
    Two,
    /// All five: polisher, metal detector and bottle counter too.
    All,
}

impl std::str::FromStr for Machines {
    type Err = String;

    fn from_str(word: &str) -> Result<Machines, String> {
        match word {
            "two" => Ok(Machines::Two),
            "all" => Ok(Machines::All),
            _ => Err(format!("{word} is not known; write two or all")),
        }
    }
}

/// What a demo is started with.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Where the screens are served.
    pub listen: SocketAddr,
    /// Journal directory; none takes a fresh one that is deleted at the end.
    pub data: Option<PathBuf>,
    /// Seed of the plant.
    pub seed: u64,
    /// Line seconds in a real second.
    pub speed: f64,
    /// How long the plant has run before the demo, about; 0 for a plant that is only started with it.
    pub history: Duration,
    /// Which machines are read.
    pub machines: Machines,
}

impl DemoOptions {
    /// The demo of seed 1 in real time, on a free port of this machine, with a journal that is deleted at the end.
    pub fn new() -> DemoOptions {
        DemoOptions {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: None,
            seed: 1,
            speed: 1.0,
            history: HISTORY,
            machines: Machines::default(),
        }
    }
}

impl Default for DemoOptions {
    fn default() -> DemoOptions {
        DemoOptions::new()
    }
}

/// What the plant was first started with.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq)]
struct Origin {
    seed: u64,
    line_start_us: i64,
    /// Good capsules of the history before the demo. They are counted, but no part of the summary.
    before: u64,
    /// How long the plant was held at its starts while the line's clock went on: plant time is that much behind it.
    #[serde(default)]
    held_us: i64,
}

/// The last line of a demo: what was made against what was counted, since it was first started.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Good capsules in the ledger of the simulator.
    pub made: u64,
    /// Good capsules that the service counted.
    pub counted: Counted,
    /// Polls that brought readings.
    pub polls: u64,
    /// Polls that brought none.
    pub missed_polls: u64,
}

/// A count with its doubt, in JSON.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Counted {
    /// Best supported value.
    pub best: u64,
    /// The least it can be.
    pub low: u64,
    /// The most it can be.
    pub high: u64,
}

impl From<Count> for Counted {
    fn from(count: Count) -> Counted {
        Counted { best: count.best(), low: count.low(), high: count.high() }
    }
}

/// A running demo.
pub struct Demo {
    plant: Arc<Plant>,
    service: Service,
    /// Other runs that somebody asks for on a screen.
    reruns: Mutex<mpsc::Receiver<Rerun>>,
    /// Good capsules of the history.
    before: u64,
    // Deleted when the demo is dropped.
    _scratch: Option<tempfile::TempDir>,
}

impl Demo {
    /// Starts the plant and the service.
    ///
    /// # Errors
    /// One sentence: port in use, directory unwritable, a data directory of another seed.
    pub async fn start(options: &DemoOptions) -> anyhow::Result<Demo> {
        Demo::start_telling(options, &|_| ()).await
    }

    /// The same, and tells how far it is with the history, some times for each hour of it.
    ///
    /// # Errors
    /// As [`Demo::start`].
    pub async fn start_telling(
        options: &DemoOptions,
        tell: &(dyn Fn(Progress) + Sync),
    ) -> anyhow::Result<Demo> {
        let scratch = match options.data {
            Some(_) => None,
            None => Some(
                tempfile::tempdir()
                    .context("no directory for the journal can be made; give one with --data")?,
            ),
        };
        let data = options.data.clone().or(scratch.as_ref().map(|dir| dir.path().to_owned()));
        let mut config = built_in(options.machines)?;
        if !options.listen.ip().is_loopback() {
            bail!(
                "a demo lets everybody in and is served on this machine alone; {} is seen from the network",
                options.listen
            );
        }
        config.web.listen = options.listen;
        config.data = data.context("a demo has a data directory")?;
        // Better refused now than after the history.
        drop(service::bind(config.web.listen).await?);
        let historian = open_historian(&config)?;
        let stored = stored_origin(&config, &historian, options.seed)?;
        let begun = match (stored, last_tick_us(&config, &historian)?) {
            (Some(origin), Some(last)) => go_on(origin, last, options.speed),
            // An end before the first tick left a plant of which nothing is counted: it begins anew.
            _ => begin(&config, &historian, options, tell).await?,
        };
        let Begun { mut origin, clock, plant_us } = begun;
        let line = config.lines.first().context("a demo has one line")?.id.clone();
        let plant = Plant::start(PlantConfig {
            seed: origin.seed,
            speed: options.speed,
            preset: PRESET,
            line_start_us: origin.line_start_us,
            start_at_us: plant_us,
            start_counters: Counters::in_use(),
            held: true,
            // The plant waits for its readers, and is behind the clock of the line by that for good. Its PLCs are not: nobody
            // has set their clocks wrong.
            plc_clock: Some((clock.now().utc_us, Instant::now())),
            pki_dir: config.data.join("sim-pki"),
            ..PlantConfig::default()
        })
        .await?;
        point_at(&mut config, &plant);
        let plant = Arc::new(plant);
        let (rerun, reruns) = mpsc::channel(1);
        let known = (origin, no_reset(options));
        let sim = SimDesk::new(
            &plant,
            clock,
            (line, sim::counters(&config)),
            historian.clone(),
            known,
            rerun,
        );
        let sim = Arc::new(sim);
        let service =
            Service::start_simulated(&config, clock, historian.clone(), sim.clone()).await?;
        // Capsules are made only once every counter has its first value: what is made is what can be counted.
        if !service.all_counting(FIRST_READING).await {
            tracing::warn!(
                "not every simulated counter was read; its counts begin with its first reading"
            );
        }
        origin.held_us = clock.now().utc_us - origin.line_start_us - plant.plant_us();
        set_origin(&historian, origin)?;
        sim.begin(origin);
        plant.resume();
        tokio::spawn(sim.watch());
        let reruns = Mutex::new(reruns);
        Ok(Demo { plant, service, reruns, before: origin.before, _scratch: scratch })
    }

    /// Waits until somebody asks for another run on a screen.
    pub async fn rerun(&self) -> Rerun {
        match self.reruns.lock().await.recv().await {
            Some(rerun) => rerun,
            // Nobody is left who could ask.
            None => std::future::pending().await,
        }
    }

    /// Where the screens are served.
    pub fn addr(&self) -> SocketAddr {
        self.service.addr()
    }

    /// Holds the plant, counts what it made to the last capsule, and stops.
    ///
    /// # Errors
    /// The journal could not take the last ticks.
    pub async fn stop(self) -> anyhow::Result<Summary> {
        self.plant.hold();
        let made = self.plant.ledger().made - self.before;
        let lines = self.service.stop().await?;
        // Otherwise a request is still looking at it, and it ends with that.
        if let Some(plant) = Arc::into_inner(self.plant) {
            plant.stop().await;
        }
        let line = lines.first().context("a demo has one line")?;
        Ok(Summary {
            made,
            // What the filler did not tell at the end is in neither of the two, and may have been made.
            counted: (line.counted + line.unseen).since(Count::exact(self.before)).into(),
            polls: line.polls,
            missed_polls: line.missed_polls,
        })
    }
}

/// The configuration of the demo and its maps, built into the binary.
pub(crate) fn built_in(machines: Machines) -> anyhow::Result<Config> {
    let (file, text) = match machines {
        Machines::Two => ("config/demo.toml", include_str!("../../config/demo.toml")),
        Machines::All => ("config/line.toml", include_str!("../../config/line.toml")),
    };
    let read = |path: &Path| {
        let map = match path.file_name().and_then(|name| name.to_str()) {
            Some("cf01-modbus.toml") => include_str!("../../plc-maps/cf01-modbus.toml"),
            Some("ps02-modbus.toml") => include_str!("../../plc-maps/ps02-modbus.toml"),
            Some("md03-modbus.toml") => include_str!("../../plc-maps/md03-modbus.toml"),
            Some("cw04-opcua.toml") => include_str!("../../plc-maps/cw04-opcua.toml"),
            Some("bc05-modbus.toml") => include_str!("../../plc-maps/bc05-modbus.toml"),
            _ => return Err(std::io::Error::other("not built in")),
        };
        Ok(map.to_owned())
    };
    Ok(Config::parse(file, text, Path::new("config"), &read)?)
}

/// Why a demo cannot begin anew: what its journal holds is kept, and belongs to one seed.
fn no_reset(options: &DemoOptions) -> Option<String> {
    let kept = options.data.as_ref()?;
    Some(format!(
        "the journal in {} is kept and belongs to this seed; start another demo with another --data",
        kept.display()
    ))
}

/// Fills in where the simulated machines listen.
fn point_at(config: &mut Config, plant: &Plant) {
    for device in config.lines.iter_mut().flat_map(|line| &mut line.devices) {
        if device.address.starts_with("opc.tcp") {
            device.address = plant.opcua_url();
        } else {
            device.address = plant.modbus_addr().to_string();
            device.wire = Wire::tcp(&device.address);
        }
    }
}

/// How a demo begins or goes on.
struct Begun {
    origin: Origin,
    clock: Clock,
    /// Plant time at which the plant is started.
    plant_us: i64,
}

/// What an earlier demo in this directory was started with, if there was one.
fn stored_origin(
    config: &Config,
    historian: &Historian,
    seed: u64,
) -> anyhow::Result<Option<Origin>> {
    let Some(stored) = historian.setting(SETTING)? else {
        if last_tick_us(config, historian)?.is_some() {
            bail!(
                "the data directory holds the journal of a real line; give the demo another one with --data"
            );
        }
        return Ok(None);
    };
    let origin: Origin = serde_json::from_str(&stored)
        .context("what the demo stored cannot be read; give another --data")?;
    if origin.seed != seed {
        bail!(
            "the data directory was recorded with --seed {}; use that seed or another --data",
            origin.seed
        );
    }
    Ok(Some(origin))
}

/// Goes on at the present, but never before what the journal holds: an accelerated demo may have run ahead of it.
fn go_on(origin: Origin, last_us: i64, speed: f64) -> Begun {
    let ahead_us = (last_us - Clock::real().now().utc_us).max(0);
    let clock = clock(ahead_us, speed);
    // Without the time it was held, the plant would have jumped ahead of its clock, faster than any machine can run.
    let plant_us = clock.now().utc_us - origin.line_start_us - origin.held_us;
    Begun { origin, clock, plant_us }
}

/// Starts a plant some hours ago and records what it did until now.
async fn begin(
    config: &Config,
    historian: &Historian,
    options: &DemoOptions,
    tell: &(dyn Fn(Progress) + Sync),
) -> anyhow::Result<Begun> {
    let seed = options.seed;
    let model = ModelConfig {
        seed,
        preset: PRESET,
        start_counters: Counters::in_use(),
        ..ModelConfig::default()
    };
    let wanted_us = options.history.as_micros() as i64;
    let length_us = if wanted_us == 0 { 0 } else { history::length_us(model, wanted_us, tell) };
    let clock = clock(0, options.speed);
    let line_start_us = clock.now().utc_us - length_us;
    let mut origin = Origin { seed, line_start_us, before: 0, held_us: 0 };
    set_origin(historian, origin)?;
    if length_us == 0 {
        return Ok(Begun { origin, clock, plant_us: 0 });
    }
    let line = config.lines.first().context("a demo has one line")?;
    let config = ModelConfig { line_start_us, ..model };
    let model = history::record(config, line, historian, &clock, tell).await?;
    origin.before = model.ledger().made;
    set_origin(historian, origin)?;
    Ok(Begun { origin, clock, plant_us: model.plant_us() })
}

fn set_origin(historian: &Historian, origin: Origin) -> anyhow::Result<()> {
    Ok(historian.set_setting(SETTING, &serde_json::to_string(&origin)?)?)
}

fn clock(ahead_us: i64, speed: f64) -> Clock {
    match speed == 1.0 && ahead_us == 0 {
        true => Clock::real(),
        false => Clock::accelerated(ahead_us, speed),
    }
}

fn last_tick_us(config: &Config, historian: &Historian) -> anyhow::Result<Option<i64>> {
    let mut last = None;
    for line in &config.lines {
        last = last.max(historian.resume(&line.id, i64::MAX)?.last_tick.map(|at| at.utc_us));
    }
    Ok(last)
}
