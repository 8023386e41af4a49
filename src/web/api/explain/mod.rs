//! `…/explain/{value}`: how a number of a screen is made. Formula, inputs that add up to it, span, what is left out, the
//! tags of the maps it rests on, its doubt, and where its rows are.

mod count;
mod figures;
mod fraction;
mod kpi;
pub(crate) mod rows;
#[cfg(test)]
mod tests;
mod time;
mod value;
mod view;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::line::event::{Event, EventKind};
use domain::line::minute::Minute;
use domain::line::output::{Output, Stations};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::status::LineStatus;
use domain::plc_map::{PlcMap, Role, Tag};
use domain::units::{MINUTE_US, Reason};
use serde::Deserialize;
use utoipa::IntoParams;

use super::losses::{self, LossesView};
use super::rejects::inside;
use super::stops::micro_s;
use super::tag::{address, reason, role};
use super::window::{WindowChoice, WindowView};
use super::{AsOf, History, read, station_named};
use crate::config::LineConfig;
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::replay::{self, Periods};
use crate::web::view::{EventView, Present, share};

pub(crate) use value::Explained;
pub(crate) use view::{ExplainView, InputView, LeftOutView, ResultView, RowsView, TagLineView};

/// Most causes of a doubt that are listed, the latest first.
const CAUSES: usize = 12;

/// What is shown of the record beside a number that rests on the last minutes, and what of it can still change.
const RECENT_US: i64 = 15 * MINUTE_US;

/// How often rows and sums are read until both are of one tick of the line.
const TRIES: usize = 8;

/// Of what a number is to be explained.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Basis {
    /// A stored period of this kind: `shift` (default), `batch` or `hour`.
    kind: Option<String>,
    /// Its start, UTC milliseconds. Default: the one that goes on.
    start: Option<i64>,
    /// Instead of a period the hours of a span: `shift`, `previous`, `day` or `week`, or a stored period as `batch:` with its
    /// start or id. Times of stops are always of a span.
    window: Option<String>,
    /// Whose counters. Default: the counting stations together.
    station: Option<String>,
    /// Rejects of this reason only. Default: all.
    reason: Option<String>,
    /// Stops shorter than so many seconds are short. Default: as configured.
    micro_s: Option<u32>,
}

/// How a number is made: formula, inputs that add up to it, span, tags, doubt and rows.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/explain/{value}",
    params(
        ("id" = String, Path, description = "Line"),
        ("value" = String, Path, description = "good, rejected, oee, …; an unknown one is answered with the list"),
        Basis,
        AsOf
    ),
    responses(
        (status = 200, body = ExplainView),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(crate) async fn explain(
    State(app): State<App>,
    Path((id, value)): Path<(String, String)>,
    Params(basis): Params<Basis>,
    Params(as_of): Params<AsOf>,
) -> Result<Json<ExplainView>, WebError> {
    let feed = app.line(&id)?;
    let value = Explained::from_word(&value)?;
    let present = app.present();
    let config = feed.config.clone();
    let (now_us, past) = as_of.resolve(present.now.utc_us)?;
    let window = match basis.window.is_some() || value.is_of_stops() {
        true => {
            let choice = WindowChoice::named(basis.window.clone());
            Some(choice.resolve(&app, &config, now_us).await?)
        }
        false => None,
    };
    let wanted = Wanted { past, ..Wanted::of(value, &basis, (window, past), &config, now_us)? };
    let facts = read(&app, move |history| gather(history, config, wanted)).await??;
    let status = if past { facts.status.clone() } else { feed.current(&present) };
    Ok(Json(Facts { status, ..facts }.view(value, &present)))
}

/// The station of that name; without one, and by their own name, those that count, together.
fn stations_of(config: &LineConfig, named: Option<&str>) -> Result<Output, WebError> {
    match named {
        Some(name) if name != config.output.to_string() => {
            station_named(config, name).map(Output::one)
        }
        _ => Ok(config.output.clone()),
    }
}

/// The reason of that name, for which the stations reject.
fn reason_of(
    config: &LineConfig,
    stations: &Output,
    named: Option<&str>,
) -> Result<Option<Reason>, WebError> {
    let Some(named) = named else { return Ok(None) };
    let here = config.devices.iter().filter(|device| stations.has(&device.map.station));
    let known: Vec<&Reason> = here
        .flat_map(|device| &device.map.tags)
        .filter_map(|tag| match &tag.role {
            Role::Reject(reason) => Some(reason),
            _ => None,
        })
        .collect();
    let found = known.iter().find(|reason| reason.as_str() == named);
    let unknown = || {
        let known = known.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(", ");
        WebError::unknown("reason", named, &known)
    };
    found.map(|reason| Some((*reason).clone())).ok_or_else(unknown)
}

/// What is to be read.
struct Wanted {
    kind: PeriodKind,
    /// The span whose hours these are; none for a period.
    window: Option<WindowView>,
    from_us: i64,
    to_us: i64,
    /// The start that a period must have; none for the last one.
    start_ms: Option<i64>,
    stations: Output,
    /// The reason of whose rejects it is; none for all.
    reason: Option<Reason>,
    /// Whether hours at the border count that lie outside by more than half.
    whole_hours: bool,
    /// Whether it rests on the last minutes, so that it needs no period.
    of_now: bool,
    /// The limit of short stops, for what is of stops.
    micro_s: Option<u32>,
    /// The moment of which it is asked.
    now_us: i64,
    /// Whether that is a past one, of which nothing later is known.
    past: bool,
}

impl Wanted {
    fn of(
        value: Explained,
        basis: &Basis,
        (window, past): (Option<WindowView>, bool),
        config: &LineConfig,
        now_us: i64,
    ) -> Result<Wanted, WebError> {
        let stations = stations_of(config, basis.station.as_deref())?;
        let reason = reason_of(config, &stations, basis.reason.as_deref())?;
        if reason.is_some() && !matches!(value, Explained::Rejected | Explained::RejectFraction) {
            let message = "a reason belongs to rejected and reject_fraction only; leave it out";
            return Err(WebError::Parameter(message.to_owned()));
        }
        let limit = basis.micro_s.unwrap_or(micro_s(config));
        let wanted = Wanted {
            kind: PeriodKind::Hour,
            window: None,
            from_us: 0,
            to_us: now_us,
            start_ms: None,
            stations,
            reason,
            whole_hours: matches!(value, Explained::Mtbf | Explained::Mttr),
            of_now: value.is_of_now(),
            micro_s: value.is_of_stops().then_some(limit),
            now_us,
            past: false,
        };
        if let Some(window) = window {
            // What is counted of a stored period is of that period; what is made of stops and of hours is of the span.
            let of_period = !value.is_of_stops() && !wanted.whole_hours;
            if let Some(period) = window.whole(past).filter(|_| of_period) {
                let start_us = period.start_us;
                let start_ms = Some(start_us.div_euclid(1_000));
                let (from_us, to_us) = (start_us, start_us + 1_000);
                return Ok(Wanted { kind: period.kind, from_us, to_us, start_ms, ..wanted });
            }
            let (from_us, to_us) = window.us();
            return Ok(Wanted { window: Some(window), from_us, to_us, ..wanted });
        }
        let word = basis.kind.as_deref().unwrap_or("shift");
        let kind = PeriodKind::from_word(word)
            .ok_or_else(|| WebError::unknown("kind", word, "shift, batch, hour"))?;
        let start_us = basis.start.and_then(|ms| ms.checked_mul(1_000)).filter(|us| *us >= 0);
        if basis.start.is_some() && start_us.is_none() {
            return Err(WebError::Parameter("start is no moment in UTC milliseconds".to_owned()));
        }
        let (from_us, to_us) = start_us.map_or((now_us - 1, now_us), |us| (us, us + 1_000));
        Ok(Wanted { kind, from_us, to_us, start_ms: basis.start, ..wanted })
    }

    /// The stored periods that are meant.
    fn periods(&self, history: &dyn History, config: &LineConfig) -> Result<Periods, String> {
        let span = (self.from_us, self.to_us);
        let Periods { rollups: found, setup_known } = match self.past {
            true => replay::periods_at(history, config, self.kind, span, self.now_us)?,
            false => Periods::stored(history.rollups(&config.id, self.kind, span.0, span.1)?),
        };
        if self.window.is_some() {
            let kept =
                if self.whole_hours { found } else { inside(found, (self.from_us, self.to_us)) };
            return Ok(Periods { rollups: kept, setup_known });
        }
        let named = |period: &Rollup| {
            self.start_ms.is_none_or(|start| period.start_us.div_euclid(1_000) == start)
        };
        let rollups = found.into_iter().rfind(named).into_iter().collect();
        Ok(Periods { rollups, setup_known })
    }
}

/// What a number is made of, as stored.
struct Facts {
    config: LineConfig,
    wanted: Wanted,
    /// The period, or the hours of the span.
    periods: Vec<Rollup>,
    /// Whether it is known how much of their planned time was set-up.
    setup_known: bool,
    /// Start and end of what is explained, microseconds.
    span: (i64, i64),
    minutes: Vec<Minute>,
    /// What is behind doubts, oldest first.
    doubts: Vec<Event>,
    losses: Option<LossesView>,
    /// The line now, if that is current, or at the past moment.
    status: Option<Arc<LineStatus>>,
}

/// Reads what a number is made of. Sums and rows are read until no tick of the line lies between them, or the rows
/// would seem to be short of what the line made meanwhile.
fn gather(
    history: &dyn History,
    config: LineConfig,
    wanted: Wanted,
) -> Result<Result<Facts, WebError>, String> {
    let line = config.id.clone();
    let mut periods = wanted.periods(history, &config)?;
    let mut minutes = Vec::new();
    let mut span = (0, 0);
    for tried in 0..TRIES {
        let Some((first, last)) = periods.rollups.first().zip(periods.rollups.last()) else {
            if wanted.of_now {
                // Between shifts the line has a speed all the same.
                span = (wanted.now_us - RECENT_US, wanted.now_us);
                minutes = history.minutes(&line, span.0, span.1)?;
                break;
            }
            return Ok(Err(WebError::NoPeriod));
        };
        let end_us = last.end_us.unwrap_or(wanted.now_us).min(wanted.now_us);
        span = (first.start_us, end_us.max(first.start_us + 1));
        // Only the last minutes can have moved since the try before.
        let fresh_us = if tried == 0 { span.0 } else { span.0.max(span.1 - RECENT_US) };
        minutes.retain(|minute: &Minute| minute.start_us < fresh_us);
        minutes.extend(history.minutes(&line, fresh_us, span.1)?);
        let again = wanted.periods(history, &config)?;
        let is_still = again == periods;
        periods = again;
        if is_still {
            break;
        }
    }
    let kinds = [EventKind::Count, EventKind::Link];
    let events = history.events(&line, span.0, span.1, &kinds)?;
    let doubts = events.into_iter().map(|(_, event)| event).collect();
    let losses = match wanted.micro_s.zip(wanted.window.clone()) {
        None => None,
        Some((limit, window)) => {
            let record = history.stops(&line, wanted.from_us, wanted.to_us)?;
            let record = if wanted.past { replay::cut(record, wanted.now_us)? } else { record };
            span = (wanted.from_us, wanted.to_us);
            Some(losses::view(&config, window, &record, &periods, limit, wanted.now_us))
        }
    };
    // What rests on the last minutes of a past moment rests on what the record has of them.
    let status = match wanted.past && wanted.of_now {
        true => replay::present_at(history, &config, wanted.now_us)?.map(Arc::new),
        false => None,
    };
    let Periods { rollups: periods, setup_known } = periods;
    Ok(Ok(Facts { config, wanted, periods, setup_known, span, minutes, doubts, losses, status }))
}

impl Facts {
    /// All that is said about a number.
    fn view(&self, value: Explained, present: &Present) -> ExplainView {
        let figure = self.figure(value);
        let (window, period) = (self.wanted.window.as_ref(), self.periods.last());
        let name = window.map(|window| window.name.clone());
        let name = name.or_else(|| period.map(|period| period.name.to_string()));
        let (causes, n_causes) = self.causes(value);
        let rows = self.rows(value, &figure);
        // What was asked for, also where the record begins later: what is missing of it is told beside it.
        let (from_ms, to_ms) = window
            .map_or((self.span.0.div_euclid(1_000), self.span.1.div_euclid(1_000)), |window| {
                (window.from_ms, window.to_ms)
            });
        ExplainView {
            value: value.word(),
            station: self.wanted.stations.to_string(),
            kind: if window.is_some() { "window" } else { self.wanted.kind.word() },
            name: name.unwrap_or_default(),
            from_ms,
            to_ms,
            open: value.is_of_now() || self.periods.iter().any(|period| !period.closed),
            offset_s: present.offset_s(self.span.1),
            unit: figure.unit,
            result: figure.result,
            formula: figure.formula,
            iso: figure.iso,
            worked: figure.worked,
            inputs: figure.inputs,
            left_out: self.left_out(value),
            coverage_percent: self.known_share().map(share),
            causes,
            n_causes,
            tags: self.tags(value),
            rows,
        }
    }

    /// What is behind the doubt of a number: counts that are known only within bounds, and lost connections.
    fn causes(&self, value: Explained) -> (Vec<EventView>, usize) {
        let counted = [Role::Good, Role::Infeed, Role::Sample];
        let counts =
            value == Explained::Rejected || counted.iter().any(|role| value.rests_on(role));
        let is_cause = |event: &&Event| {
            let here =
                event.station.as_ref().is_some_and(|station| self.wanted.stations.has(station));
            here && match event.kind {
                EventKind::Count => counts && domain::line::report::is_in_doubt(event),
                _ => event.word == "down",
            }
        };
        let all: Vec<&Event> = self.doubts.iter().rev().filter(is_cause).collect();
        let n = all.len();
        let shown = all.into_iter().take(CAUSES);
        (shown.map(|event| EventView::of(event).named(&self.config)).collect(), n)
    }

    fn tags(&self, value: Explained) -> Vec<TagLineView> {
        let maps = self.config.devices.iter().map(|device| &device.map);
        let here = maps.filter(|map| self.wanted.stations.has(&map.station));
        let of = |map: &Arc<PlcMap>| {
            let other = |role: &Role| match (role, &self.wanted.reason) {
                (Role::Reject(one), Some(asked)) if value == Explained::Rejected => one != asked,
                _ => false,
            };
            let rests =
                map.tags.iter().filter(|tag| value.rests_on(&tag.role) && !other(&tag.role));
            let view = |tag: &Tag| TagLineView {
                station: map.station.to_string(),
                tag: tag.id.to_string(),
                role: role(&tag.role),
                reason: reason(&tag.role),
                address: address(&tag.address),
                file: map.file.clone(),
                line: tag.line,
            };
            rests.map(view).collect::<Vec<_>>()
        };
        here.flat_map(of).collect()
    }
}
