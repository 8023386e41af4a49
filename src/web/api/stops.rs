//! `…/stops`: why the line stood, as recorded and as people see it.

use axum::Json;
use axum::extract::{Path, State};
use domain::line::chronicle::StopRecord;
use domain::line::stop::key_cause::KeyCause;
use domain::line::stop::revision::{Act, Part, Revision};
use domain::line::stop::{Stop, micro_stops};
use domain::units::SECOND_US;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{EVENTS_SPAN_US, Span, read};
use crate::config::LineConfig;
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError, short};
use crate::web::view::TitleView;

/// Stops shorter than so many seconds are micro-stops if nobody asks otherwise.
pub(in crate::web) fn micro_s(config: &LineConfig) -> u32 {
    u32::try_from(config.micro_stop.as_secs()).unwrap_or(u32::MAX)
}

/// What to call a micro-stop.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MicroLimit {
    /// Unplanned stops shorter than so many seconds are micro-stops. Default: 300. A view only: OEE does not depend on
    /// it.
    micro_s: Option<u32>,
}

/// Stops of a span.
#[derive(Serialize, ToSchema)]
pub(super) struct StopsView {
    /// As recorded, oldest first.
    recorded: Vec<RecordedStopView>,
    /// With all revisions applied, oldest first.
    stops: Vec<StopPartView>,
    /// The revisions that were applied, oldest first.
    revisions: Vec<RevisionView>,
    /// The limit of micro-stops in seconds.
    micro_s: u32,
    /// How many of the recorded stops are micro-stops.
    n_micro: u64,
    /// How long these lasted together within the span, milliseconds.
    micro_ms: i64,
}

/// A stop as recorded.
#[derive(Serialize, ToSchema)]
struct RecordedStopView {
    /// Its number.
    number: u64,
    /// Start, UTC milliseconds.
    from_ms: i64,
    /// End, UTC milliseconds; null while it lasts.
    to_ms: Option<i64>,
    /// Duration in microseconds of the boot clock; null while it lasts.
    duration_us: Option<i64>,
    /// `internal`, `starved`, `blocked`, `external`, `planned`, `unknown`, `no_signal`.
    cause: &'static str,
    /// State that says so.
    state: &'static str,
    /// Stop reason code as read.
    reason: Option<i64>,
    /// What the map calls that reason.
    title: Option<TitleView>,
    /// The machine that it comes from; null where nobody is to be looked for or it is undecided.
    key: Option<String>,
    /// Machines that may have caused it, where that is undecided.
    candidates: Vec<String>,
    /// Whether it is a micro-stop.
    micro: bool,
    /// `cut_before`, `cut_after`, `overlap`, `clock_step`, `impossible_jump`.
    flags: Vec<&'static str>,
}

/// A stop or a part of one as people see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct StopPartView {
    /// Its name: the recorded stop, and after a point the revision that cut it off.
    id: String,
    /// Start, UTC milliseconds.
    from_ms: i64,
    /// End, UTC milliseconds; null while it lasts.
    to_ms: Option<i64>,
    /// Duration in microseconds; null while it lasts.
    duration_us: Option<i64>,
    /// Cause as assigned, else as recorded.
    cause: &'static str,
    /// Reason as assigned; empty where nobody said any.
    reason: String,
    /// Recorded stops that it covers, wholly or in part.
    of: Vec<u64>,
    /// The last revision that touched it, 0 for none.
    revision: u64,
}

/// What a person said about stops.
#[derive(Serialize, ToSchema)]
struct RevisionView {
    /// Its number.
    number: u64,
    /// When, UTC milliseconds.
    at_ms: i64,
    /// Who.
    by: String,
    /// Why.
    why: String,
    /// `assign`, `undo`, `split` or `merge`.
    act: &'static str,
    /// The parts that it names.
    parts: Vec<String>,
    /// Cause as assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// Reason as assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// How long after the begin of the part it was split, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    after_ms: Option<i64>,
}

/// One stop and its history.
#[derive(Serialize, ToSchema)]
pub(super) struct StopHistoryView {
    /// As recorded, with the stops that it was merged with.
    recorded: Vec<RecordedStopView>,
    /// As people see it now.
    stops: Vec<StopPartView>,
    /// All that was said about it, oldest first.
    revisions: Vec<RevisionView>,
}

/// Stops, oldest first, as recorded and with what people said about them; at most a month in one request.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/stops", params(("id" = String, Path, description = "Line"), Span, MicroLimit),
    responses(
        (status = 200, body = StopsView),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn stops(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(micro): Params<MicroLimit>,
) -> Result<Json<StopsView>, WebError> {
    let line = app.line(&id)?;
    let micro_s = micro.micro_s.unwrap_or(micro_s(&line.config));
    let (from, to) = span.resolve(app.present().now.utc_us, EVENTS_SPAN_US)?;
    let id = line.config.id.clone();
    let record = read(&app, move |history| history.stops(&id, from, to)).await?;
    Ok(Json(StopsView::of(&record, &line.config, micro_s, (from, to))))
}

/// One stop as recorded, as people see it now, and all that was said about it.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/stops/{number}",
    params(("id" = String, Path, description = "Line"), ("number" = u64, Path, description = "Number as recorded")),
    responses((status = 200, body = StopHistoryView), (status = 404, body = ErrorView))
)]
pub(super) async fn stop(
    State(app): State<App>,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<StopHistoryView>, WebError> {
    let line = app.line(&id)?;
    let none = || WebError::NoStop(short(&number));
    let (id, asked) = (line.config.id.clone(), number.parse::<u64>().map_err(|_| none())?);
    let record = read(&app, move |history| history.stop(&id, asked)).await?;
    if record.stops.is_empty() {
        return Err(none());
    }
    let limit_us = i64::from(micro_s(&line.config)) * SECOND_US;
    let view = |stop: &Stop| recorded(stop, &line.config, limit_us);
    Ok(Json(StopHistoryView {
        recorded: record.stops.iter().map(view).collect(),
        stops: record.parts.iter().map(StopPartView::of).collect(),
        revisions: record.revisions.iter().map(revision).collect(),
    }))
}

impl StopsView {
    fn of(record: &StopRecord, config: &LineConfig, micro_s: u32, span: (i64, i64)) -> StopsView {
        let limit_us = i64::from(micro_s) * SECOND_US;
        let micro = micro_stops(&record.stops, limit_us, span);
        let recorded = record.stops.iter().map(|stop| recorded(stop, config, limit_us));
        StopsView {
            recorded: recorded.collect(),
            stops: record.parts.iter().map(StopPartView::of).collect(),
            revisions: record.revisions.iter().map(revision).collect(),
            micro_s,
            n_micro: micro.n,
            micro_ms: micro.us / 1_000,
        }
    }
}

fn recorded(stop: &Stop, config: &LineConfig, limit_us: i64) -> RecordedStopView {
    let (key, candidates) = match &stop.key {
        KeyCause::None => (None, Vec::new()),
        KeyCause::Station(station) => (Some(station.to_string()), Vec::new()),
        KeyCause::Undecided(stations) => {
            (None, stations.iter().map(|station| station.to_string()).collect())
        }
    };
    RecordedStopView {
        number: stop.number,
        from_ms: stop.from.utc_us / 1_000,
        to_ms: stop.to.map(|to| to.utc_us / 1_000),
        duration_us: stop.duration_us(),
        cause: stop.cause.word(),
        state: stop.state.word(),
        reason: stop.reason,
        title: stop.reason.and_then(|code| config.stop_title(code)).map(TitleView::from),
        key,
        candidates,
        micro: stop.is_micro(limit_us),
        flags: stop.flags.words().collect(),
    }
}

impl StopPartView {
    pub(in crate::web) fn of(part: &Part) -> StopPartView {
        StopPartView {
            id: part.id.to_string(),
            from_ms: part.from.utc_us / 1_000,
            to_ms: part.to.map(|to| to.utc_us / 1_000),
            duration_us: part.duration_us(),
            cause: part.cause.word(),
            reason: part.reason.to_string(),
            of: part.of.clone(),
            revision: part.revision,
        }
    }
}

/// The word of what a person did.
pub(super) fn act_word(act: &Act) -> &'static str {
    match act {
        Act::Assign { .. } => "assign",
        Act::Undo { .. } => "undo",
        Act::Split { .. } => "split",
        Act::Merge { .. } => "merge",
    }
}

fn revision(revision: &Revision) -> RevisionView {
    let (cause, reason, after_ms) = match &revision.act {
        Act::Assign { cause, reason, .. } => (Some(cause.word()), Some(reason.to_string()), None),
        Act::Split { after_us, .. } => (None, None, Some(after_us / 1_000)),
        Act::Undo { .. } | Act::Merge { .. } => (None, None, None),
    };
    RevisionView {
        number: revision.number,
        at_ms: revision.at_us / 1_000,
        by: revision.by.to_string(),
        why: revision.why.to_string(),
        act: act_word(&revision.act),
        parts: revision.act.parts().map(|part| part.to_string()).collect(),
        cause,
        reason,
        after_ms,
    }
}
