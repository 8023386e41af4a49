//! Against a real server of the same library, through a proxy that can cut the line or swallow what goes over it.
#![allow(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

use std::time::Duration;

use domain::plc_map::{Address, Kind, OpcUaOptions, Protocol, Tag};
use domain::reading::{Miss, Outcome, Quality, Reading, Snapshot, Value};
use opcua::types::StatusCode;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use self::plc::{Plc, open};
use self::proxy::{Proxy, Wire};
use crate::clock::Clock;
use crate::config::DeviceConfig;
use crate::sources::tests::{device, map, tag};
use crate::sources::{Feed, GroupPace, Sources};

mod browse;
mod last;
mod outages;
mod plc;
mod proxy;
mod security;
mod start;
mod values;

const NAMESPACE: &str = "urn:capline:test";

fn node(id: &str, group: u16) -> Tag {
    tag(id, Address::Node(format!("s={id}").into()), Kind::Unsigned(32), group)
}

fn config(address: &str, periods_ms: &[i64], tags: Vec<Tag>) -> DeviceConfig {
    let protocol = Protocol::OpcUa(OpcUaOptions { namespace: NAMESPACE.into() });
    device(map(protocol, periods_ms, tags), format!("opc.tcp://{address}/"))
}

struct Line {
    sources: Sources,
    queue: mpsc::Receiver<Snapshot>,
    received: Vec<Snapshot>,
}

impl Line {
    fn start(config: DeviceConfig) -> Line {
        let (out, queue) = mpsc::channel(10_000);
        let feed = Feed { line: domain::units::LineId::new("L1"), device: 0, config, out };
        let sources = Sources::start(vec![feed], Clock::real()).unwrap();
        Line { sources, queue, received: Vec::new() }
    }

    /// The first snapshot from now on that is as wanted.
    async fn until(&mut self, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let next = timeout_at(deadline, self.queue.recv()).await;
            let snapshot = next.expect("such a snapshot within twenty seconds").unwrap();
            self.received.push(snapshot.clone());
            if wanted(&snapshot) {
                return snapshot;
            }
        }
    }

    /// The reading of a tag with this value, as soon as there is one.
    async fn value(&mut self, tag: u16, value: u32) -> Reading {
        let is = |r: &&Reading| r.tag == tag && r.value == Value::Unsigned(value.into());
        if let Some(reading) = self.received.iter().flat_map(readings).find(is) {
            return reading.clone();
        }
        let snapshot = self.until(|s| readings(s).iter().any(|r| is(&r))).await;
        readings(&snapshot).iter().find(is).unwrap().clone()
    }

    /// Stops, and checks that the snapshots add up to the intervals that passed.
    async fn stop(mut self) -> Vec<GroupPace> {
        let accounts = self.sources.accounts();
        self.sources.stop().await;
        while let Ok(snapshot) = self.queue.try_recv() {
            self.received.push(snapshot);
        }
        let paces: Vec<GroupPace> = accounts.iter().map(|account| account.pace()).collect();
        for (group, pace) in paces.iter().enumerate() {
            let of_group = self.received.iter().filter(|s| usize::from(s.group) == group);
            let polls: u64 = of_group.map(|s| u64::from(s.polls)).sum();
            let missed: u64 = pace.missed.iter().map(|(_, n)| n).sum();
            assert_eq!((polls, polls), (pace.planned, pace.done + missed), "{pace:?}");
        }
        paces
    }
}

fn readings(snapshot: &Snapshot) -> &[Reading] {
    match &snapshot.outcome {
        Outcome::Taken(readings) => readings,
        Outcome::Missed(_) => &[],
    }
}

fn is_missed(snapshot: &Snapshot) -> bool {
    matches!(snapshot.outcome, Outcome::Missed(_))
}
