//! The routes of all areas as one service on a socket, and what all answers share: headers, limits, compression, and
//! whom they are refused.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use domain::audit::{Note, What};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::ParameterIn;

use super::api::description;
use super::door::{door, is_below};
use super::error::{ErrorView, WebError};
use super::limits::{Why, bound_memory};
use super::pages::layout::Look;
use super::pages::refusal::refusal;
use super::{App, Asker, Shown, blocking, routes};

/// No request of ours has a body worth more.
const BODY_LIMIT: usize = 64 * 1024;
/// Time for the head of a request to arrive. Who sends it byte by byte would hold a connection for ever.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of the head of a request.
const HEAD_LIMIT: usize = 16 * 1024;
/// Bytes of requests and answers that one connection keeps.
const BUFFER: usize = 64 * 1024;
/// Time for the body of a request to arrive and the answer to begin; a stream then goes on as long as it is read.
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

/// Said to browsers that know our certificate by its authority: for a year they reach us by TLS alone.
const STRICT: &str = "max-age=31536000";

/// The whole web as a service. `guarded` refuses host names: see [`guard`].
pub(crate) fn router(shown: impl Into<Shown>, guarded: bool) -> Router {
    let shown: Shown = shown.into();
    let simulated = shown.now().parts().simulator.is_some();
    let strict = shown.now().parts().gate.is_strict();
    let mut router = Router::new();
    for (path, methods) in routes().into_iter().filter(|(path, _)| simulated || !is_simulated(path))
    {
        router = router.route(path, methods);
    }
    router
        // Behind the door, where it is known who asks.
        .route_layer(from_fn_with_state(shown.clone(), note_files))
        .route_layer(from_fn_with_state(shown.clone(), door))
        .fallback(async || WebError::NotFound)
        .method_not_allowed_fallback(async || WebError::WrongMethod)
        .with_state(shown)
        .layer(CompressionLayer::new())
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_WITHIN))
        .layer(from_fn_with_state(guarded, guard))
        .layer(from_fn_with_state(strict, finish))
}

/// Whether a path is one of the simulated plant, which a real one does not have.
pub(crate) fn is_simulated(path: &str) -> bool {
    is_below(path, &["/sim", "/api/v1/sim"])
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
    bound_memory(&listener);
    let service = TowerToHyperService::new(router(shown.clone(), guarded));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    http.max_header_size(HEAD_LIMIT).max_buf_size(BUFFER);
    let (app, open) = (shown.now(), GracefulShutdown::new());
    let gate = app.parts().gate.clone();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut shutdown => break,
        };
        let Ok(place) = gate.enter(peer.ip()) else {
            gate.turn_away(stream);
            continue;
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
        let (http, watcher, gate) = (http.clone(), open.watcher(), gate.clone());
        let mut closing = app.closing();
        // In a task of its own from the first byte: who greets slowly keeps nobody waiting.
        tokio::spawn(async move {
            let _place = place;
            let stream = tokio::select! {
                greeted = gate.greet(stream) => greeted,
                _ = closing.wait_for(|closing| *closing) => None,
            };
            let Some(stream) = stream else { return };
            let connection = http.serve_connection(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended early");
                if error.is_timeout() {
                    gate.refuse(Why::Head);
                } else if is_unread(&error) {
                    gate.refuse(Why::Answer);
                }
            }
        });
    }
    drop(listener);
    shown.now().close();
    let _ = tokio::time::timeout(DRAIN_WITHIN, open.shutdown()).await;
    Ok(())
}

/// Whether a connection ended because nobody read what was sent.
fn is_unread(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::TimedOut)
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

/// Whether a person reads the answer: a browser that asks for a page, not a script that asks for figures.
fn reads_pages(request: &Request) -> bool {
    let accepted = request.headers().get(header::ACCEPT).and_then(|types| types.to_str().ok());
    request.method() == Method::GET && accepted.is_some_and(|types| types.contains("text/html"))
}

/// Notes in the audit trail what leaves as a file, whatever route gives it. A file that cannot be noted is not given.
async fn note_files(State(shown): State<Shown>, request: Request, next: Next) -> Response {
    let path = told(request.uri());
    let (mut parts, body) = request.into_parts();
    // Whoever is not known is refused by the route itself.
    let asker = Asker::from_request_parts(&mut parts, &shown).await.ok();
    let answer = next.run(Request::from_parts(parts, body)).await;
    let file = answer.headers().get(header::CONTENT_DISPOSITION);
    let file = file.and_then(|file| file.to_str().ok()).and_then(|file| file.split('"').nth(1));
    let (Some(file), Some(asker), true) = (file, asker, answer.status().is_success()) else {
        return answer;
    };
    let note = Note::new(&asker.actor(""), What::Exported, path).change("", file);
    let trail = shown.now().parts().trail.clone();
    match blocking(move || trail.note(note)).await {
        Ok(()) => answer,
        Err(error) => error.into_response(),
    }
}

/// Parameters that a page of a file knows, beside those of the API.
const OF_PAGES: [&str; 4] = ["line", "start", "number", "kind"];
/// Parameters that any route of the API knows, and those of pages.
static PARAMETERS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let description = description();
    let operations = description.paths.paths.values().flat_map(|path| [&path.get, &path.post]);
    let parameters = operations.flatten().filter_map(|one| one.parameters.as_ref()).flatten();
    let asked = parameters.filter_map(|one| match one {
        RefOr::T(one) if one.parameter_in == ParameterIn::Query => Some(one.name.clone()),
        _ => None,
    });
    asked.chain(OF_PAGES.map(str::to_owned)).collect()
});
/// Longest path in the trail, and longest value of a parameter.
const TOLD: (usize, usize) = (200, 100);

/// What was asked for, as the trail keeps it: the path and the parameters that are known, each once and not too long. What
/// else stands in an address may be anything, also a secret.
fn told(uri: &Uri) -> String {
    let cut = |text: &str, longest: usize| text.chars().take(longest).collect::<String>();
    let mut seen = BTreeSet::new();
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let known = pairs.filter(|(name, _)| PARAMETERS.contains(*name) && seen.insert(*name));
    let kept: Vec<String> =
        known.map(|(name, value)| format!("{name}={}", cut(value, TOLD.1))).collect();
    let path = cut(uri.path(), TOLD.0);
    if kept.is_empty() { path } else { format!("{path}?{}", kept.join("&")) }
}

/// Puts the headers of every answer on it. What says nothing about keeping must not be kept: a figure from a cache
/// would look live.
async fn finish(State(strict): State<bool>, request: Request, next: Next) -> Response {
    let reader = reads_pages(&request)
        .then(|| Look::of(request.uri(), request.headers(), request.extensions()));
    let mut response = next.run(request).await;
    if let Some(look) = reader.filter(|_| !response.status().is_success()) {
        // The time limit answers with nothing but its status.
        let late = response.status() == StatusCode::SERVICE_UNAVAILABLE;
        let said = response.extensions_mut().remove::<ErrorView>();
        if let Some(said) = said.or_else(|| late.then(|| WebError::TooSlow.view())) {
            response = refusal(response.status(), &said, look);
        }
    }
    let headers = response.headers_mut();
    if strict {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT));
    }
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
