//! What the service measures of itself, for whoever monitors.

use std::sync::Arc;

use super::alerts::Board;
use super::pace::{lateness, pace_gauges, scheduling_gauges, standing_gauges};
use super::plant::{forwarding, plant_gauges};
use crate::historian::forward::ForwardStatus;
use crate::historian::{Historian, Rung};
use crate::sources::Sources;
use crate::web::{Forwarding, Gauge, GaugeKind, Gauges, Histogram};

/// Pace of the sources, state of the store, alerts, size of the process.
pub(super) struct ServiceGauges {
    pub(super) historian: Historian,
    pub(super) sources: Arc<Sources>,
    /// None where no plant database is configured.
    pub(super) plant: Option<ForwardStatus>,
    pub(super) alerts: Arc<Board>,
}

impl Gauges for ServiceGauges {
    fn render(&self) -> Vec<Gauge> {
        let mut gauges = Vec::new();
        for pace in self.sources.pace() {
            pace_gauges(&pace, &mut gauges);
        }
        if let Some(scheduling) = self.sources.scheduling() {
            scheduling_gauges(scheduling, &mut gauges);
        }
        for standing in self.sources.standings() {
            standing_gauges(&standing, &mut gauges);
        }
        self.store_gauges(&mut gauges);
        if let Some(plant) = &self.plant {
            plant_gauges(&plant.read(), &mut gauges);
        }
        self.alerts.gauges(&mut gauges);
        if let Some(bytes) = resident_bytes() {
            gauges.push(gauge(
                "capline_resident_bytes",
                "Resident memory of the process in bytes",
                vec![],
                bytes as f64,
            ));
        }
        gauges
    }

    fn forwarding(&self) -> Option<Forwarding> {
        self.plant.as_ref().map(|plant| forwarding(&plant.read()))
    }

    fn histograms(&self) -> Vec<Histogram> {
        self.sources.pace().iter().filter(|pace| pace.lateness.n() > 0).map(lateness).collect()
    }
}

impl ServiceGauges {
    fn store_gauges(&self, gauges: &mut Vec<Gauge>) {
        let stats = self.historian.stats();
        let seconds = |us: u64| us as f64 / 1e6;
        gauges.push(counter(
            "capline_store_commits",
            "Commits since the start",
            vec![],
            stats.commits as f64,
        ));
        for (quantile, us) in [
            ("0.5", stats.commit_p50_us),
            ("0.99", stats.commit_p99_us),
            ("1", stats.commit_max_us),
        ] {
            let labels = vec![("quantile", quantile.to_owned())];
            gauges.push(gauge(
                "capline_store_commit_seconds",
                "Time of a durable commit in seconds",
                labels,
                seconds(us),
            ));
        }
        gauges.push(gauge(
            "capline_store_bytes",
            "Size of the journal and its log in bytes",
            vec![],
            stats.bytes as f64,
        ));
        gauges.push(gauge(
            "capline_store_queued_ticks",
            "Ticks that wait to be stored",
            vec![],
            stats.queued as f64,
        ));
        gauges.push(gauge(
            "capline_store_raw_bytes",
            "Size of the files of raw readings in bytes",
            vec![],
            stats.raw_bytes as f64,
        ));
        gauges.push(gauge(
            "capline_store_copy_bytes",
            "Size of the copy beside the journal in bytes, 0 before the first",
            vec![],
            stats.copy_bytes as f64,
        ));
        gauges.push(gauge(
            "capline_store_free_bytes",
            "Room for the journal in bytes, on the disk or in its budget",
            vec![],
            stats.room.free as f64,
        ));
        for rung in Rung::ALL {
            let labels = vec![("rung", rung.word().to_owned())];
            let is = f64::from(u8::from(rung == stats.room.rung()));
            let help = "1 for how far the room has shrunk";
            gauges.push(gauge("capline_store_room", help, labels, is));
        }
        gauges.push(counter(
            "capline_store_shed",
            "Times that something was given up because there was no room",
            vec![],
            stats.shed as f64,
        ));
        let failing = f64::from(u8::from(stats.last_error.is_some()));
        gauges.push(gauge(
            "capline_store_failing",
            "1 while the journal refuses ticks",
            vec![],
            failing,
        ));
    }
}

pub(super) fn gauge(
    name: &'static str,
    help: &'static str,
    labels: Vec<(&'static str, String)>,
    value: f64,
) -> Gauge {
    Gauge { name, help, kind: GaugeKind::Gauge, labels, value }
}

pub(super) fn counter(
    name: &'static str,
    help: &'static str,
    labels: Vec<(&'static str, String)>,
    value: f64,
) -> Gauge {
    Gauge { name, help, kind: GaugeKind::Counter, labels, value }
}

/// Resident memory as Linux tells it.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
