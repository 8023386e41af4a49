//! The service as it is measured: a configuration with as many lines and devices as a row needs, in a scratch directory.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use simulators::load::REGISTERS;

use super::{Stop, cpu};
use crate::clock::Clock;
use crate::config::Config;
use crate::service::{Service, open_historian};
use crate::sources::{GroupPace, Lateness, Paces, Scheduling};

/// Values of a device: six counters, a state, a heartbeat and twelve conditions, the last in the last register.
pub(super) const VALUES: usize = 20;

/// How long every device may take to answer once.
const HEARD: Duration = Duration::from_secs(30);

/// What a row polls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) lines: usize,
    /// Devices of each line.
    pub(super) devices: usize,
    /// None for as fast as it goes.
    pub(super) period_ms: Option<u32>,
    pub(super) priority: Option<u8>,
}

/// What the service did while it was watched.
pub(super) struct Seen {
    /// How long it was watched.
    pub(super) time: Duration,
    /// Processor time of the process meanwhile.
    pub(super) cpu: Duration,
    /// Polls that brought readings meanwhile.
    pub(super) done: u64,
    /// Snapshots that a full queue dropped meanwhile.
    pub(super) dropped: u64,
    /// Polls from the beginning of the watch to the end of the service: that fell due, that were done, that were missed.
    pub(super) sums: [u64; 3],
    /// How late the polls of the first group began, since its start.
    pub(super) lateness: Lateness,
    pub(super) scheduling: Scheduling,
}

impl Seen {
    /// Polls a second that went all the way: what a full queue dropped was read and not stored.
    pub(super) fn stored_per_s(&self) -> f64 {
        self.done.saturating_sub(self.dropped) as f64 / self.time.as_secs_f64()
    }

    /// In percent of a core.
    pub(super) fn cpu_percent(&self) -> f64 {
        self.cpu.as_secs_f64() / self.time.as_secs_f64() * 100.0
    }
}

/// Runs the service against a server and watches it for a time, once every counter was read.
pub(super) async fn watch(
    addr: SocketAddr,
    load: Load,
    time: Duration,
    stop: &Stop,
) -> anyhow::Result<Seen> {
    let scratch = tempfile::tempdir().context("no directory for the journal can be made")?;
    let config = config(scratch.path(), addr, load)?;
    let historian = open_historian(&config)?;
    let service = Service::start(&config, Clock::real(), historian, true).await?;
    let paces = service.paces();
    ensure!(service.all_counting(HEARD).await, "not every counter was read in {HEARD:?}");
    let (before, spent, since) = (sums(&paces), cpu(), Instant::now());
    stop.pass(time).await;
    let (time, spent) = (since.elapsed(), cpu() - spent);
    let (after, lateness) = (sums(&paces), paces.read().first().map(|pace| pace.lateness.clone()));
    let scheduling = service.scheduling().unwrap_or_default();
    service.stop().await?;
    let end = sums(&paces);
    // A poll under way at the beginning was due before it and is done or missed after it: it belongs to the watch.
    let planned = end.planned - before.done - before.missed;
    Ok(Seen {
        time,
        cpu: spent,
        done: after.done - before.done,
        dropped: after.dropped - before.dropped,
        sums: [planned, end.done - before.done, end.missed - before.missed],
        lateness: lateness.unwrap_or_default(),
        scheduling,
    })
}

/// The accounts of all groups together.
struct Sums {
    planned: u64,
    done: u64,
    missed: u64,
    dropped: u64,
}

fn sums(paces: &Paces) -> Sums {
    let paces = paces.read();
    let sum = |of: fn(&GroupPace) -> u64| paces.iter().map(of).sum();
    Sums {
        planned: sum(|pace| pace.planned),
        done: sum(|pace| pace.done),
        missed: sum(|pace| pace.missed.iter().map(|(_, n)| n).sum()),
        dropped: sum(|pace| pace.dropped),
    }
}

/// A configuration of this load, all devices at one address.
pub(super) fn config(dir: &Path, addr: SocketAddr, load: Load) -> anyhow::Result<Config> {
    let mut text = format!(
        "[site]\nname = 'bench'\nzone = 'UTC'\n[web]\nlisten = '127.0.0.1:0'\n[store]\ndir = '{}'\n",
        dir.join("data").display()
    );
    if let Some(priority) = load.priority {
        write!(text, "[acquisition]\nrealtime_priority = {priority}\n")?;
    }
    for line in 0..load.lines {
        write!(
            text,
            "[[line]]\nid = 'L{line}'\ntitle = {{ en = 'Line {line}', zh = '{line} 线' }}\n\
             counting_station = 'D0'\ntarget_per_minute = 6500\n"
        )?;
        for device in 0..load.devices {
            write!(
                text,
                "[[line.device]]\nmap = 'D{device}'\naddress = '{addr}'\nreply_timeout = '2s'\n"
            )?;
        }
    }
    let station = |map: &Path| map.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let read = |path: &Path| Ok(map(&station(path), load.period_ms.unwrap_or(1)));
    let mut config = Config::parse("bench.toml", &text, Path::new(""), &read)?;
    if load.period_ms.is_none() {
        for device in config.lines.iter_mut().flat_map(|line| &mut line.devices) {
            Arc::make_mut(&mut device.map).groups.iter_mut().for_each(|group| group.period_us = 0);
        }
    }
    Ok(config)
}

/// The map of the registers of the load server: all of them in one request.
fn map(station: &str, period_ms: u32) -> String {
    let mut text = format!(
        "[machine]\nstation = '{station}'\ntitle = {{ en = 'Machine', zh = '设备' }}\nprotocol = 'modbus'\n\
         max_per_minute = 6500\nstep = 50\n[modbus]\nunit = 1\nmax_gap = {}\n\
         [groups]\nfast = '{period_ms}ms'\n[states]\n3 = 'execute'\n",
        REGISTERS - 1
    );
    let mut tag = |name: &str, register: u16, kind: &str, rest: &str| {
        text += &format!(
            "[[tag]]\nid = '{station}.{name}'\nregister = 'holding {register}'\ntype = '{kind}'\n{rest}\n"
        );
    };
    tag("Infeed", 0, "u32", "role = 'infeed'");
    tag("Good", 2, "u32", "role = 'good'");
    for n in 0..4 {
        let role = format!("role = 'reject:reason_{n}'");
        tag(&format!("Reject{n}"), 4 + 2 * n, "u32", &role);
    }
    tag("State", 12, "u16", "role = 'state'");
    tag("Heartbeat", 13, "u16", "role = 'heartbeat'");
    for n in 0..12 {
        tag(&format!("Condition{n}"), REGISTERS - 1 - 10 * n, "u16", "role = 'condition'");
    }
    text
}

#[cfg(test)]
mod tests {
    use domain::plc_map::Protocol;

    use super::*;
    use crate::sources::plan;

    #[test]
    fn a_device_is_read_by_one_request_of_all_registers() {
        let load = Load { lines: 2, devices: 3, period_ms: Some(10), priority: Some(20) };
        let addr = SocketAddr::from(([127, 0, 0, 1], 502));
        let config = config(Path::new("/tmp"), addr, load).unwrap();
        assert_eq!(config.realtime_priority, Some(20));
        assert_eq!(config.lines.iter().map(|line| line.devices.len()).sum::<usize>(), 6);
        let map = &config.lines[1].devices[2].map;
        assert_eq!((map.tags.len(), map.groups[0].period_us), (VALUES, 10_000));
        let Protocol::Modbus(options) = &map.protocol else { panic!("{:?}", map.protocol) };
        let plan = plan(map, options, 0).unwrap();
        let requests: Vec<_> = plan.requests.iter().map(|r| (r.first, r.count)).collect();
        assert_eq!(requests, [(0, REGISTERS)]);
    }

    #[test]
    fn no_period_is_none() {
        let load = Load { lines: 1, devices: 1, period_ms: None, priority: None };
        let addr = SocketAddr::from(([127, 0, 0, 1], 502));
        let config = config(Path::new("/tmp"), addr, load).unwrap();
        assert_eq!(config.lines[0].devices[0].map.groups[0].period_us, 0);
    }
}
