//! `/api/v1/reload`: the configuration read again while the service runs, and what came of it the last time.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::written::Written;
use crate::web::details::chinese;
use crate::web::error::{ErrorView, WebError};
use crate::web::{App, Asker, Reload, ReloadOutcome};

/// Who reads the configuration again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reloading {
    /// Name of a person; the address is noted anyway.
    #[serde(default)]
    by: Option<String>,
}

/// The configuration that runs, and what came of reading it again.
#[derive(Serialize, ToSchema)]
pub(super) struct StandingView {
    /// SHA-256 of the configuration that runs and of its maps.
    config_sha256: String,
    /// What came of the last time since the start.
    last: Option<ReloadView>,
}

/// What came of a configuration that was read again.
#[derive(Serialize, ToSchema)]
pub(super) struct ReloadView {
    /// When, UTC milliseconds.
    at_ms: i64,
    /// Who asked: an address with the name that was given, or `SIGHUP`.
    by: String,
    /// `applied`, `unchanged`, `refused` or `failed`.
    outcome: &'static str,
    /// SHA-256 of the configuration before.
    before_sha256: String,
    /// SHA-256 of the configuration that runs since.
    config_sha256: String,
    /// What has changed, one sentence each.
    changes: Vec<String>,
    /// The same in Chinese.
    changes_zh: Vec<String>,
    /// What is wrong in it, as `capline check` prints it: file, line, place, value and way out.
    problems: Vec<String>,
}

/// A configuration that is not taken.
#[derive(Serialize, ToSchema)]
pub(super) struct RefusedView {
    /// What is wrong, as for any request.
    #[serde(flatten)]
    error: ErrorView,
    /// All mistakes, as `capline check` prints them.
    problems: Vec<String>,
}

impl ReloadView {
    fn of(reload: &Reload) -> ReloadView {
        let (outcome, changes, problems) = match &reload.outcome {
            ReloadOutcome::Applied(_) if reload.before == reload.after => {
                ("unchanged", Vec::new(), Vec::new())
            }
            ReloadOutcome::Applied(changes) => ("applied", changes.clone(), Vec::new()),
            ReloadOutcome::Refused(problems) => ("refused", Vec::new(), problems.clone()),
            ReloadOutcome::Failed(cause) => ("failed", Vec::new(), vec![cause.clone()]),
        };
        ReloadView {
            at_ms: reload.at_us / 1_000,
            by: reload.by.clone(),
            outcome,
            before_sha256: reload.before.clone(),
            config_sha256: reload.after.clone(),
            changes_zh: changes.iter().map(|change| chinese(change)).collect(),
            changes,
            problems,
        }
    }
}

/// Which configuration runs, and what came of reading it again the last time.
#[utoipa::path(
    get, path = "/api/v1/reload", operation_id = "reload_standing",
    responses((status = 200, body = StandingView))
)]
pub(super) async fn standing(State(app): State<App>) -> Json<StandingView> {
    let parts = app.parts();
    let last = parts.reloads.last();
    Json(StandingView {
        config_sha256: parts.config_sha256.clone(),
        last: last.as_ref().map(ReloadView::of),
    })
}

/// Reads the configuration and its maps again. They are checked as a whole: with any mistake the old ones go on and all
/// mistakes come back; else only what has changed is touched.
#[utoipa::path(
    post, path = "/api/v1/reload", request_body = Reloading,
    responses(
        (status = 200, body = ReloadView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 422, body = RefusedView),
        (status = 503, body = ErrorView)
    )
)]
pub(super) async fn reload(
    State(app): State<App>,
    asker: Asker,
    Written(given): Written<Reloading>,
) -> Result<Response, WebError> {
    let by = match &given.by {
        None => asker.actor(""),
        Some(by) => asker.named("by", by)?,
    };
    let reload = app.parts().reloads.reload(by).await.map_err(WebError::Store)?;
    match &reload.outcome {
        ReloadOutcome::Applied(_) => Ok(Json(ReloadView::of(&reload)).into_response()),
        ReloadOutcome::Refused(problems) => {
            let problems = problems.clone();
            let error = WebError::Configuration(problems.len()).view();
            let refused = RefusedView { error, problems };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(refused)).into_response())
        }
        ReloadOutcome::Failed(cause) => Err(WebError::NotApplied(cause.clone())),
    }
}
