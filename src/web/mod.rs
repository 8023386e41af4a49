//! The web: pages, JSON, the live stream. Computes nothing; shows what lines publish and the historian kept.
//!
//! Each area brings its own routes ([`pages`], [`api`], [`live`], [`metrics`], [`assets`]); this file joins them and
//! puts what all answers share around them: headers, limits, compression.

pub mod andon;
pub mod api;
pub mod assets;
mod details;
mod displays;
pub mod error;
pub mod i18n;
pub mod live;
pub mod metrics;
mod origin;
pub mod pages;
mod reloads;
mod replay;
pub mod view;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use axum::serve::Listener;
use domain::line::batch::hand::{self, Entry, Order};
use domain::line::chronicle::{CounterRecord, StopRecord};
use domain::line::event::{Event, EventKind};
use domain::line::minute::Minute;
use domain::line::report::{FinalReport, GapId, GapNote};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::second::Seconds;
use domain::line::status::LineStatus;
use domain::line::stop::revision::{Refusal, Revision};
use domain::line::weight::WeightTally;
use domain::quality::limits::Limits;
use domain::quality::record::{StoredIncident, StoredPoint, Work};
use domain::units::{LineId, TagId};
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::clock::Clock;
use crate::config::LineConfig;
pub use andon::{AlertBook, CallDesk};
pub use api::forward::{Forwarding, ForwardingStream};
use error::WebError;
pub use reloads::{Reload, ReloadOutcome, Reloads, Showing, Shown};
use view::{CallView, LineView, Present};

/// Live screens at once. Each holds a connection and is written to twice a second.
const STREAMS: usize = 64;
/// No request of ours has a body worth more.
const BODY_LIMIT: usize = 64 * 1024;
/// Time for the head of a request to arrive. Who sends it byte by byte would hold a connection for ever.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Time for an answer to begin; a stream then goes on as long as it likes.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Time for open answers to finish at a stop. A screen that no longer reads must not hold the service up.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);

/// What a browser may do with our pages: nothing but what came from here.
const POLICY: &str = "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";

/// Headers of every answer.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

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
    /// SHA-256 of the configuration and its maps, for the evidence of reports.
    pub config_sha256: String,
    /// Lines, in the order of the configuration.
    pub lines: Vec<LineFeed>,
    /// What was kept.
    pub history: Arc<dyn History>,
    /// Limits, incidents and judged subgroups.
    pub quality: Arc<dyn QualityRecord>,
    /// Final reports and what was said about gaps.
    pub reports: Arc<dyn ReportRecord>,
    /// Takes what people order of a line.
    pub desk: Arc<dyn Desk>,
    /// Calls for help.
    pub calls: Arc<dyn CallDesk>,
    /// Alerts and what was told of them.
    pub alerts: Arc<dyn AlertBook>,
    /// Reads the configuration again.
    pub reloads: Arc<dyn Reloads>,
    /// Whether requests may write at all: limits, decisions, causes.
    pub writes: bool,
    /// What the service measures of itself.
    pub gauges: Arc<dyn Gauges>,
}

/// A line as the web sees it.
#[derive(Clone)]
pub struct LineFeed {
    /// What was configured.
    pub config: LineConfig,
    /// Its latest status, none until the first.
    pub status: watch::Receiver<Option<Arc<LineStatus>>>,
}

/// The stored record. All methods block and are called off the async threads.
pub trait History: Send + Sync {
    /// Minutes that begin in `[from_us, to_us)`, oldest first.
    ///
    /// # Errors
    /// Why the record could not be read; goes to the log, not to the reader.
    fn minutes(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Minute>, String>;

    /// The seconds of minutes that begin in `[from_us, to_us)`, oldest first, as far as they are kept.
    ///
    /// # Errors
    /// Why the record could not be read; goes to the log, not to the reader.
    fn seconds(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Seconds>, String>;

    /// Weights of these minutes, each with the start of its minute, oldest first; [`History::minutes`] has none.
    ///
    /// # Errors
    /// Why the record could not be read; goes to the log, not to the reader.
    fn weights(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<(i64, WeightTally)>, String>;

    /// Events of these kinds in `[from_us, to_us)` with their numbers, oldest first.
    ///
    /// # Errors
    /// Why the record could not be read; goes to the log, not to the reader.
    fn events(
        &self,
        line: &LineId,
        from_us: i64,
        to_us: i64,
        kinds: &[EventKind],
    ) -> Result<Vec<(i64, Event)>, String>;

    /// Stops that were going on in `[from_us, to_us)`, with what people said about them.
    ///
    /// # Errors
    /// Why the record could not be read; goes to the log, not to the reader.
    fn stops(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<StopRecord, String>;

    /// One stop as recorded, its parts, and what people said about it; empty if there is none of that number.
    ///
    /// # Errors
    /// Why the record could not be read; goes to the log, not to the reader.
    fn stop(&self, line: &LineId, number: u64) -> Result<StopRecord, String>;

    /// Adds what a person said about a stop; its number is given here. The stops as recorded stay as they are. `seen` is
    /// the last revision that the person knew of. The inner refusal says why it cannot be added, for people.
    ///
    /// # Errors
    /// Why the record could not be written; goes to the log, not to the reader.
    fn revise(
        &self,
        line: &LineId,
        revision: Revision,
        seen: Option<u64>,
    ) -> Result<Result<u64, Refusal>, String>;

    /// What people did by hand with batches that began in `[from_us, to_us)`, oldest first.
    ///
    /// # Errors
    /// Why the record could not be read; goes to the log, not to the reader.
    fn batch_entries(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Entry>, String>;

    /// Hours, shifts or batches that overlap `[from_us, to_us)`, oldest first.
    ///
    /// # Errors
    /// Why the record could not be read; goes to the log, not to the reader.
    fn rollups(
        &self,
        line: &LineId,
        kind: PeriodKind,
        from_us: i64,
        to_us: i64,
    ) -> Result<Vec<Rollup>, String>;

    /// A counter as last read, and its ledger entries of `[from_us, to_us)`; none if it was never read.
    ///
    /// # Errors
    /// Why the record could not be read; goes to the log, not to the reader.
    fn counter(
        &self,
        line: &LineId,
        tag: &TagId,
        from_us: i64,
        to_us: i64,
    ) -> Result<Option<CounterRecord>, String>;
}

/// Takes orders of people to the lines.
pub trait Desk: Send + Sync {
    /// Opens or closes a batch; the answer comes when it is durable. The inner refusal is for people, the outer error
    /// goes to the log.
    fn order(
        &self,
        line: &LineId,
        order: Order,
    ) -> BoxFuture<'static, Result<Result<Entry, hand::Refusal>, String>>;
}

/// Limits, incidents and judged subgroups of the record. All methods block and are called off the async threads; an
/// error says why the record could not be read or written and goes to the log, not to the reader.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait QualityRecord: Send + Sync {
    /// All versions of the limits of a characteristic.
    fn limits(&self, line: &LineId, of: &str) -> Result<Vec<Limits>, String>;

    /// Keeps new limits.
    fn add_limits(&self, line: &LineId, limits: Limits) -> Result<(), String>;

    /// Keeps what was decided about limits.
    fn decide_limits(&self, line: &LineId, limits: Limits) -> Result<(), String>;

    /// Incidents that began in a span or are open, newest first.
    fn incidents(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<StoredIncident>, String>;

    /// Keeps what a person did about an incident. Whether there is such an incident.
    fn add_work(&self, line: &LineId, incident: i64, work: Work) -> Result<bool, String>;

    /// What a running chart told of a span, corrections after what they correct.
    fn points(&self, line: &LineId, of: &str, span: (i64, i64))
    -> Result<Vec<StoredPoint>, String>;
}

/// Final reports and what people said about gaps. All methods block and are called off the async threads; an error says
/// why the record could not be read or written and goes to the log, not to the reader.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait ReportRecord: Send + Sync {
    /// What was said about these gaps, oldest first.
    fn gap_notes(&self, line: &LineId, gaps: &[GapId]) -> Result<Vec<GapNote>, String>;

    /// Keeps what was said about gaps.
    fn add_gap_notes(&self, line: &LineId, notes: Vec<GapNote>) -> Result<(), String>;

    /// Final reports of periods that began in a span, newest first.
    fn final_reports(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<FinalReport>, String>;

    /// The page of a final report; none of that number.
    fn final_page(&self, line: &LineId, number: i64) -> Result<Option<Vec<u8>>, String>;

    /// Keeps a final report, whose number is given here; none where that version is there already.
    fn add_final_report(
        &self,
        line: &LineId,
        report: FinalReport,
        page: Vec<u8>,
    ) -> Result<Option<FinalReport>, String>;
}

/// What the service measures of itself, for `/metrics`.
pub trait Gauges: Send + Sync {
    /// All of it, now.
    fn render(&self) -> Vec<Gauge>;

    /// How forwarding to a plant's database is doing; none where none is configured.
    fn forwarding(&self) -> Option<Forwarding> {
        None
    }

    /// All distributions, now.
    fn histograms(&self) -> Vec<Histogram> {
        Vec::new()
    }
}

/// One measured number.
pub struct Gauge {
    /// Name without the `_total` of a counter: `capline_store_bytes`.
    pub name: &'static str,
    /// What it is, in one sentence without a full stop.
    pub help: &'static str,
    /// Whether it only grows.
    pub kind: GaugeKind,
    /// Labels.
    pub labels: Vec<(&'static str, String)>,
    /// The number.
    pub value: f64,
}

/// One measured distribution.
pub struct Histogram {
    /// Name, with its unit: `capline_poll_lateness_seconds`.
    pub name: &'static str,
    /// What it is, in one sentence without a full stop.
    pub help: &'static str,
    /// Labels.
    pub labels: Vec<(&'static str, String)>,
    /// Upper bound of each bucket and how many fell into it, not cumulative; the last bound is infinite.
    pub buckets: Vec<(f64, u64)>,
    /// Sum of all values.
    pub sum: f64,
}

/// How a measured number behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaugeKind {
    /// Goes up and down.
    Gauge,
    /// Only grows while the service runs.
    Counter,
}

impl App {
    /// An app that shows these parts.
    pub fn new(parts: AppParts) -> App {
        let (closing, _) = watch::channel(false);
        let (streams, closing) = (Arc::new(Semaphore::new(STREAMS)), Arc::new(closing));
        App(Arc::new(Inner { parts, streams, closing, displays: Arc::default() }))
    }

    /// The parts it was made of.
    pub fn parts(&self) -> &AppParts {
        &self.0.parts
    }

    /// The line of that name.
    pub(crate) fn line(&self, id: &str) -> Result<&LineFeed, WebError> {
        let line = self.parts().lines.iter().find(|line| line.config.id.as_str() == id);
        line.ok_or_else(|| WebError::NoLine(id.chars().take(40).collect()))
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
            .with_calls(calls.iter().map(|call| CallView::of(call, now_us)).collect())
    }

    /// Ends all live streams and lets no new one begin.
    fn close(&self) {
        self.0.closing.send_replace(true);
    }
}

impl LineFeed {
    /// The latest status.
    pub(crate) fn latest(&self) -> Option<Arc<LineStatus>> {
        self.status.borrow().clone()
    }
}

/// All routes of the web.
pub(crate) fn routes() -> Routes {
    [
        pages::routes(),
        api::routes(),
        displays::routes(),
        live::routes(),
        metrics::routes(),
        assets::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The whole web as a service. `guarded` refuses host names: see [`guard`].
pub(crate) fn router(shown: impl Into<Shown>, guarded: bool) -> Router {
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(path, methods);
    }
    router
        .fallback(async || WebError::NotFound)
        .method_not_allowed_fallback(async || WebError::WrongMethod)
        .with_state(shown.into())
        .layer(CompressionLayer::new())
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_WITHIN))
        .layer(from_fn_with_state(guarded, guard))
        .layer(from_fn(finish))
}

/// What a path answers, asked without a connection: status and body.
///
/// # Errors
/// A path that is none, or a body that breaks off.
pub async fn ask(app: &App, path: &str) -> std::io::Result<(u16, Vec<u8>)> {
    let request = Request::get(path).body(Body::empty()).map_err(std::io::Error::other)?;
    let Ok(answer) = router(app.clone(), false).oneshot(request).await;
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), usize::MAX).await.map_err(std::io::Error::other)?;
    Ok((status, body.to_vec()))
}

/// Serves what is shown until `shutdown`, then ends the streams and waits a little for answers under way.
///
/// # Errors
/// When the listener has no address.
pub async fn serve(
    mut listener: tokio::net::TcpListener,
    shown: Shown,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let guarded = listener.local_addr()?.ip().is_loopback();
    let service = TowerToHyperService::new(router(shown.clone(), guarded));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let open = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut shutdown => break,
        };
        // Views are small and sent at once; waiting to fill a packet would only make them late.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps collecting small packets");
        }
        let service = service.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            service.call(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = open.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    shown.now().close();
    let _ = tokio::time::timeout(DRAIN_WITHIN, open.shutdown()).await;
    Ok(())
}

/// The machine that a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Refuses requests under a foreign name while we listen on the loopback address only.
///
/// Otherwise a page of some site whose name its owner points to 127.0.0.1 could read our answers through the browser
/// of a person at this machine (DNS rebinding). On a plant network names are the plant's business.
async fn guard(State(guarded): State<bool>, request: Request, next: Next) -> Response {
    match foreign_host(request.headers()) {
        Some(host) if guarded => WebError::Host(host).into_response(),
        _ => next.run(request).await,
    }
}

/// The name of a `Host` header that is neither an address nor `localhost`.
fn foreign_host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?;
    let Ok(host) = host.to_str() else { return Some("?".to_owned()) };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let ours = bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok();
    (!ours).then(|| name.chars().take(80).collect())
}

/// Puts the headers of every answer on it. What says nothing about keeping must not be kept: a figure from a cache
/// would look live.
async fn finish(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
