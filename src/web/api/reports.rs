//! `…/reports`: how far the report of a shift or batch is from being final, words on its gaps, and making it final.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::audit::{Meaning, SECOND};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::written::{TEXT, Written, text};
use crate::web::error::{ErrorView, Params, WebError, short};
use crate::web::i18n::Lang;
use crate::web::pages::report::{self, FinalView, GapForm, Standing};
use crate::web::{App, Asker, meaning_of};

/// Which report.
#[derive(Deserialize, IntoParams)]
pub(super) struct Which {
    /// `shift` or `batch`.
    kind: String,
    /// Start of the period, UTC milliseconds.
    start_ms: i64,
}

/// How far the report of a period is from being final: its gaps with what was said about them, and its final versions.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/reports", params(("id" = String, Path, description = "Line"), Which),
    responses(
        (status = 200, body = Standing),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn standing(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(which): Params<Which>,
) -> Result<Json<Standing>, WebError> {
    app.line(&id)?;
    report::standing(&app, &id, &which.kind, which.start_ms).await.map(Json)
}

/// Says why gaps of a period are there. What was said before stays.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/reports/gaps", operation_id = "explain_gaps", params(("id" = String, Path, description = "Line")),
    request_body = GapForm,
    responses(
        (status = 200, body = Standing),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn explain(
    State(app): State<App>,
    Path(id): Path<String>,
    asker: Asker,
    Written(given): Written<GapForm>,
) -> Result<Json<Standing>, WebError> {
    app.line(&id)?;
    let (kind, start_ms) = (given.kind.clone(), given.start_ms);
    let (by, why) = (asker.named("by", &given.by)?, text("why", &given.why, TEXT)?);
    let meaning = meaning_of(given.meaning.as_deref(), &GAP_MEANINGS)?;
    let by = asker.signs(&app, by, (given.password.as_deref(), meaning)).await?;
    report::explain(&app, &id, GapForm { why, ..given }, &by).await?;
    report::standing(&app, &id, &kind, start_ms).await.map(Json)
}

/// What is made final.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Finalising {
    /// `shift` or `batch`.
    kind: String,
    /// Start of the period, UTC milliseconds.
    start_ms: i64,
    /// Language of the page: `en`, `zh` or `both`.
    lang: String,
    /// SHA-256 of the figures that were looked at.
    data_sha256: String,
    /// Who makes it final; may be left out by who is signed in.
    #[serde(default)]
    by: String,
    /// Their password, where there are users: the report is signed with it.
    #[serde(default)]
    password: Option<String>,
    /// What the signature means: `approved` (default), `reviewed` or `authored`; where two persons sign, `authored` alone.
    #[serde(default)]
    meaning: Option<String>,
}

/// What a signature under a report can mean.
const REPORT_MEANINGS: [Meaning; 3] = [Meaning::Approved, Meaning::Reviewed, Meaning::Authored];
/// What the first of two signatures under a report means.
const FIRST: [Meaning; 1] = [Meaning::Authored];
/// What a signature under words on a gap can mean.
const GAP_MEANINGS: [Meaning; 3] = [Meaning::Confirmed, Meaning::Authored, Meaning::Reviewed];

/// Makes a report final: its page is kept as one file and never changed. Refused while the period goes on, while a gap is
/// not explained, and when the figures are not those that were looked at. Where two persons sign, it then waits for the
/// second one.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/reports/final", params(("id" = String, Path, description = "Line")),
    request_body = Finalising,
    responses(
        (status = 200, body = FinalView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
pub(super) async fn finalise(
    State(app): State<App>,
    Path(id): Path<String>,
    asker: Asker,
    Written(given): Written<Finalising>,
) -> Result<Json<FinalView>, WebError> {
    app.line(&id)?;
    let lang = Lang::from_word(&given.lang)
        .ok_or_else(|| WebError::Parameter("lang is en, zh or both".to_owned()))?;
    let by = asker.named("by", &given.by)?;
    let fit: &[Meaning] = if app.parts().two_persons { &FIRST } else { &REPORT_MEANINGS };
    let meaning = meaning_of(given.meaning.as_deref(), fit)?;
    let by = asker.signs(&app, by, (given.password.as_deref(), meaning)).await?;
    let which = (given.kind.as_str(), given.start_ms, lang);
    report::finalise(&app, &id, which, (&by, &given.data_sha256)).await.map(Json)
}

/// A second signature.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Signing {
    /// SHA-256 of the file that was looked at.
    page_sha256: String,
    /// The password of who signs.
    password: String,
    /// What the signature means: `reviewed` (default) or `approved`.
    #[serde(default)]
    meaning: Option<String>,
}

/// Signs a final report as the second person. Refused to its author, where one signature is enough, and when the file is
/// not the one that was looked at. The file stays as it is; the signature is bound to the same hash as that of the author.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/reports/final/{number}/signatures", operation_id = "sign_report",
    params(
        ("id" = String, Path, description = "Line"),
        ("number" = i64, Path, description = "Number of the final report")
    ),
    request_body = Signing,
    responses(
        (status = 204),
        (status = 400, body = ErrorView),
        (status = 401, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView),
        (status = 429, body = ErrorView)
    )
)]
pub(super) async fn sign(
    State(app): State<App>,
    Path((id, number)): Path<(String, String)>,
    asker: Asker,
    Written(given): Written<Signing>,
) -> Result<StatusCode, WebError> {
    app.line(&id)?;
    let strange = |_| WebError::Parameter(format!("{:?} is no number", short(&number)));
    let number = number.parse().map_err(strange)?;
    if !app.parts().two_persons {
        return Err(WebError::Conflict(
            "one signature is enough here; two_persons of the configuration asks for two"
                .to_owned(),
        ));
    }
    let meaning = meaning_of(given.meaning.as_deref(), &SECOND)?;
    let by = asker.named("by", "")?;
    let by = asker.signs(&app, by, (Some(&given.password), meaning)).await?;
    report::sign(&app, &id, (number, &given.page_sha256), &by).await?;
    Ok(StatusCode::NO_CONTENT)
}
