//! `/healthz` and `/readyz`: how the service itself is.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::view::STALE_MS;
use crate::web::{App, LineFeed};

/// Whether the service can be relied upon.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok` or `not_ready`.
    status: &'static str,
    /// What runs.
    version: &'static str,
    /// Line by line: `current`, `waiting` or `stalled`.
    lines: BTreeMap<String, &'static str>,
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", responses((status = 200, body = Health)))]
pub(super) async fn healthz(State(app): State<App>) -> Json<Health> {
    Json(app.health().1)
}

/// Whether every line reports. 503 until then, and again when one stops.
#[utoipa::path(
    get, path = "/readyz",
    responses((status = 200, body = Health), (status = 503, body = Health))
)]
pub(super) async fn readyz(State(app): State<App>) -> Response {
    let (ready, health) = app.health();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

impl App {
    fn health(&self) -> (bool, Health) {
        let present = self.present();
        let feed = |line: &LineFeed| match line.latest() {
            None => "waiting",
            Some(status) if present.age_ms(status.at) > STALE_MS => "stalled",
            Some(_) => "current",
        };
        let lines: BTreeMap<_, _> = self
            .parts()
            .lines
            .iter()
            .map(|line| (line.config.id.to_string(), feed(line)))
            .collect();
        let ready = lines.values().all(|feed| *feed == "current");
        let status = if ready { "ok" } else { "not_ready" };
        (ready, Health { status, version: env!("CARGO_PKG_VERSION"), lines })
    }
}
