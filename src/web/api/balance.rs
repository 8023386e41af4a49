//! `…/balance`: what went into each machine, what came out of it, and whether the rest can be inside.

use axum::Json;
use axum::extract::{Path, State};
use domain::line::balance::{Content, Difference, Section};
use domain::line::chronicle::{Plan, sections};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::units::Count;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Span;
use super::periods::periods;
use crate::config::LineConfig;
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError, short};
use crate::web::view::CountView;

/// Which periods to balance.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Periods {
    /// `hour`, `shift` or `batch`. Default: `hour`.
    by: Option<String>,
}

/// The balance of a period.
#[derive(Serialize, ToSchema)]
pub(super) struct BalanceView {
    /// Start, UTC milliseconds.
    start_ms: i64,
    /// End, UTC milliseconds; null for a batch that is open.
    end_ms: Option<i64>,
    /// Name of the shift or id of the batch.
    name: String,
    /// Machines and the ways between them, in the order of the line.
    sections: Vec<SectionView>,
}

/// A machine, or the way from one machine to the next.
#[derive(Serialize, ToSchema)]
struct SectionView {
    /// The machine, or the two machines.
    stations: Vec<String>,
    /// Tag of what went in.
    inlet: String,
    /// How many went in.
    went_in: CountView,
    /// Tags of what came out: good, rejects, samples.
    outlets: Vec<String>,
    /// How many of each.
    outlet_counts: Vec<CountView>,
    /// How many came out: their sum.
    came_out: CountView,
    /// In less out: by so much the content has grown.
    grown: GrownView,
    /// The most that can be inside.
    capacity: u64,
    /// Whether the content can have grown by that: `possible` or `miscount`.
    verdict: &'static str,
    /// What can be inside now; null for a period that is over, and before the first judgement.
    inside: Option<InsideView>,
}

/// What can be inside a section, as every judgement since a moment has narrowed it. A restart of the service does not
/// begin it anew; what does are a miscount that was found, and a gap that may have held more than has room.
#[derive(Serialize, ToSchema)]
struct InsideView {
    /// The least, in capsules.
    low: u64,
    /// The most.
    high: u64,
    /// Since when it is judged, UTC milliseconds.
    since_ms: i64,
    /// When it was judged last, UTC milliseconds.
    at_ms: i64,
}

/// A difference whose true value lies in `[low, high]`.
#[derive(Serialize, ToSchema)]
struct GrownView {
    /// Best supported value.
    best: i64,
    /// Least that the truth can be.
    low: i64,
    /// Most that the truth can be.
    high: i64,
}

/// Balance of material, `infeed = good + rejects + samples + growth of the content`, period by period. Finer and sooner
/// is the test of each minute; what it finds is an event of kind `alarm` with the word `miscount`.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/balance", params(("id" = String, Path, description = "Line"), Span, Periods),
    responses(
        (status = 200, body = Vec<BalanceView>),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn balance(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(asked): Params<Periods>,
) -> Result<Json<Vec<BalanceView>>, WebError> {
    let kind = match asked.by.as_deref() {
        None => PeriodKind::Hour,
        Some(word) => PeriodKind::from_word(word).ok_or_else(|| {
            let word = short(word);
            WebError::Parameter(format!("by = {word:?} is no period; use hour, shift or batch"))
        })?,
    };
    let (config, rollups) = periods(&app, &id, &span, kind).await?;
    let now_us = app.present().now.utc_us;
    let latest = app.line(&id)?.latest();
    let contents = |rollup: &Rollup| match &latest {
        Some(status) if rollup.end_us.is_none_or(|end_us| end_us > now_us) => &status.contents[..],
        _ => &[],
    };
    let view = |rollup: &Rollup| balance_of(config, rollup, contents(rollup));
    Ok(Json(rollups.iter().map(view).collect()))
}

/// The balance of one period; `contents` is what can be inside each section now, empty for a period that is over.
pub(super) fn balance_of(
    config: &LineConfig,
    rollup: &Rollup,
    contents: &[Option<Content>],
) -> BalanceView {
    let plan = plan(config);
    let view = |(i, section): (usize, &Section)| {
        section_view(section, rollup, &plan, contents.get(i).copied().flatten())
    };
    BalanceView {
        start_ms: rollup.start_us / 1_000,
        end_ms: rollup.end_us.map(|us| us / 1_000),
        name: rollup.name.to_string(),
        sections: sections(&plan).iter().enumerate().map(view).collect(),
    }
}

fn plan(config: &LineConfig) -> Plan {
    let stations = config.devices.iter().map(|device| device.map.clone()).collect();
    let counting =
        config.devices.iter().position(|device| device.map.station == config.counting_station);
    Plan::new(config.calendar.clone(), stations, counting.unwrap_or(0))
}

fn section_view(
    section: &Section,
    rollup: &Rollup,
    plan: &Plan,
    content: Option<Content>,
) -> SectionView {
    let count = |counter: usize| -> Count {
        let key = &plan.counters[counter];
        rollup.count(&plan.stations[key.station].station, &key.counted)
    };
    let tag = |counter: usize| plan.counters[counter].tag.to_string();
    let went_in = count(section.inlet);
    // Counts of periods are capsules already.
    let came_out: Count = section.outlets.iter().map(|outlet| count(outlet.counter)).sum();
    let grown = Difference::of(went_in, came_out);
    let capacity = i128::from(section.capacity);
    let possible = grown.low <= capacity && grown.high >= -capacity;
    let whole = |n: i128| i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX });
    let (first, last) = section.stations;
    let mut stations = vec![plan.stations[first].station.to_string()];
    if last != first {
        stations.push(plan.stations[last].station.to_string());
    }
    SectionView {
        inside: content.map(|content| InsideView {
            low: content.low,
            high: content.high,
            since_ms: content.since_us / 1_000,
            at_ms: content.at_us / 1_000,
        }),
        stations,
        inlet: tag(section.inlet),
        went_in: went_in.into(),
        outlets: section.outlets.iter().map(|outlet| tag(outlet.counter)).collect(),
        outlet_counts: section.outlets.iter().map(|outlet| count(outlet.counter).into()).collect(),
        came_out: came_out.into(),
        grown: GrownView {
            best: whole(grown.best),
            low: whole(grown.low),
            high: whole(grown.high),
        },
        capacity: section.capacity,
        verdict: if possible { "possible" } else { "miscount" },
    }
}
