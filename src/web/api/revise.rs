//! `POST …/stops/revisions`: what people say about stops. The stops as recorded are kept, and so is all that was said
//! before.

use axum::Json;
use axum::extract::{Path, State};
use domain::line::stop::Cause;
use domain::line::stop::revision::{Act, PartId, Refusal, Revision};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::read;
use super::written::{TEXT, Written, text};
use crate::web::error::{ErrorView, WebError, short};
use crate::web::{App, Asker};

/// What is said about a stop.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Revising {
    /// `assign` a cause and a reason, `undo` what was assigned, `split` in two, or `merge` with the one that follows.
    /// Default: `assign`.
    #[serde(default)]
    act: Option<String>,
    /// Which stop or part.
    part: String,
    /// To assign: its cause, `internal`, `starved`, `blocked`, `external`, `planned`, `unknown` or `no_signal`.
    #[serde(default)]
    cause: Option<String>,
    /// To assign: its reason in the plant's words.
    #[serde(default)]
    reason: Option<String>,
    /// To split: so many milliseconds after its begin.
    #[serde(default)]
    after_ms: Option<i64>,
    /// To merge: the part that follows without a pause, which ceases to exist.
    #[serde(default)]
    with: Option<String>,
    /// The highest revision in the list that was read. What is named must not have been revised since; without it,
    /// whatever was said last is overruled.
    #[serde(default)]
    seen: Option<u64>,
    /// Who says so; may be left out by who is signed in.
    #[serde(default)]
    by: String,
    /// Why it is changed.
    why: String,
}

/// A revision as kept.
#[derive(Serialize, ToSchema)]
pub(super) struct RevisedView {
    /// Its number.
    number: u64,
}

/// Gives a stop its cause and reason, takes them back, splits it, or merges it with the next. The stop as recorded is kept; what was said
/// before stays readable.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/stops/revisions", params(("id" = String, Path, description = "Line")),
    request_body = Revising,
    responses(
        (status = 200, body = RevisedView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
pub(super) async fn revise(
    State(app): State<App>,
    Path(id): Path<String>,
    asker: Asker,
    Written(given): Written<Revising>,
) -> Result<Json<RevisedView>, WebError> {
    let line = app.line(&id)?.config.id.clone();
    let by = asker.named("by", &given.by)?;
    let revision = Revision {
        number: 0,
        at_us: app.present().now.utc_us,
        act: act(&given)?,
        by: by.name.as_str().into(),
        why: text("why", &given.why, TEXT)?.into(),
    };
    let made = read(&app, move |history| history.revise(&line, revision, given.seen, &by)).await?;
    let number = made.map_err(|refusal| match refusal {
        Refusal::Meanwhile(..) => WebError::Conflict(refusal.to_string()),
        refusal => WebError::Parameter(refusal.to_string()),
    })?;
    Ok(Json(RevisedView { number }))
}

fn act(given: &Revising) -> Result<Act, WebError> {
    let part = part(&given.part)?;
    match given.act.as_deref().unwrap_or("assign") {
        "assign" => {
            let word = needed("cause", given.cause.as_deref())?;
            let cause = Cause::from_word(word).ok_or_else(|| unknown("cause", word))?;
            let reason = needed("reason", given.reason.as_deref())?;
            Ok(Act::Assign { part, cause, reason: text("reason", reason, TEXT)?.into() })
        }
        "undo" => Ok(Act::Undo { part }),
        "split" => {
            let after_ms = needed("after_ms", given.after_ms)?;
            Ok(Act::Split { part, after_us: after_ms.saturating_mul(1_000) })
        }
        "merge" => {
            let second = self::part(needed("with", given.with.as_deref())?)?;
            Ok(Act::Merge { first: part, second })
        }
        word => Err(unknown("act", word)),
    }
}

fn part(id: &str) -> Result<PartId, WebError> {
    PartId::parse(id).ok_or_else(|| unknown("stop", id))
}

fn needed<T>(name: &str, given: Option<T>) -> Result<T, WebError> {
    given.ok_or_else(|| WebError::Parameter(format!("{name} is missing")))
}

fn unknown(what: &str, word: &str) -> WebError {
    WebError::Parameter(format!("there is no {what} {:?}", short(word)))
}
