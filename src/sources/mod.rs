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
mod start;
mod throttle;
mod worker;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use domain::reading::Snapshot;
use domain::units::{LineId, StationId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use self::account::Account;
pub use self::account::{GroupPace, Lateness, Paces};
pub use self::alarm::SourceAlarm;
pub use self::opcua::browse::{BrowseLimits, Found, Shape, Variable};
pub use self::opcua::map_text::{MapHead, map_text};
use self::opcua::standing::Standing;
pub use self::opcua::standing::{GroupStanding, OpcUaStanding};
pub use self::opcua::{BrowseError, browse};
pub use self::plan::{Plan, PlanError, Request, plan, tags_of};
pub use self::probe::{Probe, ProbeError};
pub use self::realtime::{Scheduling, enter as enter_realtime};
use self::worker::Worker;
use crate::clock::Clock;
use crate::config::DeviceConfig;

/// What the service's tracing filter should add: the OPC UA library logs every ordinary disconnect as several errors,
/// and whatever an operator can act on is logged by the supervisor here.
pub const QUIET: &str = "opcua_client=off,opcua_core=off,opcua_crypto=off";

/// Where the snapshots of a line go. Full means that the line is behind: the snapshot is dropped and counted.
pub type SnapshotSender = mpsc::Sender<Snapshot>;

/// A device and where its snapshots go.
pub struct Feed {
    /// Its line.
    pub line: LineId,
    /// Its number in the line, copied into each snapshot. One that is read anew gets another, so that nobody mistakes its
    /// last snapshots for its first.
    pub device: u16,
    /// How to reach it and what it means.
    pub config: DeviceConfig,
    /// The line's queue.
    pub out: SnapshotSender,
}

/// Which device is meant: the line and the number of its [`Feed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its line.
    pub line: LineId,
    /// Its number in the line.
    pub device: u16,
}

/// Running sources. Devices can be added and taken away without any other noticing.
pub struct Sources {
    clock: Clock,
    raise: mpsc::Sender<SourceAlarm>,
    /// Priority of the poll thread that is wanted, and how it is scheduled once it has begun.
    priority: (Option<u8>, Arc<OnceLock<Scheduling>>),
    alarms: Mutex<Option<mpsc::Receiver<SourceAlarm>>>,
    running: Mutex<Running>,
}

/// What runs at the moment.
#[derive(Default)]
struct Running {
    devices: Vec<Handle>,
    tracks: modbus::Tracks,
    polled: Option<Worker>,
    subscribed: Option<Worker>,
    /// Modbus connections started so far, which decides the phase of the next.
    n_polled: u32,
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
    place: Place,
    station: StationId,
    /// One for each connection.
    commands: Vec<mpsc::Sender<Command>>,
    /// One for each connection; it answers when the task has ended.
    ended: Vec<oneshot::Receiver<()>>,
    accounts: Vec<Arc<Account>>,
    standing: Option<Arc<Standing>>,
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

/// How long a device that is taken away may finish what it is doing. It ends by itself after that.
const LEAVE: Duration = Duration::from_secs(3);

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
        let (alarms, running) = (Mutex::new(Some(alarms)), Mutex::default());
        let priority = (realtime_priority, Arc::default());
        let sources = Sources { clock, raise, priority, alarms, running };
        sources.add(feeds)?;
        Ok(sources)
    }

    /// Whether a device could be started, without touching it.
    ///
    /// # Errors
    /// A map that cannot be planned, or an address that is none.
    pub fn check(config: &DeviceConfig, clock: Clock) -> Result<(), StartError> {
        let (out, _) = mpsc::channel(1);
        let (raise, _) = alarm::channel();
        let feed = Feed { line: LineId::new(""), device: 0, config: config.clone(), out };
        start::plan(feed, &mut modbus::Tracks::default(), &raise, clock).map(drop)
    }

    /// Starts to read more devices: all of them, or none.
    ///
    /// # Errors
    /// See [`Sources::start`].
    pub fn add(&self, feeds: Vec<Feed>) -> Result<(), StartError> {
        let mut running = self.running();
        let plan = |feed| start::plan(feed, &mut running.tracks, &self.raise, self.clock);
        let planned = feeds.into_iter().map(plan).collect::<Result<Vec<_>, StartError>>()?;
        // What was started before another could not be ends by itself: its commands come from nowhere then.
        let mut handles = start::run(planned, &mut running, (self.clock, &self.priority))?;
        running.devices.append(&mut handles);
        Ok(())
    }

    /// Takes devices away: closes their connections and waits until nothing of theirs can come any more. Their last
    /// snapshots are in the queues of their lines when this returns.
    pub async fn remove(&self, places: &[Place]) {
        let mut gone: Vec<Handle> = {
            let mut running = self.running();
            let is_gone = |handle: &mut Handle| places.contains(&handle.place);
            running.devices.extract_if(.., is_gone).collect()
        };
        let end = async {
            for handle in &gone {
                handle.stop().await;
            }
            for ended in gone.iter_mut().flat_map(|handle| &mut handle.ended) {
                // Nothing is ever sent: the other end is dropped with the task.
                let _ = ended.await;
            }
        };
        if tokio::time::timeout(LEAVE, end).await.is_err() {
            let stations: Vec<&StationId> = gone.iter().map(|handle| &handle.station).collect();
            tracing::warn!(?stations, "a device that is read no more takes long to let go");
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        // Lists of handles have no half-made state that a panic elsewhere could leave.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How every group keeps its pace.
    pub fn pace(&self) -> Vec<GroupPace> {
        self.paces().read()
    }

    /// The same to be read later, also when the sources have stopped.
    pub fn paces(&self) -> Paces {
        Paces::new(self.accounts())
    }

    /// The accounts of all groups, which outlive their devices.
    fn accounts(&self) -> Vec<Arc<Account>> {
        self.running().devices.iter().flat_map(|handle| handle.accounts.clone()).collect()
    }

    /// How the poll thread is scheduled; none where no device is polled.
    pub fn scheduling(&self) -> Option<Scheduling> {
        self.priority.1.get().copied()
    }

    /// How each OPC UA server is read.
    pub fn standings(&self) -> Vec<OpcUaStanding> {
        let running = self.running();
        let standings = running.devices.iter().filter_map(|handle| handle.standing.as_ref());
        standings.map(|standing| standing.read()).collect()
    }

    /// What a person should hear of; none for whoever asks a second time.
    pub fn alarms(&self) -> Option<mpsc::Receiver<SourceAlarm>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Polls every device once more; its snapshots are in the queues of the lines when this returns. A device that is away
    /// for a moment is connected to within `limit`: what it made since its last reading would be missing otherwise.
    ///
    /// Returns the stations, each with its line, that did not deliver: unreachable, refusing, or not done within `limit`.
    pub async fn final_poll(&self, limit: Duration) -> Vec<(LineId, StationId)> {
        self.poll_once_more(|_| true, limit).await
    }

    /// The same for some devices only.
    pub async fn final_poll_of(
        &self,
        places: &[Place],
        limit: Duration,
    ) -> Vec<(LineId, StationId)> {
        self.poll_once_more(|place| places.contains(place), limit).await
    }

    async fn poll_once_more(
        &self,
        picks: impl Fn(&Place) -> bool,
        limit: Duration,
    ) -> Vec<(LineId, StationId)> {
        let deadline = Instant::now() + limit;
        // All are asked before the first is waited for, so that the snapshots are of nearly one moment.
        let mut asked = Vec::new();
        for handle in self.running().devices.iter().filter(|handle| picks(&handle.place)) {
            for commands in &handle.commands {
                let (done, answer) = oneshot::channel();
                let sent = commands.try_send(Command::FinalPoll { deadline, done });
                let of = (handle.place.line.clone(), handle.station.clone());
                asked.push((of, sent.is_ok().then_some(answer)));
            }
        }
        let mut failed: Vec<(LineId, StationId)> = Vec::new();
        for (of, answer) in asked {
            let delivered = match answer {
                Some(answer) => tokio::time::timeout_at(deadline, answer).await,
                None => Ok(Ok(false)),
            };
            if !matches!(delivered, Ok(Ok(true))) && failed.last() != Some(&of) {
                failed.push(of);
            }
        }
        failed
    }

    /// Closes all connections in order and waits for the threads to end.
    pub async fn stop(self) {
        let running = self.running.into_inner().unwrap_or_else(PoisonError::into_inner);
        for handle in running.devices {
            handle.stop().await;
        }
        for worker in [running.polled, running.subscribed].into_iter().flatten() {
            worker.end().await;
        }
    }
}

impl Handle {
    async fn stop(&self) {
        for commands in &self.commands {
            // Fails only if the task has ended already.
            let _ = commands.send(Command::Stop).await;
        }
    }
}

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |cause| StartError::System { what, cause }
}
