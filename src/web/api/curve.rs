//! `…/curve`: what was made over a span as a sum that grows, beside what the target rate asks for until then.

use axum::Json;
use axum::extract::{Path, State};
use domain::line::curve::{Curve, CurvePoint, target_until};
use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, sum};
use domain::units::{Count, MINUTE_US};
use serde::Serialize;
use utoipa::ToSchema;

use super::AsOf;
use super::read;
use super::window::{WindowChoice, WindowView};
use crate::config::LineConfig;
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::replay;

/// What was made over a span, minute by minute.
#[derive(Serialize, ToSchema)]
pub(super) struct CurveView {
    /// The span.
    window: WindowView,
    /// End of the shift of which it is, UTC milliseconds; the end of the span where it is of none.
    end_ms: i64,
    /// Since when it was watched, UTC milliseconds: of the time before, no target asks anything. Null where it was not.
    watched_from_ms: Option<i64>,
    /// Ends of minutes and of holes, oldest first, UTC milliseconds; the first is the start of the span.
    at_ms: Vec<i64>,
    /// Good capsules from the start until there. What was made in a gap stands there from when it became known; what is
    /// unread at the moment does not.
    best: Vec<u64>,
    /// The least that they can be.
    low: Vec<u64>,
    /// The most that they can be.
    high: Vec<u64>,
    /// What the target rate asks for until there.
    target: Vec<u64>,
    /// What it asks for until `end_ms`.
    target_end: u64,
    /// Stretches of which something is not known, start and end in UTC milliseconds.
    unknown_ms: Vec<[i64; 2]>,
}

/// What was made over a span as a sum that grows, beside what the target rate asks for until then.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/curve",
    params(("id" = String, Path, description = "Line"), WindowChoice, AsOf),
    responses(
        (status = 200, body = CurveView),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn curve(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(choice): Params<WindowChoice>,
    Params(as_of): Params<AsOf>,
) -> Result<Json<CurveView>, WebError> {
    let line = app.line(&id)?;
    let (now_us, past) = as_of.resolve(app.present().now.utc_us)?;
    let window = choice.resolve(&app, &line.config, now_us).await?;
    let (name, (from_us, to_us)) = (line.config.id.clone(), window.us());
    let stored = read(&app, move |history| {
        let minutes = history.minutes(&name, from_us, to_us)?;
        Ok((minutes, history.events(&name, from_us, to_us + 1, &[EventKind::Count])?))
    });
    let (mut minutes, events) = stored.await?;
    if past {
        // A minute that was not over then is not known then.
        minutes.retain(|minute| minute.start_us + MINUTE_US <= now_us);
    }
    let config = &line.config;
    let gaps: Vec<_> = events.iter().filter_map(|(_, event)| gap(config, event, from_us)).collect();
    let curve = Curve::of(&minutes, (from_us, to_us), &config.output, &gaps);
    // The line itself knows it best; from the record alone it is where its minutes begin.
    let watched = line.latest().filter(|_| !past).and_then(|status| {
        let shift = status.shift.as_ref()?;
        (shift.start_us / 1_000 == window.from_ms).then_some(shift.watched_from_us)
    });
    let watched_us = watched.or_else(|| Some(minutes.first()?.start_us.max(from_us)));
    Ok(Json(view(config, window, &curve, watched_us)))
}

/// What the output of a line made in a gap, and when that became known.
fn gap(config: &LineConfig, event: &Event, from_us: i64) -> Option<(i64, Count)> {
    let tallies = replay::gaps(config, std::slice::from_ref(event), (from_us, i64::MAX));
    (!tallies.is_empty())
        .then(|| (event.at_us, sum(&tallies, &config.output, |counted| *counted == Counted::Good)))
}

fn view(
    config: &LineConfig,
    window: WindowView,
    curve: &Curve,
    watched_us: Option<i64>,
) -> CurveView {
    let (from_us, to_us) = window.us();
    let shift = config.calendar.shift_at(from_us).filter(|shift| shift.start_us == from_us);
    let end_us = shift.map_or(to_us, |shift| shift.end_us);
    let target = |at_us: i64| {
        watched_us.map_or(0, |from_us| target_until(config.target_per_minute, from_us, at_us))
    };
    let good = |pick: fn(Count) -> u64| -> Vec<u64> {
        curve.points.iter().map(|point| pick(point.good)).collect()
    };
    let ms = |us: i64| us.div_euclid(1_000);
    CurveView {
        end_ms: ms(end_us),
        watched_from_ms: watched_us.map(ms),
        at_ms: curve.points.iter().map(|point| ms(point.at_us)).collect(),
        best: good(Count::best),
        low: good(Count::low),
        high: good(Count::high),
        target: curve.points.iter().map(|CurvePoint { at_us, .. }| target(*at_us)).collect(),
        target_end: target(end_us),
        unknown_ms: curve.unknown.iter().map(|(from, to)| [ms(*from), ms(*to)]).collect(),
        window,
    }
}
