//! Control charts of a line: columns for the workbench, limits as records, incidents and the work on them.

mod file;
#[cfg(test)]
pub(in crate::web) mod tests;
mod then;
mod view;
mod wanted;
mod write;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use domain::audit::{Signature, Signed};
use domain::line::calendar::Calendar;
use domain::line::event::{Event, EventKind};
use domain::line::minute::{Minute, join_weights};
use domain::line::weight::Series;
use domain::quality::characteristic::Characteristic;
use domain::quality::limits::Limits;
use domain::quality::overview::SPAN_US;
use domain::quality::subgroup::{Subgroup, subgroups_and_filling};
use domain::quality::weights::WeightHistogram;
use domain::quality::workbench::{By, evaluate, replay};
use domain::units::{HOUR_US, LineId};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use super::picked::SheetForm;
use super::{AsOf, QUALITY_SPAN_US, Span};
use crate::web::error::{ErrorView, Params, Path, WebError};
use crate::web::{App, QualityRecord, Routes, blocking};
pub(crate) use then::limits_at;
pub(crate) use view::SignatureView;
use view::{
    CharacteristicView, IncidentView, LimitsView, MarkView, ReplayView, Shown, ToldView,
    WorkbenchView, lengths,
};
use wanted::{Wanted, cusum_wanted, rules_of, version_of};

/// Lengths of subgroups are compared within spans up to this: it needs every minute several times.
const LENGTHS_SPAN_US: i64 = 7 * 24 * HOUR_US;

/// Routes of this area.
pub(crate) fn routes() -> Routes {
    vec![
        ("/api/v1/lines/{id}/characteristics", get(characteristics)),
        ("/api/v1/lines/{id}/charts/{characteristic}", get(chart)),
        ("/api/v1/lines/{id}/charts/{characteristic}/points", get(points)),
        ("/api/v1/lines/{id}/charts/{characteristic}/limits", get(versions).post(write::propose)),
        ("/api/v1/lines/{id}/charts/{characteristic}/limits/{version}/replay", get(replayed)),
        (
            "/api/v1/lines/{id}/charts/{characteristic}/limits/{version}/decision",
            post(write::decide),
        ),
        ("/api/v1/lines/{id}/incidents", get(incidents)),
        ("/api/v1/lines/{id}/incidents/{incident}/work", post(write::work)),
    ]
}

/// Description of the routes of this area.
#[derive(OpenApi)]
#[openapi(paths(
    characteristics,
    chart,
    points,
    versions,
    replayed,
    incidents,
    write::propose,
    write::decide,
    write::work
))]
pub(crate) struct Description;

/// Which chart.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Choice {
    /// Start, inclusive: RFC 3339 or UTC milliseconds. Default: 30 hours before the end.
    from: Option<String>,
    /// End, exclusive: RFC 3339 or UTC milliseconds. Default: now.
    to: Option<String>,
    /// `in_force` (default): each point by the limits of its time; a version; or `trial`: what the span itself gives.
    limits: Option<String>,
    /// Minutes in a subgroup: a divisor of a day. Default: those that are judged.
    subgroup: Option<u32>,
    /// Rules for this look, separated by commas. Default: those of the limits. What was judged is not changed.
    rules: Option<String>,
    /// The chart beside a chart of counts: `ewma` (default), which alarms, or `cusum`.
    companion: Option<String>,
}

/// What the line charts.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/characteristics", params(("id" = String, Path, description = "Line")),
    responses((status = 200, body = Vec<CharacteristicView>), (status = 404, body = ErrorView))
)]
async fn characteristics(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Vec<CharacteristicView>>, WebError> {
    let line = app.line(&id)?;
    Ok(Json(line.config.characteristics.iter().map(CharacteristicView::of).collect()))
}

/// A control chart in columns, with its limits, its evidence and what was made of its signals; at most 31 days.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/charts/{characteristic}",
    params(("id" = String, Path), ("characteristic" = String, Path), Choice, AsOf, SheetForm),
    responses(
        (status = 200, content((WorkbenchView = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
async fn chart(
    State(app): State<App>,
    Path((id, name)): Path<(String, String)>,
    Params(choice): Params<Choice>,
    Params(as_of): Params<AsOf>,
    Params(form): Params<SheetForm>,
) -> Result<Response, WebError> {
    let table = form.named(&file::names())?;
    let (line, configured) = app.characteristic(&id, &name)?;
    let (now_us, past) = as_of.resolve(app.present().now.utc_us)?;
    let span = Span::of(choice.from.clone(), choice.to.clone());
    let (from_us, to_us) = span.resolve_from(now_us, SPAN_US, QUALITY_SPAN_US)?;
    if from_us >= now_us {
        let message = "the span begins after the moment that is asked for; begin it before";
        return Err(WebError::Parameter(message.to_owned()));
    }
    let span = (from_us, if past { to_us.min(now_us) } else { to_us });
    let minutes = choice.subgroup.unwrap_or(configured.subgroup_minutes);
    if minutes == 0 || 1_440 % minutes != 0 {
        let message = format!("subgroup {minutes} does not divide a day; use 1, 5, 15, 30 or 60");
        return Err(WebError::Parameter(message));
    }
    let wanted = Wanted::parse(choice.limits.as_deref())?;
    let rules = choice.rules.as_deref().map(rules_of).transpose()?;
    let cusum = cusum_wanted(choice.companion.as_deref(), &configured)?;
    off_thread(&app, move |app| {
        let characteristic = configured.with_subgroup(minutes);
        let data = Data::read(app, &line, &characteristic, span)?;
        let mut limits = record(app).limits(&line, &configured.id).map_err(WebError::Store)?;
        if past {
            limits = then::limits_at(limits, now_us);
        }
        let judging = wanted.choose(&characteristic, &data.subgroups, &limits, span)?;
        let judging = judging.under(rules.as_deref());
        let evaluation = evaluate(&characteristic, &data.subgroups, judging.by());
        // One that was open then may have ended since, so that the record is asked far enough back.
        let since_us = if past { now_us - QUALITY_SPAN_US } else { span.0 };
        let mut incidents =
            record(app).incidents(&line, (since_us, span.1)).map_err(WebError::Store)?;
        incidents.retain(|stored| stored.incident.characteristic == configured.id);
        if past {
            let length_us = configured.subgroup_us();
            incidents = then::incidents_at(incidents, &evaluation.incidents, length_us, now_us);
        }
        let within = span.1 - span.0 <= LENGTHS_SPAN_US;
        let batches_us: Vec<i64> = data.batches.iter().map(|(at_us, _)| *at_us).collect();
        let lengths = match within {
            true => lengths(&characteristic, &evaluation, &data.minutes, &batches_us),
            false => Vec::new(),
        };
        let calendar = &app.line(line.as_str())?.config.calendar;
        let signatures = signatures(app, &line)?;
        let view = WorkbenchView::of(Shown {
            configured: &configured,
            characteristic: &characteristic,
            span,
            evaluation: &evaluation,
            by: judging.word(),
            limits: judging.newest(span.1),
            versions: &limits,
            incidents: &incidents,
            lengths,
            rules: rules.as_deref(),
            cusum,
            marks: marks(&data.batches, calendar, span),
            filling: data.filling.as_ref(),
            histogram: WeightHistogram::of(&evaluation, &characteristic, &data.singles),
        });
        let view = view.signed(&configured.id, &signatures);
        file::answer(app, line.as_str(), &configured.id, span.0, view, table)
    })
    .await
}

/// Batches and shifts that begin in a span, oldest first.
fn marks(
    batches: &[(i64, String)],
    calendar: &Calendar,
    (from_us, to_us): (i64, i64),
) -> Vec<MarkView> {
    let mut found: Vec<(i64, &'static str, String)> =
        batches.iter().map(|(at_us, id)| (*at_us, "batch", id.clone())).collect();
    // Shifts begin at whole quarters of an hour; those of a plant that does otherwise stand at the next one.
    let quarter_us = HOUR_US / 4;
    let mut shift_us = None;
    let mut at_us = from_us.div_euclid(quarter_us) * quarter_us;
    while at_us < to_us {
        let shift = calendar.shift_at(at_us);
        let began = shift.as_ref().filter(|shift| shift_us != Some(shift.start_us));
        found.extend(began.map(|shift| (shift.start_us, "shift", shift.name.to_string())));
        shift_us = shift.map(|shift| shift.start_us);
        at_us += quarter_us;
    }
    found.retain(|(at_us, ..)| (from_us..to_us).contains(at_us));
    found.sort();
    found.iter().map(|(at_us, kind, text)| MarkView::of(kind, (*at_us, text))).collect()
}

/// Points as they were told at the time, corrections after what they correct.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/charts/{characteristic}/points",
    params(("id" = String, Path), ("characteristic" = String, Path), Span),
    responses(
        (status = 200, body = Vec<ToldView>),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
async fn points(
    State(app): State<App>,
    Path((id, name)): Path<(String, String)>,
    Params(span): Params<Span>,
) -> Result<Json<Vec<ToldView>>, WebError> {
    let (line, characteristic) = app.characteristic(&id, &name)?;
    let span = span.resolve_from(app.present().now.utc_us, SPAN_US, QUALITY_SPAN_US)?;
    off_thread(&app, move |app| {
        let points = app.parts().quality.points(&line, &characteristic.id, span);
        Ok(Json(points.map_err(WebError::Store)?.into_iter().map(ToldView::of).collect()))
    })
    .await
}

/// All versions of the limits of a characteristic.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/charts/{characteristic}/limits",
    params(("id" = String, Path), ("characteristic" = String, Path)),
    responses((status = 200, body = Vec<LimitsView>), (status = 404, body = ErrorView))
)]
async fn versions(
    State(app): State<App>,
    Path((id, name)): Path<(String, String)>,
) -> Result<Json<Vec<LimitsView>>, WebError> {
    let (line, characteristic) = app.characteristic(&id, &name)?;
    off_thread(&app, move |app| {
        let limits = app.parts().quality.limits(&line, &characteristic.id);
        let signatures = signatures(app, &line)?;
        let view = |limits: &Limits| LimitsView::of(limits).signed(&characteristic.id, &signatures);
        Ok(Json(limits.map_err(WebError::Store)?.iter().map(view).collect()))
    })
    .await
}

/// What a version would change over a span of history: which signals would appear, which would vanish.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/charts/{characteristic}/limits/{version}/replay",
    params(("id" = String, Path), ("characteristic" = String, Path), ("version" = u32, Path), Span),
    responses(
        (status = 200, body = ReplayView),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
async fn replayed(
    State(app): State<App>,
    Path((id, name, version)): Path<(String, String, u32)>,
    Params(span): Params<Span>,
) -> Result<Json<ReplayView>, WebError> {
    let (line, characteristic) = app.characteristic(&id, &name)?;
    let span = span.resolve_from(app.present().now.utc_us, SPAN_US, QUALITY_SPAN_US)?;
    off_thread(&app, move |app| {
        let data = Data::read(app, &line, &characteristic, span)?;
        let limits =
            app.parts().quality.limits(&line, &characteristic.id).map_err(WebError::Store)?;
        let proposed = version_of(&limits, version)?;
        let found = replay(&characteristic, &data.subgroups, By::InForce(&limits), proposed);
        Ok(Json(ReplayView::of(&found)))
    })
    .await
}

/// Which incidents.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those that have not ended, whenever they began; the span is not asked then.
    #[serde(default)]
    open: bool,
}

/// Incidents of the line that began in a span or are open, newest first.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/incidents", params(("id" = String, Path), Span, Which),
    responses(
        (status = 200, body = Vec<IncidentView>),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
async fn incidents(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(Which { open }): Params<Which>,
) -> Result<Json<Vec<IncidentView>>, WebError> {
    let line = app.line(&id)?.config.id.clone();
    let now_us = app.present().now.utc_us;
    let span = match open {
        true => (now_us, now_us),
        false => span.resolve_from(now_us, SPAN_US, QUALITY_SPAN_US)?,
    };
    off_thread(&app, move |app| {
        let mut incidents = app.parts().quality.incidents(&line, span).map_err(WebError::Store)?;
        incidents.retain(|stored| !(open && stored.incident.over));
        Ok(Json(incidents.iter().map(IncidentView::of).collect()))
    })
    .await
}

impl App {
    /// A characteristic of a line.
    fn characteristic(&self, id: &str, name: &str) -> Result<(LineId, Characteristic), WebError> {
        let config = &self.line(id)?.config;
        let found = config.characteristics.iter().find(|c| *c.id == *name);
        let found = found.ok_or_else(|| WebError::NoChart(name.chars().take(60).collect()))?;
        Ok((config.id.clone(), found.clone()))
    }
}

/// Runs what reads or writes the record on a thread that may block.
async fn off_thread<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&App) -> Result<T, WebError> + Send + 'static,
) -> Result<T, WebError> {
    let app = app.clone();
    blocking(move || Ok(work(&app))).await?
}

/// A span of the record.
struct Data {
    minutes: Vec<Minute>,
    /// When batches began, and which.
    batches: Vec<(i64, String)>,
    subgroups: Vec<Subgroup>,
    filling: Option<Subgroup>,
    /// Weights that are known one by one, in milligrams, each with the start of its minute, oldest first.
    singles: Vec<(i64, f64)>,
}

impl Data {
    fn read(
        app: &App,
        line: &LineId,
        characteristic: &Characteristic,
        (from_us, to_us): (i64, i64),
    ) -> Result<Data, WebError> {
        // From the beginning of a subgroup, or its first point would seem incomplete.
        let length_us = characteristic.subgroup_us();
        let from_us = from_us.div_euclid(length_us) * length_us;
        let history = &app.parts().history;
        let mut minutes = history.minutes(line, from_us, to_us).map_err(WebError::Store)?;
        minutes.retain(|minute| minute.closed);
        let mut singles = Vec::new();
        if let Some(series) = characteristic.measure.series() {
            let weights = history.weights(line, (from_us, to_us)).map_err(WebError::Store)?;
            let station = characteristic.measure.station();
            for (start_us, tally) in &weights {
                // Statistics of an interval are rounded by the machine: they tell no weight, not even of one capsule.
                let is_own =
                    series == Series::Sample && tally.series == series && tally.station == *station;
                let known = is_own.then(|| tally.moments.singles_ug()).flatten();
                singles.extend(known.into_iter().flatten().map(|ug| (*start_us, ug as f64 / 1e3)));
            }
            join_weights(&mut minutes, weights);
        }
        let batches =
            history.events(line, from_us, to_us, &[EventKind::Batch]).map_err(WebError::Store)?;
        let batches: Vec<(i64, String)> =
            batches.into_iter().map(|(_, event): (i64, Event)| (event.at_us, event.word)).collect();
        let batches_us: Vec<i64> = batches.iter().map(|(at_us, _)| *at_us).collect();
        let (subgroups, filling) = subgroups_and_filling(characteristic, &minutes, &batches_us);
        Ok(Data { minutes, batches, subgroups, filling, singles })
    }
}

/// Signatures under decisions about limits of a line.
fn signatures(app: &App, line: &LineId) -> Result<Vec<Signature>, WebError> {
    app.parts().trail.signatures(line, Signed::Limits).map_err(WebError::Store)
}

/// The record of limits and incidents.
fn record(app: &App) -> &dyn QualityRecord {
    app.parts().quality.as_ref()
}
