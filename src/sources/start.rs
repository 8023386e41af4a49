//! From a [`Feed`] to a task that reads its device: planned first, so that a map which cannot be read stops nothing.

use std::sync::{Arc, OnceLock};

use domain::plc_map::{ModbusOptions, Protocol};
use domain::units::LineId;
use tokio::sync::mpsc;

use super::account::Account;
use super::alarm::{Alarms, SourceAlarm};
use super::opcua::standing::Standing;
use super::outlet::Outlet;
use super::plan::{self, Plan, PlanError};
use super::realtime::{self, Scheduling};
use super::worker::Worker;
use super::{Command, Feed, Handle, Place, Running, StartError, modbus, opcua, system};
use crate::clock::Clock;
use crate::config::DeviceConfig;

/// Phases of devices that are added later: multiples of the golden ratio fall between those that are there.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// A device that is planned and waits for its thread.
pub(super) struct Planned {
    handle: Handle,
    reads: Reads,
}

/// How a device is read.
enum Reads {
    Polled(Vec<Connection>),
    Subscribed(Box<opcua::Server>),
}

/// A connection to a Modbus device.
struct Connection {
    config: DeviceConfig,
    options: ModbusOptions,
    track: Arc<modbus::Track>,
    groups: Vec<(Plan, Outlet)>,
    commands: mpsc::Receiver<Command>,
}

/// Plans the requests of a device. Nothing is contacted.
pub(super) fn plan(
    feed: Feed,
    tracks: &mut modbus::Tracks,
    raise: &mpsc::Sender<SourceAlarm>,
    clock: Clock,
) -> Result<Planned, StartError> {
    let (accounts, outlets) = outlets(&feed, clock);
    let Feed { line, device, config, .. } = feed;
    let station = config.map.station.clone();
    let mut handle = Handle {
        place: Place { line: line.clone(), device },
        station: station.clone(),
        commands: Vec::new(),
        ended: Vec::new(),
        accounts,
        standing: None,
    };
    let reads = match config.map.protocol.clone() {
        Protocol::Modbus(options) => {
            let mut planned = Vec::new();
            for groups in connections(&config, &options, outlets)? {
                let commands = handle.command();
                let (config, options) = (config.clone(), options.clone());
                let track = tracks.of(&config.wire);
                planned.push(Connection { config, options, track, groups, commands });
            }
            Reads::Polled(planned)
        }
        Protocol::OpcUa(options) => {
            let commands = handle.command();
            let standing = Arc::new(Standing::new(line.clone(), station.clone()));
            handle.standing = Some(standing.clone());
            let alarms = Alarms::new(LineId::clone(&line), station, raise.clone());
            let watch = opcua::Watch { standing, alarms };
            let server = opcua::Server::new(config, options, outlets, clock, commands, watch)?;
            Reads::Subscribed(Box::new(server))
        }
    };
    Ok(Planned { handle, reads })
}

/// Lets planned devices run on the threads of their protocols, which begin with the first of them.
pub(super) fn run(
    planned: Vec<Planned>,
    running: &mut Running,
    (clock, priority): (Clock, &(Option<u8>, Arc<OnceLock<Scheduling>>)),
) -> Result<Vec<Handle>, StartError> {
    let (wanted, scheduling) = priority.clone();
    let before_others = move || {
        // Fails only if it was set before, and the poll thread alone sets it.
        let _ = scheduling.set(realtime::enter(wanted));
    };
    let polled = |planned: &Planned| match &planned.reads {
        Reads::Polled(connections) => connections.len(),
        Reads::Subscribed(_) => 0,
    };
    let (first, n) = (running.n_polled == 0, planned.iter().map(polled).sum::<usize>());
    let mut handles = Vec::new();
    for Planned { mut handle, reads } in planned {
        match reads {
            Reads::Polled(connections) => {
                for connection in connections {
                    let at = f64::from(running.n_polled);
                    let phase = if first { at / n as f64 } else { (at * GOLDEN).fract() };
                    running.n_polled = running.n_polled.wrapping_add(1);
                    let worker =
                        begun(&mut running.polled, "poll", "poll thread", before_others.clone())?;
                    handle.ended.push(poll(worker, connection, phase, clock)?);
                }
            }
            Reads::Subscribed(server) => {
                let worker = begun(&mut running.subscribed, "opcua", "OPC UA thread", || ())?;
                handle.ended.push(worker.run(move || server.run())?);
            }
        }
        handles.push(handle);
    }
    Ok(handles)
}

fn begun<'w>(
    worker: &'w mut Option<Worker>,
    name: &'static str,
    what: &'static str,
    first: impl FnOnce() + Send + 'static,
) -> Result<&'w Worker, StartError> {
    match worker {
        Some(worker) => Ok(worker),
        None => Ok(worker.insert(Worker::begin(name, what, first)?)),
    }
}

/// A polled connection is a task of the runtime itself, so that nothing stands between it and its timers.
fn poll(
    worker: &Worker,
    Connection { config, options, track, groups, commands }: Connection,
    phase: f64,
    clock: Clock,
) -> Result<tokio::sync::oneshot::Receiver<()>, StartError> {
    let device = {
        let _inside = worker.enter();
        modbus::Device::new(config, options, groups, track, phase, clock, commands)
    };
    let device = device.map_err(system("poll timer"))?;
    worker.run(move || async move {
        if let Err(error) = tokio::spawn(device.run()).await {
            tracing::error!(%error, "a device is no longer polled; restart the service");
        }
    })
}

impl Handle {
    /// The way of commands to one more connection.
    fn command(&mut self) -> mpsc::Receiver<Command> {
        let (sender, commands) = mpsc::channel(4);
        self.commands.push(sender);
        commands
    }
}

fn outlets(feed: &Feed, clock: Clock) -> (Vec<Arc<Account>>, Vec<Outlet>) {
    let map = &feed.config.map;
    let outlet = |(at, group): (usize, &domain::plc_map::Group)| {
        let station = map.station.clone();
        let account = Arc::new(Account::new(
            (feed.line.clone(), feed.device),
            station,
            group.name.clone(),
            group.period_us,
        ));
        let outlet = Outlet::new(feed.device, at as u16, feed.out.clone(), clock, account.clone());
        (account, outlet)
    };
    map.groups.iter().enumerate().map(outlet).unzip()
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
