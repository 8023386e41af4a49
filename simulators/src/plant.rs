//! A running plant: the model, its clock and its servers.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::JoinSet,
};

use crate::{
    catalogue::Fault,
    clock::PlantClock,
    config::{Counters, MOST_FILLERS, ModelConfig},
    faults::{Event, FaultSet, Faults},
    http,
    injections::{InjectError, Injection, Injections},
    ledger::Ledger,
    modbus,
    model::{self, Model},
    opcua, registers,
    stops::Preset,
    trace::{Image, Table},
};

/// What a plant is started with.
#[derive(Clone, Debug)]
pub struct PlantConfig {
    /// Number of the line, from 1. Its OPC UA server is named after it.
    pub line: u16,
    /// Seed of all randomness.
    pub seed: u64,
    /// Seconds of plant time in a real second; more than 0.
    pub speed: f64,
    /// How well the plant runs.
    pub preset: Preset,
    /// UTC of plant time 0, in microseconds since 1970.
    pub line_start_us: i64,
    /// Plant time at the start, in microseconds: the plant has already run that long.
    pub start_at_us: i64,
    /// Whether plant time stands still until [`Plant::resume`].
    pub held: bool,
    /// UTC in microseconds that the clocks of the PLCs show at an instant; they go on while plant time is held, as real ones
    /// do with a machine that stands. Without it they show plant time.
    pub plc_clock: Option<(i64, Instant)>,
    /// Address of the Modbus TCP server of all machines; port 0 takes a free one.
    pub modbus_addr: SocketAddr,
    /// Address of the OPC UA server of all machines; port 0 takes a free one.
    pub opcua_addr: SocketAddr,
    /// Address of the HTTP server, if there shall be one; port 0 takes a free one.
    pub http_addr: Option<SocketAddr>,
    /// What the PLC counters show at plant time 0.
    pub start_counters: Counters,
    /// Fillers that work side by side, 1 to 4; together they are as fast as one.
    pub fillers: u32,
    /// Good capsules of a filler after which a batch ends.
    pub batch_size: u64,
    /// Length of a shift in microseconds of plant time, an hour to a day, where there are shifts.
    pub shift_us: Option<i64>,
    /// How often OPC UA nodes are updated, in updates a second of real time.
    pub update_hz: u32,
    /// Folder in which the OPC UA server keeps certificates. It is created.
    pub pki_dir: PathBuf,
}

impl Default for PlantConfig {
    /// A steady plant in real time on free ports of the loopback interface.
    fn default() -> PlantConfig {
        let model = ModelConfig::default();
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        PlantConfig {
            line: 1,
            seed: model.seed,
            speed: 1.0,
            preset: model.preset,
            line_start_us: model.line_start_us,
            start_at_us: 0,
            held: false,
            plc_clock: None,
            modbus_addr: loopback,
            opcua_addr: loopback,
            http_addr: None,
            start_counters: model.start_counters,
            fillers: model.fillers,
            batch_size: model.batch_size,
            shift_us: model.shift_us,
            update_hz: 50,
            pki_dir: std::env::temp_dir().join("capline-sim-pki"),
        }
    }
}

impl PlantConfig {
    /// The part of the configuration that decides what the plant makes.
    pub fn model(&self) -> ModelConfig {
        ModelConfig {
            seed: self.seed,
            preset: self.preset,
            line_start_us: self.line_start_us,
            start_counters: self.start_counters,
            fillers: self.fillers,
            batch_size: self.batch_size,
            shift_us: self.shift_us,
            ..ModelConfig::default()
        }
    }
}

/// Why a plant could not be started.
#[derive(Debug, thiserror::Error)]
pub enum PlantError {
    /// The configuration makes no sense.
    #[error("{0}")]
    Config(String),
    /// A server could not take its address.
    #[error("{server} cannot listen on {addr}: {error}; stop what uses it or choose another port")]
    Listen {
        /// The server.
        server: &'static str,
        /// The address from the configuration.
        addr: SocketAddr,
        /// What the system said; the message has it already, so it is no source.
        error: io::Error,
    },
    /// A socket that listens could not be used.
    #[error("a listening socket failed: {0}")]
    Socket(io::Error),
    /// The OPC UA server could not be built.
    #[error("the OPC UA server cannot be built: {0}")]
    OpcUa(String),
}

/// What the servers share.
pub(crate) struct Core {
    model: Mutex<Model>,
    /// Modbus units of the machines.
    pub(crate) units: Vec<u8>,
    pub(crate) clock: PlantClock,
    /// What the clocks of the PLCs showed at an instant, if they do not show plant time.
    plc_clock: Option<(i64, Instant)>,
    pub(crate) faults: Faults,
    pub(crate) injections: Injections,
    pub(crate) write_attempts: AtomicU64,
    /// Plant time of the values that the OPC UA nodes have.
    pub(crate) pushed_us: watch::Sender<i64>,
}

impl Core {
    /// Shows the model at the present plant time.
    pub(crate) fn at_now<T>(&self, look: impl FnOnce(&Model) -> T) -> T {
        let mut model = self.model();
        // The clock is read under the lock, so that no later reader sees an earlier plant.
        model.advance_to(self.clock.now_us());
        if let Some((utc_us, at)) = self.plc_clock {
            let passed_us = at.elapsed().as_secs_f64() * 1e6 * self.clock.speed();
            model.show_clock(utc_us + passed_us as i64);
        }
        if self.faults.take_restart() {
            model.restart_plc();
        }
        look(&model)
    }

    /// The switches and the injections that are on now.
    pub(crate) fn faults_now(&self) -> FaultSet {
        self.injections.over(self.faults.get(), self.clock.now_us())
    }

    /// Plans a fault, see [`Plant::inject`], and says when it begins in truth.
    pub(crate) fn inject(&self, injection: Injection) -> Injection {
        // One that was to begin before begins now and lasts as long.
        let late_us = self.clock.now_us().saturating_sub(injection.from_us).max(0);
        let injection = Injection {
            from_us: injection.from_us.saturating_add(late_us),
            until_us: injection.until_us.map(|us| us.saturating_add(late_us)),
            ..injection
        };
        self.model().inject(injection);
        self.injections.add(injection);
        self.strike();
        injection
    }

    /// Ends a fault; see [`Plant::withdraw`].
    pub(crate) fn withdraw(&self, fault: Fault) -> usize {
        let now_us = self.at_now(|model| model.plant_us());
        self.model().withdraw(fault);
        self.injections.withdraw(fault, now_us)
    }

    /// Brings about what begins now and is no part of the model.
    fn strike(&self) {
        for injection in self.injections.take_due(self.clock.now_us()) {
            match injection.fault {
                Fault::CommsLoss | Fault::PlcRestart => self.faults.trigger(Event::DropConnections),
                Fault::SessionLoss => self.faults.trigger(Event::DropSessions),
                Fault::ZeroGlitch => self.faults.flash_to_zero(injection.value as u32),
                _ => {}
            }
        }
    }

    /// Waits for the beginning of each injection, for ever.
    async fn strike_in_time(self: Arc<Core>) {
        loop {
            let ahead_us = self.injections.next_us().map(|us| us - self.clock.now_us());
            let real_us = ahead_us.map_or(f64::INFINITY, |us| us as f64 / self.clock.speed());
            // Plant time can be held and let go meanwhile, so no wait is long.
            let wait = Duration::from_secs_f64((real_us / 1e6).clamp(0.001, 0.05));
            match ahead_us {
                Some(_) => tokio::time::sleep(wait).await,
                None => self.injections.changed.notified().await,
            }
            self.strike();
        }
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("nothing panics while it advances the model")
    }
}

/// A plant with its servers. It ends when it is stopped or dropped.
pub struct Plant {
    core: Arc<Core>,
    tasks: JoinSet<()>,
    modbus_addr: SocketAddr,
    opcua_addr: SocketAddr,
    http_addr: Option<SocketAddr>,
}

impl Plant {
    /// Runs the plant up to `start_at_us` and opens its servers. When this returns, clients can
    /// connect.
    pub async fn start(config: PlantConfig) -> Result<Plant, PlantError> {
        check(&config)?;
        let modbus_listener = listen("the Modbus server", config.modbus_addr)?;
        let opcua_listener = listen("the OPC UA server", config.opcua_addr)?;
        let http_listener =
            config.http_addr.map(|addr| listen("the HTTP server", addr)).transpose()?;
        let local_addr = |listener: &TcpListener| listener.local_addr().map_err(PlantError::Socket);
        let modbus_addr = local_addr(&modbus_listener)?;
        let opcua_addr = local_addr(&opcua_listener)?;
        let http_addr = http_listener.as_ref().map(local_addr).transpose()?;

        let model = run_up(config.model(), config.start_at_us).await;
        let core = Arc::new(Core {
            units: model.units(),
            model: Mutex::new(model),
            plc_clock: config.plc_clock,
            clock: PlantClock::new(config.start_at_us, config.speed, config.held),
            faults: Faults::default(),
            injections: Injections::default(),
            write_attempts: AtomicU64::new(0),
            pushed_us: watch::Sender::new(i64::MIN),
        });
        let options = opcua::Options {
            line: config.line,
            pki_dir: config.pki_dir,
            push_every: Duration::from_secs(1) / config.update_hz,
        };
        let opcua_listener = opcua_listener.into_std().map_err(PlantError::Socket)?;
        let plc = opcua::Plc::new(Arc::clone(&core), opcua_listener, options)?;

        let mut tasks = JoinSet::new();
        tasks.spawn(modbus::serve(Arc::clone(&core), modbus_listener));
        tasks.spawn(plc.serve());
        tasks.spawn(Arc::clone(&core).strike_in_time());
        if let Some(listener) = http_listener {
            tasks.spawn(http::serve(Arc::clone(&core), listener));
        }
        Ok(Plant { core, tasks, modbus_addr, opcua_addr, http_addr })
    }

    /// Address of the Modbus TCP server.
    pub fn modbus_addr(&self) -> SocketAddr {
        self.modbus_addr
    }

    /// Address of the OPC UA server.
    pub fn opcua_addr(&self) -> SocketAddr {
        self.opcua_addr
    }

    /// URL of the OPC UA server.
    pub fn opcua_url(&self) -> String {
        opcua::url(self.opcua_addr)
    }

    /// Address of the HTTP server, if there is one.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http_addr
    }

    /// Stops plant time. The servers go on and show the plant as it stands, so that what a
    /// client has read can be compared with the ledger to the capsule.
    pub fn hold(&self) {
        self.core.clock.hold();
    }

    /// Waits until the OPC UA nodes show the plant as it stands now. They follow it only so often, unlike registers, which
    /// are made when they are read; on a busy machine that takes a while.
    pub async fn shown(&self) {
        let now_us = self.core.clock.now_us();
        // The sender is in the core, which lives as long as the plant.
        let _ = self.core.pushed_us.subscribe().wait_for(|pushed_us| *pushed_us >= now_us).await;
    }

    /// Lets plant time run again.
    pub fn resume(&self) {
        self.core.clock.resume();
    }

    /// The exact account at the present plant time.
    pub fn ledger(&self) -> Ledger {
        self.core.at_now(|model| model.ledger())
    }

    /// All registers as the PLCs hold them at one plant time. What faults make of answers is not in them.
    pub fn registers(&self) -> Vec<Image> {
        self.core.at_now(|model| {
            let of_unit = |unit: &u8| {
                let (unit, (table, exists)) = (*unit, registers::range(*unit));
                let all = match table {
                    Table::Holding => model.holding_registers(unit),
                    Table::Input => model.input_registers(unit),
                };
                let values = all.get(exists.clone()).unwrap_or_default().to_vec();
                Image { at_us: model.plant_us(), unit, table, first: exists.start as u16, values }
            };
            self.core.units.iter().map(of_unit).collect()
        })
    }

    /// Plant time, in microseconds.
    pub fn plant_us(&self) -> i64 {
        self.core.clock.now_us()
    }

    /// The switches for faults.
    pub fn faults(&self) -> &Faults {
        &self.core.faults
    }

    /// Lets a fault strike now, for so long of plant time in microseconds and with this value; without them as the
    /// catalogue has it, and a switch until it is withdrawn.
    ///
    /// # Errors
    /// The plant cannot do this, or the figures are out of what the fault takes.
    pub fn inject(
        &self,
        fault: Fault,
        for_us: Option<i64>,
        value: Option<f64>,
    ) -> Result<Injection, InjectError> {
        let injection = Injection::new(fault, self.plant_us(), for_us, value)?;
        Ok(self.core.inject(injection))
    }

    /// Lets a fault strike at its plant time; at once, and as long, where that is over.
    pub fn plan(&self, injection: Injection) {
        self.core.inject(injection);
    }

    /// Ends a fault that is on, and forgets those of its kind that are still to come. How many that were.
    pub fn withdraw(&self, fault: Fault) -> usize {
        self.core.withdraw(fault)
    }

    /// The truth about all faults that were injected or are planned: which, from when, until when.
    pub fn injected(&self) -> Vec<Injection> {
        self.core.injections.all()
    }

    /// The machines of the line: the Modbus unit of each and the station in front of its tags.
    pub fn machines(&self) -> Vec<(u8, String)> {
        self.core.units.iter().map(|&unit| (unit, model::station(unit))).collect()
    }

    /// The registers that a Modbus unit has: which kind, and the addresses of the first and of the last.
    pub fn range(&self, unit: u8) -> (Table, std::ops::RangeInclusive<u16>) {
        let (table, exists) = registers::range(unit);
        (table, exists.start as u16..=(exists.end - 1) as u16)
    }

    /// A line for a shell that lets a fault strike over HTTP, ready to be changed; none without that server.
    pub fn inject_line(&self) -> Option<String> {
        self.http_addr.map(http::inject_line)
    }

    /// How many Modbus requests tried to write. All were refused.
    pub fn write_attempts(&self) -> u64 {
        self.core.write_attempts.load(Ordering::Relaxed)
    }

    /// Closes all servers and waits for their tasks.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// How long a shift can be.
const SHIFT_US: std::ops::RangeInclusive<i64> = 3_600_000_000..=86_400_000_000;

fn check(config: &PlantConfig) -> Result<(), PlantError> {
    let fault = if !(config.speed > 0.0 && config.speed <= 100_000.0) {
        format!("speed {}: a speed between 0 and 100000 is needed", config.speed)
    } else if !(1..=1_000).contains(&config.update_hz) {
        format!("update_hz {}: between 1 and 1000 updates a second are possible", config.update_hz)
    } else if !(1..=MOST_FILLERS).contains(&config.fillers) {
        format!("fillers {}: 1 to {MOST_FILLERS} can work side by side", config.fillers)
    } else if let Some(shift_us) = config.shift_us.filter(|us| !SHIFT_US.contains(us)) {
        format!("a shift of {} s: it lasts from an hour to a day", shift_us / 1_000_000)
    } else if config.start_at_us < 0 {
        format!("start_at_us {}: a plant cannot start before its time 0", config.start_at_us)
    } else {
        return Ok(());
    };
    Err(PlantError::Config(fault))
}

/// A month takes seconds, which must not hold up other tasks.
async fn run_up(config: ModelConfig, start_at_us: i64) -> Model {
    let run = move || {
        let mut model = Model::new(config);
        model.advance_to(start_at_us);
        model
    };
    tokio::task::spawn_blocking(run).await.expect("the model does not panic")
}

fn listen(server: &'static str, addr: SocketAddr) -> Result<TcpListener, PlantError> {
    let open = || {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        // Linux hands this on to every accepted connection. The OPC UA server accepts on its own
        // and does not set it, which would cost up to 40 ms a message.
        socket.set_nodelay(true)?;
        socket.bind(addr)?;
        socket.listen(128)
    };
    open().map_err(|error| PlantError::Listen { server, addr, error })
}
