//! Alerts and calls for help of a running service: what is the case is looked at once a second, what changed is written
//! down and told.

mod calls;
mod facts;
mod post;
mod scribe;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::alert::{Alert, Change, Condition, Delivery, Facts, Rule, StoredAlert, Turn, Watch};
use domain::quality::record::StoredIncident;
use domain::units::{HOUR_US, LineId, Moment};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

pub(super) use calls::CallBook;
pub(super) use post::hooks;

use super::gauges::{counter, gauge};
use crate::clock::Clock;
use crate::historian::Historian;
use crate::historian::forward::ForwardStatus;
use crate::web::{AlertBook, Gauge, LineFeed};
use crate::webhook::{Hook, Tries};
use post::{PostOffice, Tally};
use scribe::{Entry, Scribe};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);
/// How often the journal is asked for incidents: a subgroup takes a minute at least.
const INCIDENTS_EVERY: Duration = Duration::from_secs(10);
/// Incidents of one look.
const INCIDENTS: usize = 500;
/// How far back it is looked at a start for what was not told.
const LOOK_BACK_US: i64 = post::WORTH_US + HOUR_US;

/// What alerts are made of.
pub(super) struct AlertParts {
    pub(super) site: String,
    pub(super) simulated: bool,
    pub(super) clock: Clock,
    pub(super) historian: Historian,
    pub(super) rules: Vec<Rule>,
    pub(super) hooks: Vec<Hook>,
    /// What is followed, which a reload may change.
    pub(super) lines: watch::Receiver<Vec<LineFeed>>,
    pub(super) calls: Arc<CallBook>,
    /// None where no plant database is configured.
    pub(super) plant: Option<ForwardStatus>,
}

/// The running watch.
pub(super) struct Alerts {
    board: Arc<Board>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    scribe: Scribe,
}

/// What is open and by which rules, for the screens.
pub(super) struct Board {
    historian: Historian,
    rules: Vec<Rule>,
    open: Mutex<Vec<StoredAlert>>,
    tally: Tally,
}

impl Alerts {
    /// Goes on with the alerts that were open, and tells what was not told to the end.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(super) fn start(parts: AlertParts) -> anyhow::Result<Alerts> {
        let AlertParts { site, simulated, clock, historian, rules, hooks, lines, calls, plant } =
            parts;
        let now_us = clock.now().utc_us;
        let stored = historian.alerts(now_us - LOOK_BACK_US)?;
        let mut open: Vec<StoredAlert> = stored.clone();
        open.retain(|stored| stored.closed_us.is_none());
        let alerts: Vec<Alert> = open.iter().map(|stored| stored.alert.clone()).collect();
        let (watch, orphans) = Watch::new(rules.clone(), alerts);
        let (tally, journal) = (Tally::new(&hooks), historian.clone());
        let open = Mutex::new(open);
        let board = Arc::new(Board { historian: journal, rules, open, tally: tally.clone() });
        let (scribe, pen) = Scribe::start(historian.clone());
        let office = PostOffice::new(hooks, Tries::default(), (pen, tally), (site, simulated));
        office.take_up(&historian, &stored, now_us)?;
        let mut round = Round {
            clock,
            next: historian.last_alert()? + 1,
            historian,
            lines,
            calls,
            plant,
            watch,
            office: Arc::new(office),
            board: board.clone(),
            incidents: BTreeMap::new(),
            incidents_at: None,
            began_us: None,
        };
        // Their rule was taken out, so that nobody would ever close them.
        for alert in orphans {
            round.take(Change { turn: Turn::Closed, at_us: now_us, alert });
        }
        let (stop, stopped) = watch::channel(false);
        Ok(Alerts { board, stop, task: tokio::spawn(round.run(stopped)), scribe })
    }

    /// What is open, for the screens.
    pub(super) fn board(&self) -> Arc<Board> {
        self.board.clone()
    }

    /// Stops to look and to tell; alerts stay open, and what was not told is told by the next run.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            warn!(%error, "the watch over alerts had ended before");
        }
        self.scribe.stop().await;
    }
}

impl Board {
    /// Open alerts by rule, and what became of what was told, as figures.
    pub(super) fn gauges(&self, gauges: &mut Vec<Gauge>) {
        let open = self.open().clone();
        for rule in &self.rules {
            let n = open.iter().filter(|stored| stored.alert.rule == rule.name).count();
            let labels = vec![("rule", rule.name.to_string())];
            gauges.push(gauge("capline_alerts_open", "Alerts that are open", labels, n as f64));
        }
        for ((hook, outcome), n) in self.tally.read() {
            let labels = vec![("hook", hook.to_string()), ("outcome", outcome.to_owned())];
            let help = "Attempts to tell a webhook since the start, by what came of them";
            gauges.push(counter("capline_webhook_deliveries", help, labels, n as f64));
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<StoredAlert>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AlertBook for Board {
    fn rules(&self) -> Vec<Rule> {
        self.rules.clone()
    }

    fn open_alerts(&self) -> Vec<StoredAlert> {
        self.open().clone()
    }

    fn alerts(&self, since_us: i64) -> Result<Vec<StoredAlert>, String> {
        self.historian.alerts(since_us).map_err(|error| error.to_string())
    }

    fn deliveries(&self, limit: usize) -> Result<Vec<Delivery>, String> {
        self.historian.deliveries(limit).map_err(|error| error.to_string())
    }
}

/// The task.
struct Round {
    clock: Clock,
    historian: Historian,
    lines: watch::Receiver<Vec<LineFeed>>,
    calls: Arc<CallBook>,
    plant: Option<ForwardStatus>,
    watch: Watch,
    /// Number of the next alert.
    next: i64,
    office: Arc<PostOffice>,
    board: Arc<Board>,
    /// Incidents as last read; none of a line where they could not be read.
    incidents: BTreeMap<LineId, Option<Vec<StoredIncident>>>,
    incidents_at: Option<Instant>,
    /// When the first look was, boot clock.
    began_us: Option<i64>,
}

impl Round {
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
            }
            if self.watches(Condition::SpcPage) {
                self.read_incidents().await;
            }
            let now = self.clock.now();
            let facts = self.facts(now);
            for change in self.watch.look(now, &facts) {
                self.take(change);
            }
        }
    }

    fn watches(&self, condition: Condition) -> bool {
        self.watch.rules().iter().any(|rule| rule.condition == condition)
    }

    fn facts(&mut self, now: Moment) -> Facts {
        let watched_us = now.mono_us - *self.began_us.get_or_insert(now.mono_us);
        let mut facts = Facts::default();
        for line in self.lines.borrow().iter() {
            let id = &line.config.id;
            let status = line.status.borrow().clone();
            let time = (now, self.clock.speed());
            let state = status.as_deref().and_then(|status| facts::current(status, time));
            facts::of_state(&line.config, state, (now, watched_us), &mut facts);
            facts::of_calls(id, &self.calls.waiting(id), &mut facts);
            match self.incidents.get(id) {
                Some(Some(incidents)) => facts::of_charts(id, incidents, &mut facts),
                Some(None) | None => facts.blind.push((Condition::SpcPage, Some(id.clone()))),
            }
        }
        if self.watches(Condition::Disk) {
            facts::of_store(&self.historian.stats(), &mut facts);
        }
        if let Some(plant) = &self.plant {
            facts::of_database(&plant.read(), &mut facts);
        }
        facts
    }

    /// Reads incidents now and then. Without the journal nobody can say whether one is over.
    async fn read_incidents(&mut self) {
        if self.incidents_at.is_some_and(|at| at.elapsed() < INCIDENTS_EVERY) {
            return;
        }
        let lines: Vec<LineId> =
            self.lines.borrow().iter().map(|line| line.config.id.clone()).collect();
        let (historian, now_us) = (self.historian.clone(), self.clock.now().utc_us);
        let read = tokio::task::spawn_blocking(move || {
            let of = |line: LineId| {
                let incidents = historian.incidents(&line, (now_us, now_us), INCIDENTS);
                (line, incidents.ok())
            };
            lines.into_iter().map(of).collect()
        });
        self.incidents = read.await.unwrap_or_default();
        self.incidents_at = Some(Instant::now());
    }

    /// Writes a change down and tells it.
    fn take(&mut self, Change { turn, at_us, alert }: Change) {
        let (rule, subject, detail) = (&alert.rule, &alert.subject, &alert.detail);
        match turn {
            Turn::Opened => {
                warn!(%rule, %subject, %detail, "an alert opened");
                let hooks = self.hooks(rule);
                let id = uuid::Uuid::new_v4().simple().to_string().into();
                let stored = StoredAlert { number: self.next, id, alert, hooks, closed_us: None };
                self.next += 1;
                self.board.open().push(stored.clone());
                self.office.send(stored.clone(), turn, Entry::Opened(stored));
            }
            Turn::Closed => {
                info!(%rule, %subject, "an alert closed");
                let mut open = self.board.open();
                let Some(i) = open.iter().position(|stored| stored.alert == alert) else { return };
                let stored = StoredAlert { closed_us: Some(at_us), ..open.remove(i) };
                drop(open);
                let entry = Entry::Closed { id: stored.id.clone(), closed_us: at_us };
                self.office.send(stored, turn, entry);
            }
        }
    }

    fn hooks(&self, name: &Arc<str>) -> Vec<Arc<str>> {
        let rule = self.watch.rules().iter().find(|rule| rule.name == *name);
        rule.map_or_else(Vec::new, |rule| rule.hooks.clone())
    }
}
