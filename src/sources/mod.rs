//! Sources: what reads PLCs. They emit [`Snapshot`]s, also for polls that failed, and know nothing of counting.
//!
//! Modbus devices are polled on a thread of their own, where nothing else can make a poll late; OPC UA servers
//! pace themselves and share a small runtime. Nothing in here can write to a machine: the two clients are locked
//! up in types that can only read.

mod account;
mod alarm;
mod backoff;
mod modbus;
mod opcua;
mod outlet;
mod pace;
pub mod pki;
mod plan;
mod probe;
mod realtime;
mod throttle;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::plc_map::{ModbusOptions, Protocol};
use domain::reading::Snapshot;
use domain::units::StationId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use self::account::Account;
pub use self::account::{GroupPace, Lateness, Paces};
use self::alarm::Alarms;
pub use self::alarm::SourceAlarm;
pub use self::opcua::browse::{BrowseLimits, Found, Shape, Variable};
pub use self::opcua::map_text::{MapHead, map_text};
use self::opcua::standing::Standing;
pub use self::opcua::standing::{GroupStanding, OpcUaStanding};
pub use self::opcua::{BrowseError, browse};
use self::outlet::Outlet;
pub use self::plan::{Plan, PlanError, Request, plan, tags_of};
pub use self::probe::{Probe, ProbeError};
pub use self::realtime::{Scheduling, enter as enter_realtime};
use crate::clock::Clock;
use crate::config::DeviceConfig;

/// What the service's tracing filter should add: the OPC UA library logs every ordinary disconnect as several errors,
/// and whatever an operator can act on is logged by the supervisor here.
pub const QUIET: &str = "opcua_client=off,opcua_core=off,opcua_crypto=off";

/// Where the snapshots of a line go. Full means that the line is behind: the snapshot is dropped and counted.
pub type SnapshotSender = mpsc::Sender<Snapshot>;

/// A device and where its snapshots go.
pub struct Feed {
    /// Position in the line, copied into each snapshot.
    pub device: u16,
    /// How to reach it and what it means.
    pub config: DeviceConfig,
    /// The line's queue.
    pub out: SnapshotSender,
}

/// Running sources.
pub struct Sources {
    accounts: Vec<Arc<Account>>,
    standings: Vec<Arc<Standing>>,
    alarms: Mutex<Option<mpsc::Receiver<SourceAlarm>>>,
    devices: Vec<Handle>,
    threads: Vec<JoinHandle<()>>,
    /// Set by the poll thread when it begins.
    scheduling: Arc<OnceLock<Scheduling>>,
}

/// Why the sources could not be started. A device that cannot be reached is no reason.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A map that no requests can be planned for.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An OPC UA address that is no address.
    #[error("{file}: {address} is not the address of an OPC UA server; write opc.tcp://host:port")]
    Address {
        /// Name of the map's file.
        file: String,
        /// The address found.
        address: String,
    },
    /// The operating system gave no thread, timer or event queue.
    #[error("the {what} cannot be started: {cause}")]
    System {
        /// Which part.
        what: &'static str,
        /// What the system says.
        cause: io::Error,
    },
}

/// What a device's task can be told.
enum Command {
    /// Poll everything once more, deliver it before `deadline` and say whether all of it went out.
    FinalPoll { deadline: Instant, done: oneshot::Sender<bool> },
    /// Close the connection and end.
    Stop,
}

/// A running device, as the owner sees it.
struct Handle {
    station: StationId,
    /// One for each connection.
    commands: Vec<mpsc::Sender<Command>>,
}

/// How a device is named in the log.
#[derive(Clone)]
struct Label {
    station: StationId,
    address: String,
}

impl Label {
    fn of(config: &DeviceConfig) -> Label {
        Label { station: config.map.station.clone(), address: config.address.clone() }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.station, self.address)
    }
}

/// A connection to a Modbus device that is planned and waits for its thread.
struct Planned {
    config: DeviceConfig,
    options: ModbusOptions,
    track: Arc<modbus::Track>,
    groups: Vec<(Plan, Outlet)>,
    commands: mpsc::Receiver<Command>,
}

impl Sources {
    /// Starts to read all devices. Never fails because one of them cannot be reached.
    ///
    /// # Errors
    /// A map that cannot be planned, or a system that gives no thread.
    pub fn start(feeds: Vec<Feed>, clock: Clock) -> Result<Sources, StartError> {
        Sources::start_with_priority(feeds, clock, None)
    }

    /// The same, with this priority of the poll thread under `SCHED_FIFO`, 1 to 99, where the system permits it.
    ///
    /// # Errors
    /// Those of [`Sources::start`]. A priority that is not permitted is none: see [`Sources::scheduling`].
    pub fn start_with_priority(
        feeds: Vec<Feed>,
        clock: Clock,
        realtime_priority: Option<u8>,
    ) -> Result<Sources, StartError> {
        let (raise, alarms) = alarm::channel();
        let mut sources = Sources {
            accounts: Vec::new(),
            standings: Vec::new(),
            alarms: Mutex::new(Some(alarms)),
            devices: Vec::new(),
            threads: Vec::new(),
            scheduling: Arc::default(),
        };
        let (mut polled, mut subscribed) = (Vec::new(), Vec::new());
        let mut tracks = modbus::Tracks::default();
        for (at, feed) in feeds.into_iter().enumerate() {
            let outlets = sources.outlets(&feed, clock);
            let config = feed.config;
            let station = config.map.station.clone();
            let mut handle = Handle { station, commands: Vec::new() };
            match config.map.protocol.clone() {
                Protocol::Modbus(options) => {
                    for groups in connections(&config, &options, outlets)? {
                        let (sender, commands) = mpsc::channel(4);
                        handle.commands.push(sender);
                        let (config, options) = (config.clone(), options.clone());
                        let track = tracks.of(&config.wire);
                        polled.push(Planned { config, options, track, groups, commands });
                    }
                }
                Protocol::OpcUa(options) => {
                    let (sender, commands) = mpsc::channel(4);
                    handle.commands.push(sender);
                    let station = config.map.station.clone();
                    let standing = Arc::new(Standing::new(feed.device, station.clone()));
                    sources.standings.push(standing.clone());
                    let alarms = Alarms::new(at, station, raise.clone());
                    let watch = opcua::Watch { standing, alarms };
                    subscribed.push(opcua::Server::new(
                        config, options, outlets, clock, commands, watch,
                    )?);
                }
            }
            sources.devices.push(handle);
        }
        if !polled.is_empty() {
            let scheduling = (realtime_priority, sources.scheduling.clone());
            sources.threads.push(poll_thread(polled, clock, scheduling)?);
        }
        if !subscribed.is_empty() {
            sources.threads.push(opcua_thread(subscribed)?);
        }
        Ok(sources)
    }

    fn outlets(&mut self, feed: &Feed, clock: Clock) -> Vec<Outlet> {
        let map = &feed.config.map;
        let mut outlets = Vec::new();
        for (at, group) in map.groups.iter().enumerate() {
            let station = map.station.clone();
            let account =
                Arc::new(Account::new(feed.device, station, group.name.clone(), group.period_us));
            self.accounts.push(account.clone());
            outlets.push(Outlet::new(feed.device, at as u16, feed.out.clone(), clock, account));
        }
        outlets
    }

    /// How every group keeps its pace.
    pub fn pace(&self) -> Vec<GroupPace> {
        self.paces().read()
    }

    /// The same to be read later, also when the sources have stopped.
    pub fn paces(&self) -> Paces {
        Paces::new(&self.accounts)
    }

    /// How the poll thread is scheduled; none where no device is polled.
    pub fn scheduling(&self) -> Option<Scheduling> {
        self.scheduling.get().copied()
    }

    /// How each OPC UA server is read.
    pub fn standings(&self) -> Vec<OpcUaStanding> {
        self.standings.iter().map(|standing| standing.read()).collect()
    }

    /// What a person should hear of; none for whoever asks a second time.
    pub fn alarms(&self) -> Option<mpsc::Receiver<SourceAlarm>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Polls every reachable device once more; its snapshots are in the queues of the lines when this returns.
    ///
    /// Returns the stations that did not deliver: unreachable, refusing, or not done within `limit`.
    pub async fn final_poll(&self, limit: Duration) -> Vec<StationId> {
        let deadline = Instant::now() + limit;
        // All are asked before the first is waited for, so that the snapshots are of nearly one moment.
        let mut asked = Vec::new();
        for handle in &self.devices {
            for commands in &handle.commands {
                let (done, answer) = oneshot::channel();
                let sent = commands.try_send(Command::FinalPoll { deadline, done });
                asked.push((&handle.station, sent.is_ok().then_some(answer)));
            }
        }
        let mut failed: Vec<StationId> = Vec::new();
        for (station, answer) in asked {
            let delivered = match answer {
                Some(answer) => tokio::time::timeout_at(deadline, answer).await,
                None => Ok(Ok(false)),
            };
            if !matches!(delivered, Ok(Ok(true))) && failed.last() != Some(station) {
                failed.push(station.clone());
            }
        }
        failed
    }

    /// Closes all connections in order and waits for the threads to end.
    pub async fn stop(self) {
        for commands in self.devices.into_iter().flat_map(|handle| handle.commands) {
            // Fails only if the task has ended already.
            let _ = commands.send(Command::Stop).await;
        }
        for thread in self.threads {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("a thread that reads devices had died");
            }
        }
    }
}

/// The groups of a device with their plans, by the connections that serve them. A group without tags is left out.
fn connections(
    config: &DeviceConfig,
    options: &ModbusOptions,
    outlets: Vec<Outlet>,
) -> Result<Vec<Vec<(Plan, Outlet)>>, PlanError> {
    let mut groups = Vec::new();
    for (outlet, group) in outlets.into_iter().zip(0..) {
        let plan = plan::plan(&config.map, options, group)?;
        if !plan.requests.is_empty() {
            groups.push((plan, outlet));
        }
    }
    let period = |outlet: &Outlet| config.map.groups[usize::from(outlet.group())].period_us;
    let loads: Vec<f64> =
        groups.iter().map(|(plan, o)| plan.requests.len() as f64 / period(o) as f64).collect();
    let taken = plan::spread(&loads, config.wire.connections);
    let mut connections: Vec<Vec<(Plan, Outlet)>> = Vec::new();
    connections.resize_with(taken.iter().max().map_or(1, |most| most + 1), Vec::new);
    for (group, connection) in groups.into_iter().zip(taken) {
        connections[connection].push(group);
    }
    Ok(connections)
}

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |cause| StartError::System { what, cause }
}

/// The thread of all Modbus devices.
fn poll_thread(
    planned: Vec<Planned>,
    clock: Clock,
    (priority, scheduling): (Option<u8>, Arc<OnceLock<Scheduling>>),
) -> Result<JoinHandle<()>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_start(realtime::leave)
        .build()
        .map_err(system("poll runtime"))?;
    let n = planned.len() as f64;
    let mut devices = Vec::new();
    {
        let _inside = runtime.enter();
        for (i, Planned { config, options, track, groups, commands }) in
            planned.into_iter().enumerate()
        {
            let phase = i as f64 / n;
            let device =
                modbus::Device::new(config, options, groups, track, phase, clock, commands);
            devices.push(device.map_err(system("poll timer"))?);
        }
    }
    let all = async move {
        let tasks: Vec<_> = devices.into_iter().map(|device| tokio::spawn(device.run())).collect();
        for task in tasks {
            if let Err(e) = task.await {
                tracing::error!(error = %e, "a device is no longer polled; restart the service");
            }
        }
    };
    std::thread::Builder::new()
        .name("poll".into())
        .spawn(move || {
            // Fails only if it was set before, and this thread alone sets it.
            let _ = scheduling.set(realtime::enter(priority));
            runtime.block_on(all);
            // A name that is still being looked up must not hold up the end of the service.
            runtime.shutdown_background();
        })
        .map_err(system("poll thread"))
}

/// The thread of all OPC UA servers. The supervisors stay on it, and so does the little work of the library.
fn opcua_thread(servers: Vec<opcua::Server>) -> Result<JoinHandle<()>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("OPC UA runtime"))?;
    let all = async move {
        let tasks: Vec<_> =
            servers.into_iter().map(|server| tokio::task::spawn_local(server.run())).collect();
        for task in tasks {
            if let Err(e) = task.await {
                tracing::error!(error = %e, "a server is no longer read; restart the service");
            }
        }
    };
    std::thread::Builder::new()
        .name("opcua".into())
        .spawn(move || {
            tokio::task::LocalSet::new().block_on(&runtime, all);
            runtime.shutdown_background();
        })
        .map_err(system("OPC UA thread"))
}
