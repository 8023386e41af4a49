//! What the web asks the service: the stored record, orders to the lines, and what the service measures of itself.

use std::sync::Arc;

use domain::line::batch::hand::{self, Entry, Order};
use domain::line::chronicle::{CounterRecord, StopRecord};
use domain::line::event::{Event, EventKind};
use domain::line::minute::Minute;
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::second::Seconds;
use domain::line::stop::revision::{Refusal, Revision};
use domain::line::weight::WeightTally;
use domain::quality::limits::Limits;
use domain::quality::record::{StoredIncident, StoredPoint, Work};
use domain::units::{LineId, TagId};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::line::Command;
use super::pace::{lateness, pace_gauges, scheduling_gauges, standing_gauges};
use super::plant::{forwarding, plant_gauges};
use super::switchboard::Switchboard;
use crate::historian::forward::ForwardStatus;
use crate::historian::{Historian, Rung};
use crate::sources::Sources;
use crate::web::{Desk, Forwarding, Gauge, GaugeKind, Gauges, Histogram, History, QualityRecord};

/// Most rows of one answer.
const ROWS: usize = 50_000;

/// The historian as the web sees it.
pub(crate) struct StoredHistory(pub(crate) Historian);

impl History for StoredHistory {
    fn minutes(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Minute>, String> {
        self.0.minutes(line, from_us, to_us, ROWS).map_err(|error| error.to_string())
    }

    fn seconds(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Seconds>, String> {
        self.0.seconds(line, from_us, to_us, ROWS).map_err(|error| error.to_string())
    }

    fn weights(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<(i64, WeightTally)>, String> {
        self.0.weights(line, span).map_err(|error| error.to_string())
    }

    fn events(
        &self,
        line: &LineId,
        from_us: i64,
        to_us: i64,
        kinds: &[EventKind],
    ) -> Result<Vec<(i64, Event)>, String> {
        let kinds = (!kinds.is_empty()).then_some(kinds);
        let mut events =
            self.0.events(line, from_us, to_us, kinds, ROWS).map_err(|error| error.to_string())?;
        events.reverse();
        Ok(events)
    }

    fn stops(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<StopRecord, String> {
        self.0.stops(line, from_us, to_us, ROWS).map_err(|error| error.to_string())
    }

    fn stop(&self, line: &LineId, number: u64) -> Result<StopRecord, String> {
        self.0.stop(line, number).map_err(|error| error.to_string())
    }

    fn revise(
        &self,
        line: &LineId,
        revision: Revision,
        seen: Option<u64>,
    ) -> Result<Result<u64, Refusal>, String> {
        let made = self.0.revise_stops(line, revision, seen).map_err(|error| error.to_string())?;
        Ok(made.map(|revision| revision.number))
    }

    fn batch_entries(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Entry>, String> {
        self.0.batch_entries(line, (from_us, to_us), ROWS).map_err(|error| error.to_string())
    }

    fn rollups(
        &self,
        line: &LineId,
        kind: PeriodKind,
        from_us: i64,
        to_us: i64,
    ) -> Result<Vec<Rollup>, String> {
        self.0.rollups(line, kind, (from_us, to_us), ROWS).map_err(|error| error.to_string())
    }

    fn counter(
        &self,
        line: &LineId,
        tag: &TagId,
        from_us: i64,
        to_us: i64,
    ) -> Result<Option<CounterRecord>, String> {
        self.0.counter(line, tag, (from_us, to_us), ROWS).map_err(|error| error.to_string())
    }
}

impl Desk for Switchboard {
    fn order(
        &self,
        line: &LineId,
        order: Order,
    ) -> BoxFuture<'static, Result<Result<Entry, hand::Refusal>, String>> {
        let commands = self.of(line);
        Box::pin(async move {
            let commands = commands.ok_or("there is no task of that line")?;
            let (reply, answer) = oneshot::channel();
            let sent = commands.send(Command::Order { order, reply }).await;
            sent.map_err(|_| "the task of the line has ended")?;
            answer.await.map_err(|_| "the task of the line ended before it answered".to_owned())
        })
    }
}

/// Incidents of one answer.
const INCIDENTS: usize = 500;

impl QualityRecord for StoredHistory {
    fn limits(&self, line: &LineId, of: &str) -> Result<Vec<Limits>, String> {
        self.0.limits(line, Some(of)).map_err(|error| error.to_string())
    }

    fn add_limits(&self, line: &LineId, limits: Limits) -> Result<(), String> {
        self.0.add_limits(line, limits).map_err(|error| error.to_string())
    }

    fn decide_limits(&self, line: &LineId, limits: Limits) -> Result<(), String> {
        self.0.decide_limits(line, limits).map_err(|error| error.to_string())
    }

    fn incidents(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<StoredIncident>, String> {
        self.0.incidents(line, span, INCIDENTS).map_err(|error| error.to_string())
    }

    fn add_work(&self, line: &LineId, incident: i64, work: Work) -> Result<bool, String> {
        self.0.add_work(line, incident, work).map_err(|error| error.to_string())
    }

    fn points(
        &self,
        line: &LineId,
        of: &str,
        span: (i64, i64),
    ) -> Result<Vec<StoredPoint>, String> {
        self.0.points(line, of, span).map_err(|error| error.to_string())
    }
}

/// Pace of the sources, state of the store, size of the process.
pub(super) struct ServiceGauges {
    pub(super) historian: Historian,
    pub(super) sources: Arc<Sources>,
    /// None where no plant database is configured.
    pub(super) plant: Option<ForwardStatus>,
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
