//! `/api/v1`: figures of the lines as JSON, for other programs and for screens without a stream; and how the service
//! itself is.

mod alerts;
mod asked;
pub(crate) mod audit;
pub(crate) mod balance;
mod batches;
mod bores;
mod calls;
pub(crate) mod charts;
mod counters;
mod curve;
mod data;
mod explain;
pub(crate) mod flow;
pub(crate) mod forward;
mod health;
mod kpi;
pub(crate) mod losses;
pub(crate) mod periods;
pub(in crate::web) mod picked;
mod reading;
pub(crate) mod rejects;
mod reload;
mod reports;
mod revise;
mod series;
mod sim;
mod stops;
pub(in crate::web) mod table;
pub(in crate::web) mod tables;
mod tag;
mod tags;
mod trends;
pub(crate) mod window;
mod written;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::line::event::EventKind;
use domain::line::minute::Minute;
use domain::units::{HOUR_US, LineId, MINUTE_US};
use serde::Serialize;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
use utoipa::{OpenApi, ToSchema};

use super::door::{Need, need};
use super::error::{ErrorView, Params, WebError};
use super::view::{ChartsView, EventView, LineEntry, LineView, MinuteView, trend_start_us};
use super::{App, History, LineFeed, Right, Routes, blocking, is_simulated};
use crate::table::{Counter, Wide};
pub(crate) use asked::{AsOf, Span, moment};
use asked::{Kinds, station_named};
pub(crate) use series::SeriesView;
pub(in crate::web) use series::Step;
pub(crate) use stops::StopPartView;
pub(in crate::web) use stops::micro_s;
use table::Form;
pub(in crate::web) use written::{NAME, Sent, TEXT, optional, text};

/// Longest span of one request for minutes as a table: a week is about ten thousand rows.
const MINUTES_SPAN_US: i64 = 7 * 24 * HOUR_US;
/// Longest span of one request for events.
const EVENTS_SPAN_US: i64 = 31 * 24 * HOUR_US;
/// Longest span of one chart.
pub(crate) const QUALITY_SPAN_US: i64 = 31 * 24 * HOUR_US;

/// Routes of this area.
pub(crate) fn routes() -> Routes {
    let mut routes = vec![
        ("/api/v1/lines", get(lines)),
        ("/api/v1/lines/{id}/snapshot", get(snapshot)),
        ("/api/v1/lines/{id}/charts", get(live_charts)),
        ("/api/v1/lines/{id}/minutes", get(minutes)),
        ("/api/v1/lines/{id}/minutes.csv", get(explain::rows::minutes_csv)),
        ("/api/v1/lines/{id}/explain/{value}", get(explain::explain)),
        ("/api/v1/lines/{id}/events", get(events)),
        ("/api/v1/lines/{id}/series", get(series::series)),
        ("/api/v1/lines/{id}/stops", get(stops::stops)),
        ("/api/v1/lines/{id}/stops/revisions", post(revise::revise)),
        ("/api/v1/lines/{id}/stops/{number}", get(stops::stop)),
        ("/api/v1/lines/{id}/losses", get(losses::losses)),
        ("/api/v1/lines/{id}/rejects", get(rejects::rejects)),
        ("/api/v1/lines/{id}/bores", get(bores::bores)),
        ("/api/v1/lines/{id}/tags", get(tags::tags)),
        ("/api/v1/lines/{id}/trends", get(trends::trends)),
        ("/api/v1/lines/{id}/curve", get(curve::curve)),
        ("/api/v1/lines/{id}/hours", get(periods::hours)),
        ("/api/v1/lines/{id}/shifts", get(periods::shifts)),
        ("/api/v1/lines/{id}/batches", get(periods::batches).post(batches::open)),
        ("/api/v1/lines/{id}/batches/close", post(batches::close)),
        ("/api/v1/lines/{id}/calls", get(calls::calls).post(calls::open)),
        ("/api/v1/lines/{id}/calls/{number}/take", post(calls::take)),
        ("/api/v1/lines/{id}/calls/{number}/close", post(calls::close)),
        ("/api/v1/alerts", get(alerts::alerts)),
        ("/api/v1/lines/{id}/reports", get(reports::standing)),
        ("/api/v1/lines/{id}/reports/gaps", post(reports::explain)),
        ("/api/v1/lines/{id}/reports/final", post(reports::finalise)),
        ("/api/v1/lines/{id}/reports/final/{number}/signatures", post(reports::sign)),
        ("/api/v1/lines/{id}/balance", get(balance::balance)),
        ("/api/v1/lines/{id}/counters/{tag}", get(counters::counter)),
        ("/api/v1/lines/{id}/data", get(data::data)),
        ("/api/v1/reload", get(reload::standing).post(reload::reload)),
        ("/api/v1/audit", get(audit::audit)),
        ("/api/v1/audit.csv", get(audit::audit_csv)),
        ("/api/v1/configurations", get(audit::configurations)),
        ("/api/v1/configurations/{sha256}", get(audit::configuration)),
        ("/api/v1/forward", get(forward::forward)),
        ("/healthz", get(health::healthz)),
        ("/readyz", get(health::readyz)),
        ("/api/openapi.json", get(openapi)),
    ];
    routes.extend(charts::routes());
    routes.extend(sim::routes());
    routes
}

/// Description of all routes that programs use.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Capline",
        description = "Counts of capsule lines. Times are UTC milliseconds since 1970; a count is known to lie in \
                       [low, high], and low = high says that it is exact."
    ),
    paths(
        lines,
        snapshot,
        live_charts,
        minutes,
        explain::rows::minutes_csv,
        explain::explain,
        events,
        series::series,
        stops::stops,
        losses::losses,
        stops::stop,
        revise::revise,
        rejects::rejects,
        bores::bores,
        tags::tags,
        trends::trends,
        curve::curve,
        periods::hours,
        periods::shifts,
        periods::batches,
        batches::open,
        batches::close,
        calls::calls,
        calls::open,
        calls::take,
        calls::close,
        alerts::alerts,
        reports::standing,
        reports::explain,
        reports::finalise,
        reports::sign,
        balance::balance,
        counters::counter,
        data::data,
        reload::standing,
        reload::reload,
        audit::audit,
        audit::audit_csv,
        audit::configurations,
        audit::configuration,
        forward::forward,
        health::healthz,
        health::readyz,
        openapi,
        super::displays::acknowledge,
        super::displays::displays,
        super::session::login,
        super::session::logout,
        super::session::session,
        super::session::used,
        super::session::set_up,
        super::session::own_password,
        super::admin::users,
        super::admin::add_user,
        super::admin::change_user,
        super::admin::displays,
        super::admin::add_display,
        super::admin::revoke_display,
        super::live::events,
        super::metrics::metrics
    ),
    components(schemas(ErrorView, super::view::NowView, super::live::MissedView))
)]
pub(crate) struct Description;

/// A stored event.
#[derive(Serialize, ToSchema)]
struct StoredEvent {
    /// Its number in the journal.
    id: i64,
    /// What happened.
    #[serde(flatten)]
    event: EventView,
}

/// All lines, with their states and how many calls for help are open.
#[utoipa::path(get, path = "/api/v1/lines", responses((status = 200, body = Vec<LineEntry>)))]
async fn lines(State(app): State<App>) -> Json<Vec<LineEntry>> {
    let present = app.present();
    let entry = |line: &LineFeed| {
        let calls = app.parts().calls.open_calls(&line.config.id);
        LineEntry::new(&line.config, line.latest().as_deref(), &calls, &present)
    };
    Json(app.parts().lines.iter().map(entry).collect())
}

/// A line now. Same shape as event `view` of the stream.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/snapshot", params(("id" = String, Path, description = "Line")),
    responses((status = 200, body = LineView), (status = 404, body = ErrorView))
)]
async fn snapshot(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<LineView>, WebError> {
    Ok(Json(app.view(app.line(&id)?)))
}

/// What changes once a minute. Same shape as event `charts` of the stream.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/charts", params(("id" = String, Path, description = "Line")),
    responses((status = 200, body = ChartsView), (status = 404, body = ErrorView))
)]
async fn live_charts(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<ChartsView>, WebError> {
    Ok(Json(app.charts(app.line(&id)?).await))
}

/// Stored minutes, oldest first: at most 2,000 in one answer, as CSV at most a week. Longer spans are for `series`.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/minutes",
    params(("id" = String, Path, description = "Line"), Span, Form),
    responses(
        (status = 200, content((Vec<MinuteView> = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
async fn minutes(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(form): Params<Form>,
) -> Result<Response, WebError> {
    let line = app.line(&id)?;
    let (as_csv, (from_us, to_us)) =
        (form.is_csv()?, span.resolve(app.present().now.utc_us, MINUTES_SPAN_US)?);
    if !as_csv && to_us - from_us > series::POINTS * MINUTE_US {
        let message = "the span is longer than 2,000 minutes; ask for it in parts, as format=csv, or …/series for a whole";
        return Err(WebError::Parameter(message.to_owned()));
    }
    let name = line.config.id.clone();
    let minutes = read(&app, move |history| history.minutes(&name, from_us, to_us)).await?;
    if !as_csv {
        let views = minutes.iter().map(|minute| MinuteView::of(minute, &line.config));
        return Ok(Json(views.collect::<Vec<_>>()).into_response());
    }
    let wide = Wide::new(counters(&minutes), app.parts().zone.clone());
    let rows = minutes.iter().map(|minute| wide.minute(minute));
    app.csv(line, "minutes", from_us, &wide.minute_columns(), rows)
}

/// All counters of some minutes, in the order in which they came.
fn counters(minutes: &[Minute]) -> Vec<Counter> {
    let mut counters: Vec<Counter> = Vec::new();
    for tally in minutes.iter().flat_map(|minute| &minute.tallies) {
        if !counters
            .iter()
            .any(|(station, counted)| *station == tally.station && *counted == tally.counted)
        {
            counters.push((tally.station.clone(), tally.counted.clone()));
        }
    }
    counters
}

/// Stored events, oldest first; at most a month in one request.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/events", operation_id = "stored_events",
    params(("id" = String, Path, description = "Line"), Span, Kinds),
    responses(
        (status = 200, body = Vec<StoredEvent>),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
async fn events(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(kinds): Params<Kinds>,
) -> Result<Json<Vec<StoredEvent>>, WebError> {
    let line = app.line(&id)?;
    let kinds = kinds.resolve()?;
    let events = stored(&app, line, &span, EVENTS_SPAN_US, move |history, line, from, to| {
        history.events(line, from, to, &kinds)
    });
    let events = events.await?;
    let stored = events.iter().map(|(id, event)| StoredEvent {
        id: *id,
        event: EventView::of(event).named(&line.config),
    });
    Ok(Json(stored.collect()))
}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", responses((status = 200, body = serde_json::Value)))]
async fn openapi(State(app): State<App>) -> Json<utoipa::openapi::OpenApi> {
    let mut description = description();
    if app.parts().simulator.is_none() {
        description.paths.paths.retain(|path, _| !is_simulated(path));
    }
    Json(description)
}

/// The description of all areas together.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    let description = Description::openapi().merge_from(charts::Description::openapi());
    let mut description = description.merge_from(sim::Description::openapi());
    guarded(&mut description);
    description
}

/// Says of each route which session or token it takes where people sign in, and that it is refused without.
fn guarded(description: &mut utoipa::openapi::OpenApi) {
    let schemes = description.components.get_or_insert_default();
    let cookie = ApiKey::Cookie(ApiKeyValue::new("__Host-capline"));
    schemes.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.description(Some("The token of a display: reads only"));
    schemes.add_security_scheme("display", SecurityScheme::Http(bearer.build()));
    let none: [&str; 0] = [];
    for (path, item) in &mut description.paths.paths {
        let operations = [(Method::GET, &mut item.get), (Method::POST, &mut item.post)];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            let right = match need(&method, path) {
                Some(Need::Right(right)) => Some(right),
                Some(Need::Account) => None,
                Some(Need::Nobody) | None => {
                    operation.security = Some(Vec::new());
                    continue;
                }
            };
            let session = SecurityRequirement::new("session", none);
            let display = SecurityRequirement::new("display", none);
            let both = [Some(session), (right == Some(Right::Read)).then_some(display)];
            operation.security = Some(both.into_iter().flatten().collect());
            let role = right.map(|right| {
                let least = right.least().word();
                let first = "or the password has to be changed first";
                (
                    "403",
                    format!("The role is not enough, where people sign in; {least} is; {first}"),
                )
            });
            let known = ("401", "Nobody is signed in, where people sign in".to_owned());
            for (status, what) in [Some(known), role].into_iter().flatten() {
                let refusal =
                    ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorView")));
                let refusal = ResponseBuilder::new()
                    .description(what)
                    .content("application/json", refusal.build());
                let responses = &mut operation.responses.responses;
                responses.entry(status.to_owned()).or_insert_with(|| refusal.build().into());
            }
        }
    }
}

impl App {
    /// What changes once a minute of a line. Without the record the charts still stand, with fewer stops.
    pub(crate) async fn charts(&self, line: &LineFeed) -> ChartsView {
        let status = line.latest();
        let from_us = status.as_deref().map_or(0, trend_start_us);
        let id = line.config.id.clone();
        let stops = match &status {
            None => Ok(Vec::new()),
            Some(_) => {
                read(self, move |history| {
                    history.events(&id, from_us, i64::MAX, &[EventKind::Stop])
                })
                .await
            }
        };
        let stops = stops.unwrap_or_else(|error| {
            tracing::warn!(%error, "the stops of the trend could not be read");
            Vec::new()
        });
        let stops: Vec<_> = stops.into_iter().map(|(_, event)| event).collect();
        ChartsView::new(&line.config, status.as_deref(), line.charted().as_deref(), &stops)
    }
}

/// What the record holds of a line in a span that was asked for.
async fn stored<T: Send + 'static>(
    app: &App,
    line: &LineFeed,
    span: &Span,
    longest_us: i64,
    query: impl FnOnce(&dyn History, &LineId, i64, i64) -> Result<T, String> + Send + 'static,
) -> Result<T, WebError> {
    let (from, to) = span.resolve(app.present().now.utc_us, longest_us)?;
    let id = line.config.id.clone();
    read(app, move |history| query(history, &id, from, to)).await
}

/// Reads the record on a thread that may block.
pub(crate) async fn read<T: Send + 'static>(
    app: &App,
    query: impl FnOnce(&dyn History) -> Result<T, String> + Send + 'static,
) -> Result<T, WebError> {
    let history = app.parts().history.clone();
    blocking(move || query(history.as_ref())).await
}
