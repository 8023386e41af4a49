//! The web: pages, JSON, the live stream. Computes nothing; shows what lines publish and the historian kept.
//!
//! Each area brings its own routes ([`pages`], [`api`], [`live`], [`metrics`], [`assets`]); [`serve()`] puts them on a
//! socket. What the service has to answer for them is in `record`, `desk`, `andon`, `reloads`, `gauges` and
//! `accounts`, and what a simulated plant has in [`simulator`]; who asks is in `who`.
//!
//! # What is defended, and how
//!
//! What is worth something here: the account (nobody may change a count, nor keep the lines from being followed), what
//! people wrote into it, and the secrets with which other systems are reached. The attacker is a machine of the plant
//! network, or a page of some site in the browser of a person at this machine. Who is root here, or at a PLC, has won.
//!
//! | against | stands | in |
//! |---|---|---|
//! | reading and changing on the way | TLS 1.3 or 1.2; HSTS with a certificate of the plant | `tls` |
//! | connections without end, slow heads, slow bodies, screens that do not read | a place for each connection, in all and for each address; times for handshake, head, body and answer; bounds of head and body; 64 live screens | `limits`, `serve` |
//! | somebody without the right | users with roles, sessions, few attempts at a password, which nobody else knows; displays by token | `door`, `session`, `who` |
//! | somebody who denies it | an entry of the audit trail in the transaction of each change, or no change; signatures take the password again, and two persons where that is configured | `trail`, `admin` |
//! | pages of others | `Origin` has to be ours, a body JSON; no CORS, a policy without inline scripts | `origin`, `serve` |
//! | a foreign name that leads to 127.0.0.1 | the `Host` of a loopback address is checked | `serve` |
//! | texts from machines and people | escaped by the templates; never in a header, a path or SQL | [`pages`] |
//! | an error that tells too much | public words and a code; the cause is in the log alone | [`error`] |
//! | a web that stands still | lines, polls and the journal share no lock and no thread pool's turn with it; a live screen pulls | [`live`] |
//!
//! What is not: who fills the network itself, and who has as many addresses as there are places.

mod accounts;
mod address;
mod admin;
mod andon;
pub mod api;
pub mod assets;
mod attempts;
mod cookies;
mod desk;
mod details;
mod displays;
mod door;
pub mod error;
mod gauges;
pub mod i18n;
mod limits;
pub mod live;
pub mod metrics;
mod origin;
pub mod pages;
mod record;
mod reloads;
mod replay;
mod serve;
mod session;
pub mod simulator;
mod tls;
mod trail;
pub mod view;
mod who;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::routing::MethodRouter;
use domain::line::status::LineStatus;
use domain::quality::Overview;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::config::LineConfig;
pub use accounts::{
    Account, Accounts, Begun, Change, NewAccount, NoAccounts, NoLogin, Order, Refused, Right, Role,
    StoredAccount, StoredDisplay,
};
pub use andon::{AlertBook, CallDesk};
pub use api::forward::{Forwarding, ForwardingStream};
pub use desk::Desk;
use error::{WebError, short};
pub use gauges::{Gauge, GaugeKind, Gauges, Histogram};
pub use limits::Gate;
pub(crate) use limits::Why;
pub use live::Followers;
pub(crate) use record::blocking;
pub use record::{History, QualityRecord, ReportRecord, TagReading, TrendOf};
pub use reloads::{Reload, ReloadOutcome, Reloads, Showing, Shown};
pub(crate) use serve::Peer;
pub(crate) use serve::is_simulated;
#[cfg(test)]
use serve::router;
pub use serve::{ask, serve};
pub use simulator::Simulator;
pub(crate) use trail::{Asker, meaning_of};
pub use trail::{NoTrail, Trail};
use view::{CallView, LineView, Present, STALE_MS};
pub use who::{Access, Via, WhereFrom, Who};

/// Live screens at once. Each holds a connection and is written to twice a second.
const STREAMS: usize = 64;

/// Passwords that are looked at at once: a flood of them takes two threads for a while and no more.
const HASHING: usize = 2;

/// Routes of an area: path and what answers there. A list rather than a router, so that tests can compare it with
/// the description at `/api/openapi.json`.
pub(crate) type Routes = Vec<(&'static str, MethodRouter<Shown>)>;

/// All that the web shows. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: AppParts,
    streams: Arc<Semaphore>,
    closing: Arc<watch::Sender<bool>>,
    displays: Arc<displays::Displays>,
    attempts: Arc<attempts::Attempts>,
    /// Passwords that are looked at at once.
    hashing: Arc<Semaphore>,
}

/// What an [`App`] is made of.
#[derive(Clone)]
pub struct AppParts {
    /// Name of the site.
    pub site: String,
    /// Time zone of the screens.
    pub zone: jiff::tz::TimeZone,
    /// The service's clock.
    pub clock: Clock,
    /// Whether the plant is simulated. Marks every page, and nothing takes the mark away.
    pub simulated: bool,
    /// Path of the configuration as it was given, for commands to copy.
    pub config_file: String,
    /// SHA-256 of the configuration and its maps, for the evidence of reports.
    pub config_sha256: String,
    /// Names and SHA-256 of the files of the configuration: itself and its maps.
    pub config_files: Vec<(String, String)>,
    /// Names and texts of the maps that run.
    pub map_texts: Vec<(String, String)>,
    /// Lines, in the order of the configuration.
    pub lines: Vec<LineFeed>,
    /// What was kept.
    pub history: Arc<dyn History>,
    /// Limits, incidents and judged subgroups.
    pub quality: Arc<dyn QualityRecord>,
    /// Final reports and what was said about gaps.
    pub reports: Arc<dyn ReportRecord>,
    /// The audit trail, signatures, and configurations that were in force.
    pub trail: Arc<dyn Trail>,
    /// Takes what people order of a line.
    pub desk: Arc<dyn Desk>,
    /// Calls for help.
    pub calls: Arc<dyn CallDesk>,
    /// Alerts and what was told of them.
    pub alerts: Arc<dyn AlertBook>,
    /// Reads the configuration again.
    pub reloads: Arc<dyn Reloads>,
    /// Whether requests may write at all: limits, decisions, causes. Where people sign in, roles decide instead.
    pub writes: bool,
    /// Who may ask at all.
    pub access: Access,
    /// Whether a final report takes the signatures of two persons.
    pub two_persons: bool,
    /// Accounts, sessions and displays.
    pub accounts: Arc<dyn Accounts>,
    /// What the service measures of itself.
    pub gauges: Arc<dyn Gauges>,
    /// The simulated plant, where there is one: its page and its API exist only then.
    pub simulator: Option<Arc<dyn Simulator>>,
    /// How the screens are reached, and how many may.
    pub gate: Arc<Gate>,
}

/// A line as the web sees it.
#[derive(Clone)]
pub struct LineFeed {
    /// What was configured.
    pub config: LineConfig,
    /// Its latest status, none until the first.
    pub status: watch::Receiver<Option<Arc<LineStatus>>>,
    /// What its control charts say, none until their first look at the record.
    pub charts: watch::Receiver<Option<Arc<Overview>>>,
    /// Who follows it closely.
    pub followers: Followers,
}

impl App {
    /// An app that shows these parts.
    pub fn new(parts: AppParts) -> App {
        let (closing, _) = watch::channel(false);
        let (streams, closing) = (Arc::new(Semaphore::new(STREAMS)), Arc::new(closing));
        let hashing = Arc::new(Semaphore::new(HASHING));
        let (displays, attempts) = (Arc::default(), Arc::default());
        App(Arc::new(Inner { parts, streams, closing, displays, attempts, hashing }))
    }

    /// The parts it was made of.
    pub fn parts(&self) -> &AppParts {
        &self.0.parts
    }

    /// The line of that name.
    pub(crate) fn line(&self, id: &str) -> Result<&LineFeed, WebError> {
        let line = self.parts().lines.iter().find(|line| line.config.id.as_str() == id);
        line.ok_or_else(|| WebError::NoLine(short(id)))
    }

    /// The line's present.
    pub(crate) fn present(&self) -> Present<'_> {
        let parts = self.parts();
        Present { now: parts.clock.now(), speed: parts.clock.speed(), zone: &parts.zone }
    }

    /// The view of a line now.
    pub(crate) fn view(&self, line: &LineFeed) -> LineView {
        let present = self.present();
        let calls = self.parts().calls.open_calls(&line.config.id);
        let now_us = present.now.utc_us;
        LineView::new(&line.config, line.latest().as_deref(), &present)
            .with_charts(line.charted().as_deref())
            .with_calls(calls.iter().map(|call| CallView::of(call, now_us)).collect())
    }

    /// Says when the service stops.
    fn closing(&self) -> watch::Receiver<bool> {
        self.0.closing.subscribe()
    }

    /// Ends all live streams and lets no new one begin.
    fn close(&self) {
        self.0.closing.send_replace(true);
    }
}

impl LineFeed {
    /// The latest status, while it is one of now.
    pub(crate) fn current(&self, present: &Present) -> Option<Arc<LineStatus>> {
        self.latest().filter(|status| present.age_ms(status.at) <= STALE_MS)
    }

    /// The latest status.
    pub(crate) fn latest(&self) -> Option<Arc<LineStatus>> {
        self.status.borrow().clone()
    }

    /// What its control charts say.
    pub(crate) fn charted(&self) -> Option<Arc<Overview>> {
        self.charts.borrow().clone()
    }
}

/// All routes of the web, those of a simulated plant with them.
pub(crate) fn routes() -> Routes {
    [
        pages::routes(),
        api::routes(),
        displays::routes(),
        session::routes(),
        live::routes(),
        metrics::routes(),
        assets::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
