//! A configuration brought to life: sources, one task a line, the historian and the web, started and stopped together.
//!
//! The line task is the sole owner of its [`LineTracker`]: no lock is held while counting. A reading passes from its
//! source through a queue to the tracker; a few times a second the tracker's changes go to the historian as one tick
//! and its status to the screens.

mod accounts;
mod alerts;
mod gauges;
mod history;
mod line;
mod orders;
mod pace;
mod plant;
mod quality;
mod reload;
mod reports;
mod running;
mod screens;
mod start;
mod supervise;
mod switchboard;
mod trail;

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context;
use domain::audit::{Actor, Note, What};
use domain::line::output::Stations;
use domain::line::tracker::{Carry, LineModel, LineTracker};
use domain::units::{Count, HOUR_US, LineId, Moment, StationId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::config::{Config, DeviceConfig, LineConfig};
use crate::historian::forward::Forwarder;
use crate::historian::{DeviceTags, Historian, Options};
use crate::sources::{Paces, Scheduling, Sources};
use crate::tls;
use crate::web::{Reload, Simulator};

use alerts::Alerts;
use reload::Reloader;
use running::{FINAL_POLL, Running};

pub(crate) use accounts::KeptAccounts;
pub(crate) use history::StoredHistory;
pub use plant::plant_database;
#[cfg(feature = "demo")]
pub(crate) use start::bind;

/// Snapshots a line may be behind before they are dropped and counted: some seconds of a fast line.
const QUEUE: usize = 4_096;

/// How far back a line looks after a start for minutes that an earlier run has left open.
const LOOK_BACK_US: i64 = 30 * HOUR_US;

/// A running service.
pub struct Service {
    addr: SocketAddr,
    historian: Historian,
    /// To be looked at; they end with what runs.
    sources: Weak<Sources>,
    reloader: Reloader,
    /// Lines that ended by a fault of ours.
    failed: tokio::sync::Mutex<mpsc::UnboundedReceiver<LineId>>,
    /// None where no plant database is configured.
    forwarder: Option<Forwarder>,
    alerts: Alerts,
    /// None where the screens are plain HTTP.
    certificate: Option<Arc<tls::Server>>,
    looked_after: Option<JoinHandle<()>>,
    /// None where nobody signs in.
    accounts: Option<Accounts>,
    web: JoinHandle<std::io::Result<()>>,
    stop_web: oneshot::Sender<()>,
}

/// What a line has counted when the service stops.
#[derive(Clone, Debug)]
pub struct LineSummary {
    /// Which line.
    pub line: LineId,
    /// Good capsules since the journal began, as of the last reading.
    pub counted: Count,
    /// What those machines of the output that did not answer the last poll may have made since then: it is in no count yet.
    pub unseen: Count,
    /// Polls that brought readings since this start.
    pub polls: u64,
    /// Polls that brought none since this start.
    pub missed_polls: u64,
}

/// Opens the journal of a configuration.
///
/// # Errors
/// One sentence: unwritable, in use by another Capline, damaged, of a newer version.
pub fn open_historian(config: &Config) -> anyhow::Result<Historian> {
    let options = Options {
        keep_raw: config.keep_raw,
        keep_seconds: config.keep_seconds,
        budget: config.budget,
    };
    Ok(Historian::open(&config.data, options)?)
}

impl Service {
    /// Starts everything. A PLC that cannot be reached does not stop the start, nor the others.
    ///
    /// # Errors
    /// The address of the web is in use, the journal cannot be read, or the system gives no thread.
    pub async fn start(
        config: &Config,
        clock: Clock,
        historian: Historian,
        simulated: bool,
    ) -> anyhow::Result<Service> {
        Service::start_with(config, clock, historian, (simulated, None)).await
    }

    /// The same of a plant that is simulated and can be handled as such from the screens.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub async fn start_simulated(
        config: &Config,
        clock: Clock,
        historian: Historian,
        simulator: Arc<dyn Simulator>,
    ) -> anyhow::Result<Service> {
        Service::start_with(config, clock, historian, (true, Some(simulator))).await
    }

    /// How every poll group keeps its pace, to be read also when the service has stopped.
    pub fn paces(&self) -> Paces {
        self.sources.upgrade().map(|sources| sources.paces()).unwrap_or_default()
    }

    /// How the poll thread is scheduled; none where no device is polled.
    pub fn scheduling(&self) -> Option<Scheduling> {
        self.sources.upgrade()?.scheduling()
    }

    /// Where the screens are served.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where the screens are served, as a browser takes it.
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// SHA-256 of the certificate of the screens, none where they are plain HTTP.
    pub fn fingerprint(&self) -> Option<tls::Thumbprint> {
        Some(self.certificate.as_ref()?.certificate().thumbprint)
    }

    /// A token with which the first account can be made at `/setup`; none where nobody signs in, or somebody can. To be
    /// shown to who started the service and kept nowhere.
    ///
    /// # Errors
    /// The journal cannot be read, or the system gives no random numbers.
    pub fn offer_set_up(&self) -> anyhow::Result<Option<String>> {
        let offered = self.accounts.as_ref().map(Accounts::offer_set_up).transpose();
        offered.map(Option::flatten).map_err(anyhow::Error::msg)
    }

    /// Waits until every device of every line was heard and every counter has a value to count from, at most `limit`. Whether
    /// that is so.
    pub async fn all_counting(&self, limit: Duration) -> bool {
        let counting = self.reloader.each(|line| line.counting.clone()).await;
        let wait = async {
            for mut counting in counting {
                if counting.wait_for(|counting| *counting).await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(limit, wait).await.unwrap_or(false)
    }

    /// Waits until a line is followed no more although nobody stopped it, which only a fault of ours can bring about.
    /// Its screens say unknown by then; a restart goes on from its last tick.
    pub async fn failed(&self) -> LineId {
        match self.failed.lock().await.recv().await {
            Some(line) => line,
            // Nobody is left who could fail.
            None => std::future::pending().await,
        }
    }

    /// Reads the configuration and its maps again and applies what has changed, as a whole or not at all; the journal and
    /// the log say what came of it. `by` is the signal or whatever else asked.
    pub async fn reload(&self, by: &str) -> Reload {
        let by = Actor { from: by.to_owned(), ..Actor::system() };
        self.reloader.reload(by).await
    }

    /// Reads everything once more, stores it, and stops. Nothing that was read stays unsaved.
    ///
    /// # Errors
    /// The journal could not take the last ticks.
    pub async fn stop(self) -> anyhow::Result<Vec<LineSummary>> {
        // Before the lines end: that they do not report any more is no alert.
        self.alerts.stop().await;
        let running = self.reloader.take().await.context("the service was stopped before")?;
        let running_sha256 = running.config.sha256.clone();
        let Running { lines, sources, .. } = running;
        let silent = sources.final_poll(FINAL_POLL).await;
        if !silent.is_empty() {
            warn!(?silent, "these stations did not answer the last poll");
        }
        let mut summaries = Vec::new();
        for line in lines {
            let its = silent.iter().filter(|(of, _)| of == line.id());
            let its = its.map(|(_, station)| station.clone()).collect();
            summaries.push(line.finish(its).await?);
        }
        // The web may still hold the other handle for its gauges; the sources end with the last one.
        let _ = self.stop_web.send(());
        if let Some(task) = self.looked_after {
            task.abort();
        }
        self.web.await??;
        drop(self.reloader);
        if let Some(sources) = Arc::into_inner(sources) {
            sources.stop().await;
        }
        if let Some(forwarder) = self.forwarder {
            // After the lines, so that their last ticks go too.
            forwarder.stop().await;
        }
        let historian = self.historian;
        let sha256 = running_sha256;
        let end = move || {
            let build = format!("capline {}, configuration {sha256}", env!("CARGO_PKG_VERSION"));
            let note =
                Note::new(&Actor::system(), What::ServiceStopped, "service").change(build, "");
            // What was read is stored by now; that the end cannot be noted must not keep it from being closed.
            let noted = historian.note(note);
            historian.close().and(noted)
        };
        tokio::task::spawn_blocking(end).await??;
        Ok(summaries)
    }
}

/// A line followed: its tracker and the number of its next tick.
pub(crate) struct Follow {
    pub(crate) tracker: LineTracker,
    pub(crate) next_seq: u64,
}

/// The tracker of a line from `now` on, going on from what the journal holds.
pub(crate) fn follow(
    line: &LineConfig,
    historian: &Historian,
    clock: &Clock,
    now: Moment,
) -> anyhow::Result<Follow> {
    let resume = historian.resume(&line.id, now.utc_us - LOOK_BACK_US)?;
    if let Some(last) = resume.last_tick {
        let away_s = (now.utc_us - last.utc_us) as f64 / 1e6;
        info!(line = %line.id, total = %resume.total, away_s, "the line goes on from its journal");
    }
    let states =
        resume.states.into_iter().map(|s| (s.station, s.state, s.raw, s.since_us)).collect();
    let carry = Carry {
        baselines: resume.baselines,
        minutes: resume.minutes,
        seconds: resume.seconds,
        events: resume.events,
        weighings: resume.weighings,
        states,
        same_boot: resume.same_boot,
        past: resume.past,
    };
    Ok(Follow {
        tracker: LineTracker::new(model(line, clock), now, carry),
        next_seq: resume.tick_seq + 1,
    })
}

/// What the positions in the snapshots of a line mean.
fn device_tags(line: &LineConfig) -> Vec<DeviceTags> {
    let beside = |station: &StationId| line.output.is_group() && line.output.has(station);
    let of = |device: &DeviceConfig| DeviceTags {
        beside: beside(&device.map.station),
        station: device.map.station.clone(),
        tags: device.map.tags.iter().map(|tag| tag.id.clone()).collect(),
    };
    line.devices.iter().map(of).collect()
}

/// What a tracker needs to know of a configured line.
pub fn model(line: &LineConfig, clock: &Clock) -> LineModel {
    LineModel {
        id: line.id.clone(),
        stations: line.devices.iter().map(|device| device.map.clone()).collect(),
        counting: line.counting(),
        target_per_minute: line.target_per_minute,
        calendar: line.calendar.clone(),
        micro_stop_us: i64::try_from(line.micro_stop.as_micros()).unwrap_or(i64::MAX),
        time_scale: clock.speed(),
    }
}
