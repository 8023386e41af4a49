//! `/api/v1/sim`: the simulated plant, its faults and its truth, beside what the service said. Only where there is one.

mod view;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::detection::{Injected, Score, Sign, Verdict, agrees, score};
use domain::line::event::{Event, EventKind};
use domain::quality::characteristic::Characteristic;
use domain::units::{Count, LineId, MINUTE_US, SECOND_US, TagId};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use super::picked::SheetForm;
use super::written::Written;
use super::{read, tables};
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::simulator::{Injection, SimulatedFault, Simulator};
use crate::web::view::EventView;
use crate::web::{App, LineFeed, Routes, blocking, details};
use view::{
    FalseAlarmView, InjectionView, SignNameView, SignView, SimFaultView, SimView, TruthView,
};

/// Longest time for which a fault can be put in at once: a shift.
const LONGEST_S: u32 = 12 * 3_600;
/// Speeds that can be chosen for another run.
const SPEEDS: [f64; 3] = [1.0, 10.0, 60.0];
/// What is said is compared so far back, in microseconds.
const LOOK_BACK_US: i64 = 24 * 3_600 * SECOND_US;

/// Routes of this area.
pub(crate) fn routes() -> Routes {
    vec![
        ("/api/v1/sim", get(sim)),
        ("/api/v1/sim/inject", post(inject)),
        ("/api/v1/sim/clear", post(clear)),
        ("/api/v1/sim/hold", post(hold)),
        ("/api/v1/sim/reset", post(reset)),
    ]
}

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(sim, inject, clear, hold, reset))]
pub(crate) struct Description;

/// A fault to be put in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Injecting {
    /// Its kind.
    fault: String,
    /// Seconds of the line's clock; without them as long as its kind does. What happens once takes none.
    #[serde(default)]
    seconds: Option<u32>,
    /// What it takes beside that; without it what its kind has.
    #[serde(default)]
    figure: Option<f64>,
}

/// Whether plant time stands still.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Holding {
    /// Whether it does.
    held: bool,
}

/// Another run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Resetting {
    /// Seed of all its randomness.
    seed: u64,
    /// How many times faster than real time it runs.
    speed: f64,
}

/// The simulated plant: faults that were put in, what the service said of them, and the truth of its counters.
#[utoipa::path(
    get, path = "/api/v1/sim", operation_id = "simulated_plant",
    params(SheetForm),
    responses(
        (status = 200, content((SimView = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
async fn sim(
    State(app): State<App>,
    Params(form): Params<SheetForm>,
) -> Result<Response, WebError> {
    let sheet = form.sheet(tables::SIM)?;
    let simulator = simulator(&app)?;
    let feed = app.line(simulator.line().as_str())?;
    let now_us = app.present().now.utc_us;
    let from_us = simulator.since_us().max(now_us - LOOK_BACK_US);
    let said = said(&app, feed, (from_us, now_us)).await?;
    let faults = simulator.faults();
    let injections = simulator.injections();
    let kinds: Vec<_> = faults.iter().map(|fault| fault.expected.clone()).collect();
    let injected: Vec<Injected> =
        injections.iter().map(|injection| injected(injection, now_us)).collect();
    let signs: Vec<(Sign, i64)> = said.iter().map(|one| (one.sign.clone(), one.at_us)).collect();
    let Score { verdicts, tallies, false_alarms } =
        score(&kinds, &simulator.natural(), &injected, &signs, now_us);
    let judged = injections.iter().zip(verdicts);
    let view = SimView {
        line: simulator.line().to_string(),
        seed: simulator.seed(),
        speed: app.parts().clock.speed(),
        speeds: SPEEDS,
        no_reset_zh: simulator.no_reset().as_deref().map(details::chinese),
        no_reset: simulator.no_reset(),
        held: simulator.is_held(),
        at_ms: now_us / 1_000,
        since_ms: simulator.since_us() / 1_000,
        injections: judged
            .map(|(injection, verdict)| InjectionView::of(injection, &faults, verdict, now_us))
            .collect(),
        faults: faults.iter().map(SimFaultView::of).collect(),
        signs: tallies.iter().map(SignView::of).collect(),
        false_alarms: false_alarms.into_iter().map(|at| said[at].as_false_alarm(feed)).collect(),
        truth: truth(&app, &simulator, feed.config.id.clone()).await?,
    };
    match sheet {
        None => Ok(Json(view).into_response()),
        Some(sheet) => {
            // A run is its seed and its speed: a file of it says which.
            let name = format!("{}_seed{}_x{}", view.line, view.seed, view.speed);
            app.sheet_of(&name, sheet, from_us, &view)
        }
    }
}

/// Puts a fault into the simulated plant.
#[utoipa::path(
    post, path = "/api/v1/sim/inject", operation_id = "inject_fault", request_body = Injecting,
    responses(
        (status = 200, body = InjectionView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
async fn inject(
    State(app): State<App>,
    Written(given): Written<Injecting>,
) -> Result<Json<InjectionView>, WebError> {
    let simulator = simulator(&app)?;
    let faults = simulator.faults();
    let offered = |fault: &&SimulatedFault| !fault.by_clock;
    let known = || {
        let ids: Vec<&str> = faults.iter().filter(offered).map(|fault| &*fault.id).collect();
        ids.join(", ")
    };
    let position = faults.iter().position(|fault| fault.id == given.fault && !fault.by_clock);
    let position = position.ok_or_else(|| WebError::unknown("fault", &given.fault, &known()))?;
    if let Some(seconds) = given.seconds.filter(|seconds| !(1..=LONGEST_S).contains(seconds)) {
        let message = format!("seconds {seconds}: use a number from 1 to {LONGEST_S}");
        return Err(WebError::Parameter(message));
    }
    let lasts_us = given.seconds.map(|seconds| i64::from(seconds) * SECOND_US);
    let inject = move || Ok(simulator.inject(position, lasts_us, given.figure));
    let injection = blocking(inject).await?;
    let injection = injection.map_err(WebError::Conflict)?;
    let now_us = app.present().now.utc_us;
    let silent = faults[position].expected.sign.is_none();
    let verdict = if silent { Verdict::Silent } else { Verdict::Waiting };
    Ok(Json(InjectionView::of(&injection, &faults, verdict, now_us)))
}

/// Takes all faults out of the simulated plant.
#[utoipa::path(
    post, path = "/api/v1/sim/clear", operation_id = "clear_faults", request_body = Object,
    responses(
        (status = 204),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
async fn clear(
    State(app): State<App>,
    Written(Nothing {}): Written<Nothing>,
) -> Result<axum::http::StatusCode, WebError> {
    order(&app, |simulator| simulator.clear()).await
}

/// Lets the time of the simulated plant stand still or go on; that of the service always goes on.
#[utoipa::path(
    post, path = "/api/v1/sim/hold", operation_id = "hold_plant", request_body = Holding,
    responses(
        (status = 204),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
async fn hold(
    State(app): State<App>,
    Written(Holding { held }): Written<Holding>,
) -> Result<axum::http::StatusCode, WebError> {
    order(&app, move |simulator| simulator.hold(held)).await
}

/// Ends this run of the simulated plant and its service and begins another one, with an empty journal.
#[utoipa::path(
    post, path = "/api/v1/sim/reset", operation_id = "reset_plant", request_body = Resetting,
    responses(
        (status = 204),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
async fn reset(
    State(app): State<App>,
    Written(Resetting { seed, speed }): Written<Resetting>,
) -> Result<axum::http::StatusCode, WebError> {
    if !SPEEDS.contains(&speed) {
        return Err(WebError::Parameter(format!("speed {speed}: use 1, 10 or 60")));
    }
    order(&app, move |simulator| simulator.reset(seed, speed)).await
}

/// An order without content.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// The simulated plant. A real one has none of this.
fn simulator(app: &App) -> Result<Arc<dyn Simulator>, WebError> {
    app.parts().simulator.clone().ok_or(WebError::NotFound)
}

async fn order(
    app: &App,
    give: impl FnOnce(&dyn Simulator) -> Result<(), String> + Send + 'static,
) -> Result<axum::http::StatusCode, WebError> {
    let simulator = simulator(app)?;
    let done = blocking(move || Ok(give(simulator.as_ref()))).await?;
    done.map_err(WebError::Conflict)?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

/// Something that the service said.
struct Said {
    sign: Sign,
    at_us: i64,
    event: Option<Event>,
}

/// All that the service said in a span, as far as it can be a sign: events, and incidents of charts at the end of the
/// subgroup that opened them.
async fn said(
    app: &App,
    feed: &LineFeed,
    (from_us, to_us): (i64, i64),
) -> Result<Vec<Said>, WebError> {
    let id = feed.config.id.clone();
    let kinds =
        [EventKind::Count, EventKind::State, EventKind::Link, EventKind::Clock, EventKind::Alarm];
    let events = read(app, move |history| history.events(&id, from_us, to_us + 1, &kinds)).await?;
    let of_event = |(_, event): (i64, Event)| Said {
        sign: Sign {
            kind: event.kind.word().into(),
            word: event.word.as_str().into(),
            station: event.station.clone(),
        },
        at_us: event.at_us,
        event: Some(event),
    };
    let mut said: Vec<Said> = events.into_iter().map(of_event).collect();
    let (quality, line) = (app.parts().quality.clone(), feed.config.id.clone());
    let incidents = blocking(move || quality.incidents(&line, (from_us, to_us))).await?;
    for incident in incidents.into_iter().map(|stored| stored.incident) {
        let minutes = subgroup_minutes(feed, &incident.characteristic);
        let at_us = incident.opened_us + minutes * MINUTE_US;
        let word = incident.characteristic;
        let sign = Sign { kind: "incident".into(), word, station: None };
        if (from_us..=to_us).contains(&at_us) {
            said.push(Said { sign, at_us, event: None });
        }
    }
    said.sort_by_key(|one| one.at_us);
    Ok(said)
}

/// Minutes of a subgroup of a running chart.
fn subgroup_minutes(feed: &LineFeed, id: &str) -> i64 {
    let mut all = feed.config.characteristics.iter();
    let found = all.find(|one: &&Characteristic| *one.id == *id);
    found.map_or(1, |one| i64::from(one.subgroup_minutes))
}

fn injected(injection: &Injection, now_us: i64) -> Injected {
    // What is planned to end has not ended.
    let to_us = injection.to_us.filter(|to_us| *to_us <= now_us);
    Injected { fault: injection.fault, from_us: injection.from_us, to_us }
}

/// The truth of each counter beside what was counted of it.
async fn truth(
    app: &App,
    simulator: &Arc<dyn Simulator>,
    line: LineId,
) -> Result<Vec<TruthView>, WebError> {
    let counters = simulator.counters();
    let wanted = counters.clone();
    let counted = read(app, move |history| {
        let last = |tag: &TagId| {
            // Not its entries: a span in which there are none.
            let record = history.counter(&line, tag, 0, 1)?;
            Ok(record.map(|record| (record.baseline.at.utc_us, record.baseline.total)))
        };
        wanted.iter().map(last).collect::<Result<Vec<_>, String>>()
    });
    let counted = counted.await?;
    let of = |(tag, counted): (&TagId, Option<(i64, Count)>)| {
        let truth = counted.and_then(|(at_us, _)| simulator.truth(tag, at_us));
        TruthView {
            tag: tag.to_string(),
            at_ms: counted.map(|(at_us, _)| at_us / 1_000),
            least: truth.map(|(least, _)| least),
            most: truth.map(|(_, most)| most),
            counted: counted.map(|(_, count)| count.into()),
            agrees: counted.zip(truth).map(|((_, count), truth)| agrees(count, truth)),
        }
    };
    Ok(counters.iter().zip(counted).map(of).collect())
}

impl Said {
    fn as_false_alarm(&self, feed: &LineFeed) -> FalseAlarmView {
        let event = self.event.as_ref().map(|event| EventView::of(event).named(&feed.config));
        let (detail, detail_zh) =
            event.map_or_else(Default::default, |event| (event.detail, event.detail_zh));
        FalseAlarmView {
            sign: SignNameView::of(&self.sign),
            at_ms: self.at_us / 1_000,
            detail,
            detail_zh,
        }
    }
}
