//! The lines and devices that run now: each is begun and ended by itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::line::status::LineStatus;
use domain::quality::Overview;
use domain::units::{LineId, StationId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{error, warn};

use super::line::{Alive, Command, LineChange, LineTask};
use super::{LineSummary, QUEUE, device_tags, follow, model, quality};
use crate::clock::Clock;
use crate::config::{Config, LineConfig};
use crate::historian::Historian;
use crate::sources::{Feed, SnapshotSender, Sources};
use crate::web::{Followers, LineFeed};

/// How long the last poll of each device may take when it ends.
pub(super) const FINAL_POLL: Duration = Duration::from_secs(2);

/// What every line stands on.
#[derive(Clone)]
pub(super) struct Ground {
    pub(super) historian: Historian,
    pub(super) clock: Clock,
    /// Whether the plant is simulated.
    pub(super) simulated: bool,
    /// Time between two ticks.
    pub(super) every: Duration,
    /// Hears of lines that ended by a fault of ours.
    pub(super) failed: mpsc::UnboundedSender<LineId>,
}

/// What runs now.
pub(super) struct Running {
    pub(super) config: Config,
    /// In the order of the configuration.
    pub(super) lines: Vec<RunningLine>,
    pub(super) sources: Arc<Sources>,
    pub(super) ground: Ground,
}

/// A line that runs.
pub(super) struct RunningLine {
    pub(super) config: LineConfig,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) counting: watch::Receiver<bool>,
    task: JoinHandle<()>,
    out: SnapshotSender,
    status: watch::Receiver<Option<Arc<LineStatus>>>,
    followers: Followers,
    /// The numbers under which its devices send, in their order.
    slots: Vec<u16>,
    next_slot: u16,
    charts: Charts,
}

/// The control charts of a line.
struct Charts {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
    shown: watch::Receiver<Option<Arc<Overview>>>,
}

impl RunningLine {
    /// Begins to follow a line. Its devices are not read yet: see [`RunningLine::feeds`].
    pub(super) fn begin(config: &LineConfig, ground: &Ground) -> anyhow::Result<RunningLine> {
        let Ground { historian, clock, every, failed, .. } = ground.clone();
        let (out, snapshots) = mpsc::channel(QUEUE);
        let (publish, status) = watch::channel(None);
        let followers = Followers::default();
        let (count, counting) = watch::channel(false);
        let (commands, inbox) = mpsc::channel(4);
        let follow = follow(config, &historian, &clock, clock.now())?;
        historian.describe_anew(&config.id, &device_tags(config))?;
        let next_slot = u16::try_from(config.devices.len()).context("too many devices")?;
        let slots: Vec<u16> = (0..next_slot).collect();
        let charts = charts(config, ground);
        let task = LineTask {
            id: config.id.clone(),
            tracker: follow.tracker,
            next_seq: follow.next_seq,
            clock,
            historian,
            snapshots,
            inbox,
            publish,
            followers: followers.clone(),
            count,
            every,
            slots: slots.clone(),
            alive: Alive { id: config.id.clone(), failed, finished: false },
        };
        Ok(RunningLine {
            config: config.clone(),
            commands,
            counting,
            task: tokio::spawn(task.run()),
            out,
            status,
            followers,
            slots,
            next_slot,
            charts,
        })
    }

    /// Its identifier.
    pub(super) fn id(&self) -> &LineId {
        &self.config.id
    }

    /// Its status as of its last tick.
    pub(super) fn latest(&self) -> Option<Arc<LineStatus>> {
        self.status.borrow().clone()
    }

    /// The line as the web sees it.
    pub(super) fn shown(&self) -> LineFeed {
        LineFeed {
            config: self.config.clone(),
            status: self.status.clone(),
            charts: self.charts.shown.clone(),
            followers: self.followers.clone(),
        }
    }

    /// What the sources need to read these stations.
    pub(super) fn feeds(&self, picks: impl Fn(&StationId) -> bool) -> Vec<Feed> {
        let devices = self.config.devices.iter().zip(&self.slots);
        let picked = devices.filter(|(device, _)| picks(&device.map.station));
        picked
            .map(|(device, slot)| Feed {
                line: self.config.id.clone(),
                device: *slot,
                config: device.clone(),
                out: self.out.clone(),
            })
            .collect()
    }

    /// The numbers of the devices of another configuration: a device that is read on keeps its number.
    pub(super) fn renumber(
        &mut self,
        config: &LineConfig,
        started: &[StationId],
    ) -> anyhow::Result<Vec<u16>> {
        let mut slots = Vec::new();
        for device in &config.devices {
            let station = &device.map.station;
            let known = self.config.devices.iter().position(|old| old.map.station == *station);
            match known.filter(|_| !started.contains(station)) {
                Some(known) => slots.push(self.slots[known]),
                None => {
                    slots.push(self.next_slot);
                    let next = self.next_slot.checked_add(1);
                    self.next_slot = next
                        .context("the configuration was changed too often; restart the service")?;
                }
            }
        }
        Ok(slots)
    }

    /// Lets the line go on under another configuration. With an error it goes on as before.
    pub(super) async fn change(
        &mut self,
        config: &LineConfig,
        (slots, started): (Vec<u16>, &[StationId]),
        clock: &Clock,
    ) -> anyhow::Result<()> {
        let stations = config.devices.iter().map(|device| &device.map.station);
        let untouched = stations.filter(|station| !started.contains(station)).cloned().collect();
        let change = LineChange {
            model: model(config, clock),
            tags: device_tags(config),
            slots: slots.clone(),
            untouched,
        };
        let (reply, changed) = oneshot::channel();
        let command = Command::Change { change: Box::new(change), reply };
        self.commands.send(command).await.context(ENDED)?;
        changed.await.context(ENDED)??;
        (self.config, self.slots) = (config.clone(), slots);
        Ok(())
    }

    /// The numbers of its devices.
    pub(super) fn slots(&self) -> &[u16] {
        &self.slots
    }

    /// Lets its control charts begin anew. The old ones have kept their last points by then, so that none is kept twice.
    pub(super) async fn begin_charts(&mut self, ground: &Ground) {
        self.charts.stop.send_replace(true);
        if (&mut self.charts.task).await.is_err() {
            error!(line = %self.id(), "the charts of a line had ended before their time");
        }
        self.charts = charts(&self.config, ground);
    }

    /// Stores everything and ends. Its devices are read no more by then; `silent` are those that did not answer the last
    /// poll.
    pub(super) async fn finish(self, silent: Vec<StationId>) -> anyhow::Result<LineSummary> {
        let (reply, summary) = oneshot::channel();
        self.commands.send(Command::Finish { silent, reply }).await.context(ENDED)?;
        let summary =
            summary.await.with_context(|| format!("line {} did not finish", self.config.id))??;
        self.task.await?;
        self.charts.stop.send_replace(true);
        self.charts.task.await?;
        Ok(summary)
    }

    /// Ends a line that was begun in vain.
    pub(super) async fn abandon(self) {
        let line = self.config.id.clone();
        if let Err(error) = self.finish(Vec::new()).await {
            warn!(%line, %error, "a line that was begun in vain did not end in good order");
        }
    }
}

const ENDED: &str = "the task of a line has ended before its time";

fn charts(config: &LineConfig, ground: &Ground) -> Charts {
    let (stop, stopped) = watch::channel(false);
    let (publish, shown) = watch::channel(None);
    let (config, historian) = (config.clone(), ground.historian.clone());
    let running = quality::run(config, historian, ground.clock, publish, stopped);
    Charts { task: tokio::spawn(running), stop, shown }
}
