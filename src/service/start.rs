//! The start of a service: what is opened and begun, in which order, and what keeps it from starting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::account::SessionLimits;
use domain::line::event::EventKind;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::alerts::{self, AlertParts, Alerts, CallBook};
use super::gauges::ServiceGauges;
use super::plant::{self, plant_database};
use super::reload::Reloader;
use super::running::{Ground, Running, RunningLine};
use super::switchboard::Switchboard;
use super::{KeptAccounts, Service, StoredHistory, screens};
use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::config::{Config, WebAccess};
use crate::historian::forward::Forwarder;
use crate::historian::{AccountBook, Historian, PlantMark};
use crate::sources::{SourceAlarm, Sources};
use crate::web::{self, App, AppParts, Gate, LineFeed, Shown, Simulator};

impl Service {
    /// Starts everything; see [`Service::start`].
    pub(super) async fn start_with(
        config: &Config,
        clock: Clock,
        historian: Historian,
        (simulated, simulator): (bool, Option<Arc<dyn Simulator>>),
    ) -> anyhow::Result<Service> {
        let hooks = alerts::hooks(&config.webhooks)?;
        let certificate = screens::certificate(config)?;
        let listener = bind(config.web.listen).await?;
        let addr = listener.local_addr()?;
        historian.mark(mark(config, simulated))?;
        // What cannot be noted is not done: without it nothing starts.
        historian.note_start(config.configuration())?;
        let (fail, failed) = mpsc::unbounded_channel();
        let every = config.commit_every;
        let ground = Ground { historian: historian.clone(), clock, simulated, every, failed: fail };
        let begin = |line| RunningLine::begin(line, &ground);
        let lines = config.lines.iter().map(begin).collect::<anyhow::Result<Vec<_>>>()?;
        let switchboard = Switchboard::default();
        let forwarder = start_forwarder(config, &historian, &switchboard)?;
        let sources = start_sources(config, &lines, clock, &switchboard)?;
        let line_feeds: Vec<LineFeed> = lines.iter().map(RunningLine::shown).collect();
        let ids = config.lines.iter().map(|line| &line.id);
        let calls = Arc::new(CallBook::new(historian.clone(), clock, ids)?);
        let (follow, followed) = watch::channel(line_feeds.clone());
        let alerts = Alerts::start(AlertParts {
            site: config.site.clone(),
            simulated,
            clock,
            historian: historian.clone(),
            rules: config.alerts.clone(),
            hooks,
            lines: followed,
            calls: calls.clone(),
            plant: forwarder.as_ref().map(Forwarder::status),
        })?;
        let accounts = accounts(config, &historian);
        let (access, shown_accounts) = shown_accounts(config, accounts.as_ref());
        let gauges = ServiceGauges {
            historian: historian.clone(),
            sources: sources.clone(),
            plant: forwarder.as_ref().map(Forwarder::status),
            alerts: alerts.board(),
        };
        let seen = Arc::downgrade(&sources);
        let running = Running { config: config.clone(), lines, sources, ground };
        let ways = (switchboard.clone(), follow);
        let reloader = Reloader::new(running, ways, calls.clone(), clock, certificate.clone());
        let app = App::new(AppParts {
            site: config.site.clone(),
            zone: config.zone.clone(),
            clock,
            simulated,
            config_file: config.path(),
            config_sha256: config.sha256.clone(),
            config_files: config.configuration().file_hashes(),
            map_texts: config.map_texts(),
            lines: line_feeds,
            history: Arc::new(StoredHistory(historian.clone())),
            quality: Arc::new(StoredHistory(historian.clone())),
            reports: Arc::new(StoredHistory(historian.clone())),
            desk: Arc::new(switchboard),
            reloads: Arc::new(reloader.clone()),
            calls,
            alerts: alerts.board(),
            writes: config.web.writes || addr.ip().is_loopback(),
            access,
            two_persons: config.quality.two_persons,
            accounts: shown_accounts,
            trail: Arc::new(StoredHistory(historian.clone())),
            gauges: Arc::new(gauges),
            simulator,
            gate: Arc::new(Gate::new(config.web.reach.limits, certificate.clone())),
        });
        let shown = Shown::from(app);
        reloader.show_on(shown.showing(), addr.ip().is_loopback());
        let (web, stop_web) = serve(listener, shown);
        info!(%addr, tls = certificate.is_some(), "the screens are served");
        if certificate.is_none() && !addr.ip().is_loopback() {
            warn!(
                "the screens are served in clear: everybody on the network can read and change what is sent; see [web.tls]"
            );
        }
        let look_after = |server| screens::look_after(server, historian.clone());
        let looked_after = certificate.clone().map(look_after);
        let failed = tokio::sync::Mutex::new(failed);
        Ok(Service {
            addr,
            historian,
            sources: seen,
            reloader,
            failed,
            forwarder,
            alerts,
            certificate,
            looked_after,
            accounts,
            web,
            stop_web,
        })
    }
}

/// Polls the devices of all lines, and lets what a person should hear of them into the journal.
fn start_sources(
    config: &Config,
    lines: &[RunningLine],
    clock: Clock,
    switchboard: &Switchboard,
) -> anyhow::Result<Arc<Sources>> {
    let feeds = lines.iter().flat_map(|line| line.feeds(|_| true)).collect();
    let sources = Sources::start_with_priority(feeds, clock, config.realtime_priority)?;
    if let Some(alarms) = sources.alarms() {
        tokio::spawn(note_alarms(alarms, switchboard.clone()));
    }
    Ok(Arc::new(sources))
}

/// Serves the screens until what is returned sends a word or is dropped.
fn serve(
    listener: TcpListener,
    shown: Shown,
) -> (JoinHandle<std::io::Result<()>>, oneshot::Sender<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let until_stopped = async move {
        // A dropped sender means the same as a sent word: the service is going.
        let _ = stopped.await;
    };
    (tokio::spawn(web::serve(listener, shown, until_stopped)), stop)
}

/// Lets what a person should hear of a source become an alarm of its line, and so go into the journal.
async fn note_alarms(mut alarms: mpsc::Receiver<SourceAlarm>, switchboard: Switchboard) {
    while let Some(SourceAlarm { line, station, detail }) = alarms.recv().await {
        let detail = format!("{station}: {detail}");
        switchboard.note(Some(&line), (EventKind::Alarm, "source"), detail).await;
    }
}

/// Forwards where a plant database is configured. One that cannot be reached holds nothing up.
fn start_forwarder(
    config: &Config,
    historian: &Historian,
    switchboard: &Switchboard,
) -> anyhow::Result<Option<Forwarder>> {
    let Some(database) = &config.database else { return Ok(None) };
    let settings = plant_database(&config.site, database)?;
    plant::forward(historian, settings, switchboard.clone()).map(Some)
}

/// The accounts of the journal, where people sign in.
fn accounts(config: &Config, historian: &Historian) -> Option<Accounts> {
    let us = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    let (idle_us, longest_us) = (us(config.web.session_idle), us(config.web.session_longest));
    let limits = SessionLimits { idle_us, longest_us };
    let signs_in = config.web.access == WebAccess::Users;
    signs_in.then(|| Accounts::new(AccountBook::within(historian), limits))
}

/// Who may ask the web, and how it knows.
fn shown_accounts(
    config: &Config,
    accounts: Option<&Accounts>,
) -> (web::Access, Arc<dyn web::Accounts>) {
    match accounts {
        Some(accounts) => {
            let access = web::Access::Users { secure: config.web.has_tls() };
            (access, Arc::new(KeptAccounts(accounts.clone())))
        }
        None => (web::Access::Open, Arc::new(web::NoAccounts)),
    }
}

/// What the journal keeps of a configuration, so that it can be read out without it.
pub(super) fn mark(config: &Config, simulated: bool) -> PlantMark {
    PlantMark {
        site: config.site.clone(),
        zone: config.zone.iana_name().unwrap_or("UTC").to_owned(),
        config_sha256: config.sha256.clone(),
        simulated,
    }
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
