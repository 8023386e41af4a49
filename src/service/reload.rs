//! A configuration that is read again while the service runs: taken as a whole, or not at all.
//!
//! What can fail is tried before anything is touched: reading, checking, planning. What fails later (the journal takes
//! nothing, the system gives no timer) is taken back, device by device and line by line, and the old configuration goes
//! on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Context;
use domain::audit::{Actor, Note, What};
use domain::line::event::EventKind;
use domain::units::{LineId, StationId};
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::alerts::CallBook;
use super::running::{FINAL_POLL, Running, RunningLine};
use super::screens;
use super::switchboard::{Switchboard, Ways};
use crate::clock::Clock;
use crate::config::change::{ConfigChange, LineChange};
use crate::config::{Config, ConfigError, LineConfig};
use crate::sources::{Feed, Place, Sources};
use crate::tls;
use crate::web::{LineFeed, Reload, ReloadOutcome, Reloads, Showing};

/// Digits of a hash that tell one configuration from another.
const DIGITS: usize = 12;

/// Reads the configuration again when somebody asks. A handle: all clones are the same.
#[derive(Clone)]
pub(super) struct Reloader(Arc<Inner>);

struct Inner {
    /// None once the service stops, which waits for a reload under way.
    running: tokio::sync::Mutex<Option<Running>>,
    switchboard: Switchboard,
    clock: Clock,
    /// The file that is read again; none for a configuration that is built in.
    file: Option<PathBuf>,
    /// Tells the watch over alerts which lines there are.
    follow: watch::Sender<Vec<LineFeed>>,
    calls: Arc<CallBook>,
    /// That of the screens, read again with the configuration.
    certificate: Option<Arc<tls::Server>>,
    /// What the screens show, and whether they are for this machine only.
    shown: OnceLock<(Showing, bool)>,
    last: Mutex<Option<Reload>>,
}

/// Why nothing was changed.
enum Refusal {
    /// The file has mistakes, or wants what needs a restart.
    Mistakes(Vec<String>),
    /// It could not be applied, and was taken back.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Refusal {
        Refusal::Failed(error)
    }
}

impl Reloader {
    pub(super) fn new(
        running: Running,
        (switchboard, follow): (Switchboard, watch::Sender<Vec<LineFeed>>),
        calls: Arc<CallBook>,
        clock: Clock,
        certificate: Option<Arc<tls::Server>>,
    ) -> Reloader {
        let file = running.config.file.clone();
        switchboard.set(ways(&running.lines));
        Reloader(Arc::new(Inner {
            running: tokio::sync::Mutex::new(Some(running)),
            switchboard,
            clock,
            file,
            follow,
            calls,
            certificate,
            shown: OnceLock::new(),
            last: Mutex::new(None),
        }))
    }

    /// Lets the screens follow.
    pub(super) fn show_on(&self, shown: Showing, local: bool) {
        // Said once, at the start.
        let _ = self.0.shown.set((shown, local));
    }

    /// What runs, for whoever ends it; a reload under way is waited for.
    pub(super) async fn take(&self) -> Option<Running> {
        self.0.running.lock().await.take()
    }

    /// Something of each line that runs.
    pub(super) async fn each<T>(&self, pick: impl Fn(&RunningLine) -> T) -> Vec<T> {
        let running = self.0.running.lock().await;
        running.iter().flat_map(|running| running.lines.iter().map(&pick)).collect()
    }

    /// Reads the configuration again and applies what has changed.
    pub(super) async fn reload(&self, actor: Actor) -> Reload {
        let by = actor.told();
        let mut running = self.0.running.lock().await;
        let before = running.as_ref().map_or_else(String::new, |r| r.config.sha256.clone());
        let done = match running.as_mut() {
            Some(running) => self.attempt(running, (&by, &actor)).await,
            None => Err(Refusal::Failed(anyhow::anyhow!("the service is being stopped"))),
        };
        let after = running.as_ref().map_or_else(String::new, |r| r.config.sha256.clone());
        let outcome = match done {
            Ok(changes) if before == after && changes.is_empty() => {
                info!(by, "the configuration is the same as before");
                ReloadOutcome::Applied(changes)
            }
            Ok(changes) => {
                info!(by, ?changes, sha256 = after, "what was read again is taken");
                ReloadOutcome::Applied(changes)
            }
            Err(Refusal::Mistakes(problems)) => {
                for problem in &problems {
                    warn!(by, "the configuration is not taken: {problem}");
                }
                ReloadOutcome::Refused(problems)
            }
            Err(Refusal::Failed(cause)) => {
                let cause = format!("{cause:#}");
                error!(by, cause, "the configuration could not be changed; the old one goes on");
                ReloadOutcome::Failed(cause)
            }
        };
        if let (Some(running), Some(why)) = (running.as_ref(), refused(&outcome)) {
            note_refusal(running, &actor, why).await;
        }
        let reload = Reload { at_us: self.0.clock.now().utc_us, by, before, after, outcome };
        let last = &self.0.last;
        *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(reload.clone());
        reload
    }

    async fn attempt(
        &self,
        running: &mut Running,
        by: (&str, &Actor),
    ) -> Result<Vec<String>, Refusal> {
        let file = self.0.file.clone().ok_or_else(|| {
            anyhow::anyhow!(
                "this service was not started from a file, so that there is none to read"
            )
        })?;
        let read = tokio::task::spawn_blocking(move || Config::load(&file)).await;
        let new = read.context("reading the configuration broke off")?.map_err(mistakes)?;
        let change = ConfigChange::between(&running.config, &new);
        if !change.needs_restart.is_empty() {
            return Err(Refusal::Mistakes(texts(&change.needs_restart)));
        }
        check(&new, &change, self.0.clock)?;
        // Before anything is changed: a certificate that cannot be used is a mistake like others.
        let ready = screens::read_again(self.0.certificate.as_ref()).await;
        let ready = ready.map_err(|why| Refusal::Mistakes(vec![why]))?;
        let is_same = new.sha256 == running.config.sha256;
        if !is_same {
            self.apply(running, new, &change, by).await?;
        }
        // Shown only once the configuration is taken that it was read with.
        let whose = (running.ground.historian.clone(), by.1.clone());
        let shown = screens::show(self.0.certificate.as_ref(), ready, whose).await;
        let renewed = match shown {
            Ok(renewed) => renewed,
            Err(why) if is_same => return Err(Refusal::Failed(anyhow::anyhow!(why))),
            Err(why) => Some(format!("the certificate of the screens stays as it was: {why}")),
        };
        let told = if is_same { Vec::new() } else { change.tell() };
        Ok(told.into_iter().chain(renewed).collect())
    }

    async fn apply(
        &self,
        running: &mut Running,
        new: Config,
        change: &ConfigChange,
        (by, actor): (&str, &Actor),
    ) -> anyhow::Result<()> {
        let added = begin_lines(running, &new, change).await?;
        let (stopped, silent) = stop_devices(running, change).await;
        let mut begun = begin_anew(running, &new, change, &added).await;
        if begun.is_ok() {
            // What cannot be noted is not done.
            begun = note_taken(running, &new, change, actor).await;
        }
        if let Err(error) = begun {
            take_back(running, stopped, added).await;
            return Err(error);
        }
        let old = running.config.sha256.clone();
        running.config = new;
        self.settle(running, change, added, &silent).await;
        keep_mark(running).await;
        self.tell(running, &old, change, by).await;
        Ok(())
    }

    /// What follows once all is read: nothing of it can fail.
    async fn settle(
        &self,
        running: &mut Running,
        change: &ConfigChange,
        added: Vec<RunningLine>,
        silent: &[(LineId, StationId)],
    ) {
        let mut lines = std::mem::take(&mut running.lines);
        lines.extend(added);
        for line in &running.config.lines {
            let Some(at) = lines.iter().position(|other| other.id() == &line.id) else { continue };
            let mut other = lines.swap_remove(at);
            other.config = line.clone();
            let differs = change.lines.iter().find(|differs| differs.id == line.id);
            if differs.is_some_and(|differs| differs.charts) {
                other.begin_charts(&running.ground).await;
            }
            running.lines.push(other);
        }
        self.0.switchboard.set(ways(&running.lines));
        let feeds: Vec<LineFeed> = running.lines.iter().map(RunningLine::shown).collect();
        self.learn_calls(&change.added).await;
        self.0.follow.send_replace(feeds.clone());
        if let Some((shown, local)) = self.0.shown.get() {
            let (config, writes) = (&running.config, change.web_writes);
            shown.change(|parts| {
                parts.lines = feeds;
                parts.config_sha256 = config.sha256.clone();
                parts.config_files = config.configuration().file_hashes();
                parts.map_texts = config.map_texts();
                parts.writes = writes.map_or(parts.writes, |writes| writes || *local);
            });
        }
        for line in lines {
            let id = line.id().clone();
            let its = silent.iter().filter(|(of, _)| *of == id);
            let its = its.map(|(_, station)| station.clone()).collect();
            if let Err(error) = line.finish(its).await {
                error!(line = %id, %error, "a line that is followed no more did not end in good order");
            }
        }
    }

    /// A line may have been there before, with calls that are still open.
    async fn learn_calls(&self, lines: &[LineId]) {
        let (calls, lines) = (self.0.calls.clone(), lines.to_vec());
        let learn = move || lines.iter().try_for_each(|line| calls.learn(line));
        if !matches!(tokio::task::spawn_blocking(learn).await, Ok(Ok(()))) {
            error!(
                "open calls for help of a line that is new cannot be read; a restart shows them"
            );
        }
    }

    /// Notes in every line under which configuration it goes on, and who said so.
    async fn tell(&self, running: &Running, old: &str, change: &ConfigChange, by: &str) {
        let digits = |sha256: &str| sha256.get(..DIGITS).unwrap_or(sha256).to_owned();
        let (old, new) = (digits(old), digits(&running.config.sha256));
        for line in &running.lines {
            let head = format!("configuration {old} became {new}, read by {by}");
            let detail: Vec<String> = [head].into_iter().chain(change.tell_of(line.id())).collect();
            let kind = (EventKind::Service, "configured");
            self.0.switchboard.note(Some(line.id()), kind, detail.join("; ")).await;
        }
    }
}

impl Reloads for Reloader {
    fn reload(&self, by: Actor) -> BoxFuture<'static, Result<Reload, String>> {
        let reloader = self.clone();
        // In a task of its own: a person who goes away must not leave it half done.
        let task = tokio::spawn(async move { reloader.reload(by).await });
        Box::pin(async move { task.await.map_err(|error| error.to_string()) })
    }

    fn last(&self) -> Option<Reload> {
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Why a configuration was not taken.
fn refused(outcome: &ReloadOutcome) -> Option<String> {
    match outcome {
        ReloadOutcome::Applied(_) => None,
        ReloadOutcome::Refused(problems) => Some(problems.join("; ")),
        ReloadOutcome::Failed(cause) => Some(cause.clone()),
    }
}

/// Notes in the audit trail, and keeps, the configuration that is taken.
async fn note_taken(
    running: &Running,
    new: &Config,
    change: &ConfigChange,
    by: &Actor,
) -> anyhow::Result<()> {
    let (historian, by) = (running.ground.historian.clone(), by.clone());
    let (configuration, changes) = (new.configuration(), change.tell());
    let old = running.config.sha256.clone();
    let take = move || historian.take_configuration(&by, configuration, &old, &changes);
    tokio::task::spawn_blocking(take).await?.context("the audit trail takes no entry")
}

/// Notes in the audit trail that one was not taken.
async fn note_refusal(running: &Running, by: &Actor, why: String) {
    let historian = running.ground.historian.clone();
    let sha256 = running.config.sha256.clone();
    let note = Note::new(by, What::ConfigurationRefused, "configuration");
    let note = note.change(sha256.clone(), sha256).why(why);
    let noted = tokio::task::spawn_blocking(move || historian.note(note)).await;
    if !matches!(noted, Ok(Ok(()))) {
        error!("that the configuration was not taken could not be noted in the audit trail");
    }
}

/// Lets the journal know whose it is from now on.
async fn keep_mark(running: &Running) {
    let historian = running.ground.historian.clone();
    let mark = super::start::mark(&running.config, running.ground.simulated);
    let kept = tokio::task::spawn_blocking(move || historian.mark(mark)).await;
    if !matches!(kept, Ok(Ok(()))) {
        error!(
            "the journal could not take the hash of the configuration; an export names the one before"
        );
    }
}

fn mistakes(error: ConfigError) -> Refusal {
    Refusal::Mistakes(texts(&error.problems))
}

fn texts(problems: &[domain::plc_map::Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn ways(lines: &[RunningLine]) -> Ways {
    lines.iter().map(|line| (line.id().clone(), line.commands.clone())).collect()
}

/// The stations of a line that are read anew.
fn started(change: &LineChange) -> Vec<StationId> {
    change.started().cloned().collect()
}

/// Plans the requests of all devices that would be started.
fn check(new: &Config, change: &ConfigChange, clock: Clock) -> Result<(), Refusal> {
    let starts = |line: &LineConfig, station: &StationId| {
        let differs = change.lines.iter().find(|differs| differs.id == line.id);
        change.added.contains(&line.id)
            || differs.is_some_and(|differs| differs.started().any(|one| one == station))
    };
    let devices = new.lines.iter().flat_map(|line| line.devices.iter().map(move |d| (line, d)));
    let refused: Vec<String> = devices
        .filter(|(line, device)| starts(line, &device.map.station))
        .filter_map(|(_, device)| Sources::check(device, clock).err())
        .map(|error| error.to_string())
        .collect();
    if refused.is_empty() { Ok(()) } else { Err(Refusal::Mistakes(refused)) }
}

/// Begins to follow the lines that are new: all of them or none.
async fn begin_lines(
    running: &Running,
    new: &Config,
    change: &ConfigChange,
) -> anyhow::Result<Vec<RunningLine>> {
    let mut added: Vec<RunningLine> = Vec::new();
    for line in new.lines.iter().filter(|line| change.added.contains(&line.id)) {
        match RunningLine::begin(line, &running.ground) {
            Ok(line) => added.push(line),
            Err(error) => {
                for line in added {
                    line.abandon().await;
                }
                return Err(error);
            }
        }
    }
    Ok(added)
}

/// Reads the devices that go, or are read anew, once more, and stops them. Returns what it takes to start them again, and
/// which of them did not answer.
async fn stop_devices(
    running: &Running,
    change: &ConfigChange,
) -> (Vec<Feed>, Vec<(LineId, StationId)>) {
    let mut feeds = Vec::new();
    for line in &running.lines {
        let removed = change.removed.contains(line.id());
        let differs = change.lines.iter().find(|differs| &differs.id == line.id());
        let stops = |station: &StationId| {
            removed || differs.is_some_and(|differs| differs.stopped().any(|one| one == station))
        };
        feeds.extend(line.feeds(stops));
    }
    let places: Vec<Place> =
        feeds.iter().map(|feed| Place { line: feed.line.clone(), device: feed.device }).collect();
    let silent = running.sources.final_poll_of(&places, FINAL_POLL).await;
    if !silent.is_empty() {
        warn!(?silent, "these stations did not answer before they were read anew or no more");
    }
    running.sources.remove(&places).await;
    (feeds, silent)
}

/// Lets the lines that differ go on under their new configuration, and starts their devices and those of new lines.
async fn begin_anew(
    running: &mut Running,
    new: &Config,
    change: &ConfigChange,
    added: &[RunningLine],
) -> anyhow::Result<()> {
    let mut feeds: Vec<Feed> = added.iter().flat_map(|line| line.feeds(|_| true)).collect();
    for differs in change.lines.iter().filter(|differs| differs.followed) {
        let wanted = new.lines.iter().find(|line| line.id == differs.id);
        let line = running.lines.iter_mut().find(|line| *line.id() == differs.id);
        let (Some(wanted), Some(line)) = (wanted, line) else { continue };
        let started = started(differs);
        let slots = line.renumber(wanted, &started)?;
        line.change(wanted, (slots, &started), &running.ground.clock).await?;
        feeds.extend(line.feeds(|station| started.contains(station)));
    }
    Ok(running.sources.add(feeds)?)
}

/// Goes back to the configuration before: lines that have changed change back, and what was stopped is started again
/// under its old numbers.
async fn take_back(running: &mut Running, stopped: Vec<Feed>, added: Vec<RunningLine>) {
    for line in added {
        line.abandon().await;
    }
    let clock = running.ground.clock;
    for old in &running.config.lines {
        let Some(line) = running.lines.iter_mut().find(|line| line.id() == &old.id) else {
            continue;
        };
        if line.config == *old {
            continue;
        }
        // Its devices were numbered in this order at the start of the attempt, or are numbered anew now.
        let started: Vec<StationId> = stopped
            .iter()
            .filter(|feed| feed.line == old.id)
            .map(|feed| feed.config.map.station.clone())
            .collect();
        let slots = old.devices.iter().map(|device| {
            let station = &device.map.station;
            let was = stopped.iter().find(|f| f.line == old.id && f.config.map.station == *station);
            let is = || {
                let at = line.config.devices.iter().position(|d| d.map.station == *station)?;
                line.slots().get(at).copied()
            };
            was.map(|feed| feed.device).or_else(is)
        });
        let slots: Option<Vec<u16>> = slots.collect();
        let changed = match slots {
            Some(slots) => line.change(old, (slots, &started), &clock).await,
            None => Err(anyhow::anyhow!("the numbers of its devices are lost")),
        };
        if let Err(error) = changed {
            error!(line = %old.id, %error, "a line could not go back to its configuration; restart the service");
        }
    }
    if let Err(error) = running.sources.add(stopped) {
        error!(%error, "devices could not be read again under the old configuration; restart the service");
    }
}
