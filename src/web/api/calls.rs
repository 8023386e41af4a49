//! `…/calls`: calls for help, opened, taken and closed by people.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::audit::Actor;
use domain::line::call::{Act, Need, Refusal, Step};
use domain::units::{HOUR_US, LineId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::table::Form;
use super::written::{TEXT, Written, optional};
use super::{EVENTS_SPAN_US, Span, station_named, tables};
use crate::web::error::{ErrorView, Params, WebError, short};
use crate::web::view::CallView;
use crate::web::{App, Asker, CallDesk, blocking};

/// A call for help.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Calling {
    /// For what: `machine`, `material`, `quality` or `other`.
    need: String,
    /// At which machine. Without it, for the line as a whole.
    #[serde(default)]
    station: Option<String>,
    /// Who calls. Help does not wait for a name.
    #[serde(default)]
    by: String,
    /// What is wrong, in words.
    #[serde(default)]
    text: String,
}

/// What somebody does about a call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answering {
    /// Who; may be left out by who is signed in.
    #[serde(default)]
    by: String,
    /// In words: what was done.
    #[serde(default)]
    text: String,
}

/// Calls that were opened in a span, oldest first; at most a month in one request. Default: the last 24 hours.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/calls", params(("id" = String, Path, description = "Line"), Span, Form),
    responses(
        (status = 200, content((Vec<CallView> = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn calls(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(form): Params<Form>,
) -> Result<Response, WebError> {
    let (feed, sheet) = (app.line(&id)?, form.only(tables::CALLS)?);
    let line = feed.config.id.clone();
    let now_us = app.present().now.utc_us;
    let span = span.resolve_from(now_us, 24 * HOUR_US, EVENTS_SPAN_US)?;
    let calls = at_desk(&app, move |desk| desk.calls(&line, span)).await?;
    let views: Vec<CallView> = calls.iter().map(|call| CallView::of(call, now_us)).collect();
    match sheet {
        None => Ok(Json(views).into_response()),
        Some(sheet) => app.sheet(feed, sheet, span.0, &views),
    }
}

/// Calls for help. Where the same is called for at the same machine already, that call is given back.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/calls", operation_id = "open_call",
    params(("id" = String, Path, description = "Line")),
    request_body = Calling,
    responses(
        (status = 200, body = CallView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn open(
    State(app): State<App>,
    Path(id): Path<String>,
    asker: Asker,
    Written(given): Written<Calling>,
) -> Result<Json<CallView>, WebError> {
    let line = &app.line(&id)?.config;
    let need = Need::from_word(&given.need).ok_or_else(|| {
        WebError::unknown("need", &given.need, &Need::ALL.map(Need::word).join(", "))
    })?;
    let station = given.station.as_deref().filter(|station| !station.is_empty());
    let station = station.map(|station| station_named(line, station)).transpose()?;
    let act = Act::Open { need, station };
    let by = asker.perhaps_named("by", &given.by)?;
    step(&app, line.id.clone(), (0, act), by, optional("text", &given.text, TEXT)?).await
}

/// Takes a call: help is on its way. Refused where somebody else took it, with their name.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/calls/{number}/take", operation_id = "take_call",
    params(("id" = String, Path, description = "Line"), ("number" = u64, Path, description = "Call")),
    request_body = Answering,
    responses(
        (status = 200, body = CallView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
pub(super) async fn take(
    State(app): State<App>,
    Path(call): Path<(String, String)>,
    asker: Asker,
    Written(given): Written<Answering>,
) -> Result<Json<CallView>, WebError> {
    answer(&app, call, Act::Take, (&asker, &given)).await
}

/// Says that a call is done, by whoever is there.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/calls/{number}/close", operation_id = "close_call",
    params(("id" = String, Path, description = "Line"), ("number" = u64, Path, description = "Call")),
    request_body = Answering,
    responses(
        (status = 200, body = CallView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
pub(super) async fn close(
    State(app): State<App>,
    Path(call): Path<(String, String)>,
    asker: Asker,
    Written(given): Written<Answering>,
) -> Result<Json<CallView>, WebError> {
    answer(&app, call, Act::Close, (&asker, &given)).await
}

async fn answer(
    app: &App,
    (id, number): (String, String),
    act: Act,
    (asker, given): (&Asker, &Answering),
) -> Result<Json<CallView>, WebError> {
    let line = app.line(&id)?.config.id.clone();
    let none = |_| WebError::NoCall(short(&number));
    let call = number.parse::<u64>().map_err(none)?;
    let by = asker.named("by", &given.by)?;
    step(app, line, (call, act), by, optional("text", &given.text, TEXT)?).await
}

async fn step(
    app: &App,
    line: LineId,
    (call, act): (u64, Act),
    by: Actor,
    text: String,
) -> Result<Json<CallView>, WebError> {
    let at_us = app.present().now.utc_us;
    let step = Step { call, at_us, by: by.name.as_str().into(), act, text: text.into() };
    let made = at_desk(app, move |desk| desk.step(&line, step, &by)).await?;
    let call = made.map_err(|refusal| match refusal {
        Refusal::NoCall(number) => WebError::NoCall(number.to_string()),
        refusal => WebError::Conflict(refusal.to_string()),
    })?;
    Ok(Json(CallView::of(&call, at_us)))
}

/// Asks the desk on a thread that may block.
async fn at_desk<T: Send + 'static>(
    app: &App,
    ask: impl FnOnce(&dyn CallDesk) -> Result<T, String> + Send + 'static,
) -> Result<T, WebError> {
    let desk = app.parts().calls.clone();
    blocking(move || ask(desk.as_ref())).await
}
