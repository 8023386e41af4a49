//! Faults on the wire: what a client may meet between itself and a machine, and what the service makes of it.

mod counts;
mod fault;
mod isolation;
mod laws;
mod naive;
mod proxy;
pub(crate) mod record;
pub(crate) mod relay;
mod returns;
mod truth;

use std::sync::Arc;
use std::time::Duration;

use capline::clock::Clock;
use capline::config::{DeviceConfig, Wire};
use capline::sources::{Feed, Sources};
use domain::plc_map::PlcMap;
use domain::reading::{Outcome, Snapshot};
use domain::units::LineId;
use simulators::{Plant, PlantConfig, utc_now_us};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::harness::{FILLER, PATIENCE, WEIGHER, plant, repository};
use record::Speech;

/// Start of the plant's time, in microseconds: by then both machines have capsules.
const BEGAN_US: i64 = 120_000_000;

/// A plant so much faster than real that most polls see a new stroke, with all counters from zero.
async fn fast_plant(site: &std::path::Path, speed: f64) -> (Plant, i64) {
    let line_start_us = utc_now_us() - BEGAN_US;
    let config = PlantConfig {
        speed,
        line_start_us,
        start_at_us: BEGAN_US,
        batch_size: 1_000_000_000,
        ..PlantConfig::default()
    };
    (plant(config, site).await, line_start_us)
}

/// A machine of the plant as a device of the service, reached over an address of a test.
fn device(speech: Speech, address: &str) -> DeviceConfig {
    let (file, address) = match speech {
        Speech::OpcUa => (WEIGHER, format!("opc.tcp://{address}/")),
        _ => (FILLER, address.to_owned()),
    };
    let text = std::fs::read_to_string(repository(file)).expect("the map is there");
    let map = PlcMap::parse(file, &text).expect("the map is sound");
    DeviceConfig {
        map: Arc::new(map),
        wire: Wire::tcp(&address),
        address,
        connect_timeout: Duration::from_secs(1),
        reply_timeout: Duration::from_millis(100),
        backoff: (Duration::from_millis(60), Duration::from_secs(5)),
        opcua: Default::default(),
    }
}

/// One device that is read, and the queue in which a line would find its snapshots.
struct Line {
    sources: Sources,
    queue: mpsc::Receiver<Snapshot>,
}

impl Line {
    fn start(config: DeviceConfig) -> Line {
        let (out, queue) = mpsc::channel(100_000);
        let feed = Feed { line: LineId::new("L1"), device: 0, config, out };
        let sources = Sources::start(vec![feed], Clock::real()).expect("sources start");
        Line { sources, queue }
    }

    /// The first snapshot from now on that is as wanted.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let next = timeout_at(deadline, self.queue.recv()).await;
            let next = next.unwrap_or_else(|_| panic!("{what} did not come in {PATIENCE:?}"));
            let snapshot = next.expect("the sources run");
            if wanted(&snapshot) {
                return snapshot;
            }
        }
    }

    /// All that is queued now.
    fn queued(&mut self) -> Vec<Snapshot> {
        std::iter::from_fn(|| self.queue.try_recv().ok()).collect()
    }
}

/// Whether a snapshot brings readings.
fn has_readings(snapshot: &Snapshot) -> bool {
    matches!(&snapshot.outcome, Outcome::Taken(readings) if !readings.is_empty())
}

fn is_missed(snapshot: &Snapshot) -> bool {
    matches!(snapshot.outcome, Outcome::Missed(_))
}

/// A number from the environment, for the long form of a test.
fn setting(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number"))
    })
}
