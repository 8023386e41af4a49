//! A configuration brought to life: sources, one task a line, the historian and the web, started and stopped together.
//!
//! The line task is the sole owner of its [`LineTracker`]: no lock is held while counting. A reading passes from its
//! source through a queue to the tracker; a few times a second the tracker's changes go to the historian as one tick
//! and its status to the screens.

mod gauges;
mod line;
mod orders;
mod pace;
mod plant;
mod quality;
mod reports;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::line::event::EventKind;
use domain::line::tracker::{Carry, LineModel, LineTracker};
use domain::units::{Count, HOUR_US, LineId, Moment};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::config::{Config, DeviceConfig, LineConfig};
use crate::historian::forward::Forwarder;
use crate::historian::{DeviceTags, Historian, Options};
use crate::sources::{Feed, Paces, Scheduling, SourceAlarm, Sources};
use crate::web::{self, App, AppParts, LineFeed};

use gauges::{LineDesk, ServiceGauges};
use line::{Command, LineTask};

pub(crate) use gauges::StoredHistory;
pub use plant::plant_database;

/// Snapshots a line may be behind before they are dropped and counted: some seconds of a fast line.
const QUEUE: usize = 4_096;

/// How far back a line looks after a start: as far as its longest chart, 120 subgroups of 15 minutes.
const LOOK_BACK_US: i64 = 30 * HOUR_US;

/// How long the last poll of each device may take when the service stops.
const FINAL_POLL: Duration = Duration::from_secs(2);

/// A running service.
pub struct Service {
    addr: SocketAddr,
    historian: Historian,
    sources: Arc<Sources>,
    lines: Vec<RunningLine>,
    /// None where no plant database is configured.
    forwarder: Option<Forwarder>,
    web: JoinHandle<std::io::Result<()>>,
    stop_web: oneshot::Sender<()>,
    charts: Vec<JoinHandle<()>>,
    stop_charts: watch::Sender<bool>,
}

struct RunningLine {
    id: LineId,
    commands: mpsc::Sender<Command>,
    heard: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

/// What a line has counted when the service stops.
#[derive(Clone, Debug)]
pub struct LineSummary {
    /// Which line.
    pub line: LineId,
    /// Good capsules since the journal began.
    pub counted: Count,
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
        let listener = bind(config.listen).await?;
        let addr = listener.local_addr()?;
        let mut feeds = Vec::new();
        let mut line_feeds = Vec::new();
        let mut lines = Vec::new();
        let (stop_charts, charts_stop) = watch::channel(false);
        let mut charts = Vec::new();
        for line in &config.lines {
            let (out, snapshots) = mpsc::channel(QUEUE);
            for (device, device_config) in line.devices.iter().enumerate() {
                feeds.push(Feed {
                    device: device as u16,
                    config: device_config.clone(),
                    out: out.clone(),
                });
            }
            let (publish, status) = watch::channel(None);
            let (hear, heard) = watch::channel(false);
            let (commands, inbox) = mpsc::channel(4);
            let follow = follow(line, &historian, &clock, clock.now())?;
            historian.describe(&line.id, &device_tags(line))?;
            let task = LineTask {
                id: line.id.clone(),
                tracker: follow.tracker,
                next_seq: follow.next_seq,
                clock,
                historian: historian.clone(),
                snapshots,
                inbox,
                publish,
                hear,
                every: config.commit_every,
            };
            lines.push(RunningLine {
                id: line.id.clone(),
                commands,
                heard,
                task: tokio::spawn(task.run()),
            });
            line_feeds.push(LineFeed { config: line.clone(), status });
            let running = quality::run(line.clone(), historian.clone(), clock, charts_stop.clone());
            charts.push(tokio::spawn(running));
        }
        let forwarder = start_forwarder(config, &historian, &lines)?;
        let of_feeds = owners(&config.lines, &lines);
        let sources =
            Arc::new(Sources::start_with_priority(feeds, clock, config.realtime_priority)?);
        if let Some(alarms) = sources.alarms() {
            tokio::spawn(note_alarms(alarms, of_feeds));
        }
        let app = App::new(AppParts {
            site: config.site.clone(),
            zone: config.zone.clone(),
            clock,
            simulated,
            config_sha256: config.sha256.clone(),
            lines: line_feeds,
            history: Arc::new(StoredHistory(historian.clone())),
            quality: Arc::new(StoredHistory(historian.clone())),
            reports: Arc::new(StoredHistory(historian.clone())),
            desk: Arc::new(LineDesk::new(&lines)),
            writes: config.web_writes || addr.ip().is_loopback(),
            gauges: Arc::new(ServiceGauges {
                historian: historian.clone(),
                sources: sources.clone(),
                plant: forwarder.as_ref().map(Forwarder::status),
            }),
        });
        let (stop_web, stopped) = oneshot::channel::<()>();
        let until_stopped = async move {
            // A dropped sender means the same as a sent word: the service is going.
            let _ = stopped.await;
        };
        let web = tokio::spawn(web::serve(listener, app, until_stopped));
        info!(%addr, "the screens are served");
        Ok(Service {
            addr,
            historian,
            sources,
            lines,
            forwarder,
            web,
            stop_web,
            charts,
            stop_charts,
        })
    }

    /// How every poll group keeps its pace, to be read also when the service has stopped.
    pub fn paces(&self) -> Paces {
        self.sources.paces()
    }

    /// How the poll thread is scheduled; none where no device is polled.
    pub fn scheduling(&self) -> Option<Scheduling> {
        self.sources.scheduling()
    }

    /// Where the screens are served.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits until every device of every line was heard once, at most `limit`. Whether that is so.
    pub async fn all_heard(&self, limit: Duration) -> bool {
        let wait = async {
            for line in &self.lines {
                if line.heard.clone().wait_for(|heard| *heard).await.is_err() {
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
        let ends = self.lines.iter().map(|line| {
            let mut heard = line.heard.clone();
            Box::pin(async move {
                // The sender belongs to the task of the line and is dropped with it.
                let _ = heard.wait_for(|_| false).await;
                line.id.clone()
            })
        });
        futures_util::future::select_all(ends).await.0
    }

    /// Reads everything once more, stores it, and stops. Nothing that was read stays unsaved.
    ///
    /// # Errors
    /// The journal could not take the last ticks.
    pub async fn stop(self) -> anyhow::Result<Vec<LineSummary>> {
        let silent = self.sources.final_poll(FINAL_POLL).await;
        if !silent.is_empty() {
            warn!(?silent, "these stations did not answer the last poll");
        }
        let mut summaries = Vec::new();
        for line in self.lines {
            let (reply, summary) = oneshot::channel();
            line.commands
                .send(Command::Finish(reply))
                .await
                .context("the task of a line has ended before its time")?;
            summaries
                .push(summary.await.with_context(|| format!("line {} did not finish", line.id))??);
            line.task.await?;
        }
        self.stop_charts.send_replace(true);
        for charts in self.charts {
            charts.await?;
        }
        // The web may still hold the other handle for its gauges; the sources end with the last one.
        let _ = self.stop_web.send(());
        self.web.await??;
        if let Some(sources) = Arc::into_inner(self.sources) {
            sources.stop().await;
        }
        if let Some(forwarder) = self.forwarder {
            // After the lines, so that their last ticks go too.
            forwarder.stop().await;
        }
        let historian = self.historian;
        tokio::task::spawn_blocking(move || historian.close()).await??;
        Ok(summaries)
    }
}

/// The line of each feed, in the order in which feeds are made.
fn owners(configured: &[LineConfig], lines: &[RunningLine]) -> Vec<mpsc::Sender<Command>> {
    let of = |(line, running): (&LineConfig, &RunningLine)| {
        std::iter::repeat_n(running.commands.clone(), line.devices.len())
    };
    configured.iter().zip(lines).flat_map(of).collect()
}

/// Lets what a person should hear of a source become an alarm of its line, and so go into the journal.
async fn note_alarms(
    mut alarms: mpsc::Receiver<SourceAlarm>,
    of_feeds: Vec<mpsc::Sender<Command>>,
) {
    while let Some(SourceAlarm { feed, station, detail }) = alarms.recv().await {
        let note = Command::Note {
            kind: EventKind::Alarm,
            word: "source",
            detail: format!("{station}: {detail}"),
        };
        if let Some(line) = of_feeds.get(feed) {
            // A line that has ended hears no alarm.
            let _ = line.send(note).await;
        }
    }
}

/// Forwards where a plant database is configured. One that cannot be reached holds nothing up.
fn start_forwarder(
    config: &Config,
    historian: &Historian,
    lines: &[RunningLine],
) -> anyhow::Result<Option<Forwarder>> {
    let (Some(database), Some(line)) = (&config.database, lines.first()) else { return Ok(None) };
    let settings = plant_database(&config.site, database)?;
    plant::forward(historian, settings, line.commands.clone()).map(Some)
}

/// Takes the address of the screens.
///
/// # Errors
/// In use or not of this machine, in one sentence.
pub(crate) async fn bind(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.map_err(|error| {
        let way_out = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "another program uses it; stop that one or choose another port"
            }
            _ => "choose another address in [web] listen",
        };
        anyhow::anyhow!("the screens cannot be served on {addr}: {error}; {way_out}")
    })
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
    let of = |device: &DeviceConfig| DeviceTags {
        station: device.map.station.clone(),
        tags: device.map.tags.iter().map(|tag| tag.id.clone()).collect(),
    };
    line.devices.iter().map(of).collect()
}

/// What a tracker needs to know of a configured line.
pub fn model(line: &LineConfig, clock: &Clock) -> LineModel {
    let counting =
        line.devices.iter().position(|device| device.map.station == line.counting_station);
    LineModel {
        id: line.id.clone(),
        stations: line.devices.iter().map(|device| device.map.clone()).collect(),
        counting: counting.unwrap_or(0),
        target_per_minute: line.target_per_minute,
        calendar: line.calendar.clone(),
        time_scale: clock.speed(),
    }
}
