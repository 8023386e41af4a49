//! `…/losses`: stops of a span with what people said about them, and what time was lost for which reason.

mod shower;
#[cfg(test)]
mod tests;
mod waterfall;

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use domain::line::chronicle::StopRecord;
use domain::line::kpi::{Kpis, Policy};
use domain::line::output::Stations;
use domain::line::rollup::Rollup;
use domain::line::stop::revision::Act;
use domain::line::stop::{Cause, micro_stops};
use domain::spc::pareto::pareto;
use domain::units::{HOUR_US, SECOND_US};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::stops::micro_s;
use super::window::{WindowChoice, WindowView};
use super::{AsOf, read};
use crate::config::LineConfig;
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::i18n::Key;
use crate::web::replay;
use crate::web::view::TitleView;
use shower::Shower;
use waterfall::Spent;
pub(crate) use waterfall::WaterfallView;

/// What plants say of stops whose machine told nothing.
const REASONS: [(Key, Cause); 7] = [
    (Key::LossMechanical, Cause::Internal),
    (Key::LossElectrical, Cause::Internal),
    (Key::LossMaterial, Cause::Starved),
    (Key::LossBlocked, Cause::Blocked),
    (Key::LossClearance, Cause::Planned),
    (Key::LossChangeover, Cause::Planned),
    (Key::LossBreak, Cause::Planned),
];

/// What to call a short stop.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MicroLimit {
    /// Unplanned stops without a reason that are shorter than so many seconds are one loss of their own. Default: 300.
    micro_s: Option<u32>,
}

/// Stops and losses of a span.
#[derive(Serialize, ToSchema)]
pub(crate) struct LossesView {
    /// The span.
    pub(crate) window: WindowView,
    /// Since when the span is recorded, UTC milliseconds: of the time before, nobody knows anything.
    pub(crate) recorded_from_ms: i64,
    /// Stops shorter than so many seconds are short.
    pub(crate) micro_s: u32,
    /// How many short stops were recorded.
    pub(crate) n_micro: u64,
    /// How long these lasted together, milliseconds.
    pub(crate) micro_ms: i64,
    /// Stops as people see them, newest first.
    pub(crate) stops: Vec<LossStopView>,
    /// Lost time by reason, longest first.
    pub(crate) losses: Vec<LossView>,
    /// Where the time of the span went, from its length to what was used.
    pub(crate) waterfall: WaterfallView,
    /// Stops that have neither cause nor reason.
    pub(crate) n_unassigned: u64,
    /// How long these lasted together, milliseconds.
    pub(crate) unassigned_ms: i64,
    /// Mean time between failures over the hours of the span, seconds.
    pub(crate) mtbf_s: Option<f64>,
    /// Mean time to repair, seconds.
    pub(crate) mttr_s: Option<f64>,
    /// Stops for a cause inside the machine.
    pub(crate) failures: u64,
    /// Reasons that can be given, those given last first.
    pub(crate) choices: Vec<ReasonView>,
}

/// A stop or a part of one.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct LossStopView {
    /// Its name.
    pub(crate) id: String,
    /// Start, UTC milliseconds.
    pub(crate) from_ms: i64,
    /// End, UTC milliseconds; null while it lasts.
    pub(crate) to_ms: Option<i64>,
    /// How long it lasted, or has lasted until now, milliseconds.
    pub(crate) lasted_ms: i64,
    /// How much of that lies in the span, milliseconds.
    pub(crate) inside_ms: i64,
    /// Cause as assigned, else as recorded.
    pub(crate) cause: &'static str,
    /// Reason as assigned, else as the machine told; empty where nobody said any.
    pub(crate) reason: String,
    /// The same in both languages, where it is a known one.
    pub(crate) title: Option<TitleView>,
    /// Cause as recorded.
    pub(crate) recorded_cause: &'static str,
    /// Reason that the machine told.
    pub(crate) recorded_title: Option<TitleView>,
    /// Machines that it comes from; several where that is undecided.
    pub(crate) stations: Vec<String>,
    /// Whether it is a short stop.
    pub(crate) micro: bool,
    /// Whether it began before the span.
    pub(crate) cut_before: bool,
    /// Whether it went on after the span.
    pub(crate) cut_after: bool,
    /// The last revision that touched it, 0 for none.
    pub(crate) revision: u64,
    /// What people said, oldest first.
    pub(crate) said: Vec<SaidView>,
}

/// What a person said about a stop.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct SaidView {
    /// Number of the revision.
    pub(crate) number: u64,
    /// When, UTC milliseconds.
    pub(crate) at_ms: i64,
    /// Who.
    pub(crate) by: String,
    /// Why.
    pub(crate) why: String,
    /// `assign`, `split` or `merge`.
    pub(crate) act: &'static str,
    /// The parts that it names.
    pub(crate) parts: Vec<String>,
    /// How long after the begin of the part it was split, milliseconds.
    pub(crate) after_ms: Option<i64>,
    /// Cause as given; empty for a split or a merger.
    pub(crate) cause: &'static str,
    /// Reason as given.
    pub(crate) reason: String,
    /// The same in both languages, where it is a known one.
    pub(crate) title: Option<TitleView>,
}

/// Time lost for one reason.
#[derive(Serialize, ToSchema)]
pub(crate) struct LossView {
    /// Cause; `micro` for short stops without a reason.
    pub(crate) cause: &'static str,
    /// Reason; empty where nobody said any.
    pub(crate) reason: String,
    /// The same in both languages, where it is a known one.
    pub(crate) title: Option<TitleView>,
    /// How many stops.
    pub(crate) n: u64,
    /// Lost time within the span, milliseconds.
    pub(crate) ms: i64,
    /// Part of all lost time, percent.
    pub(crate) share_percent: Option<f64>,
    /// The same with all rows above.
    pub(crate) cumulative_percent: Option<f64>,
}

/// A reason that can be given.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ReasonView {
    /// As stored.
    pub(crate) reason: String,
    /// As shown.
    pub(crate) title: TitleView,
    /// Its cause.
    pub(crate) cause: &'static str,
}

/// Stops of a span, newest first, with what people said, and the time lost for each reason.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/losses",
    params(("id" = String, Path, description = "Line"), WindowChoice, MicroLimit, AsOf),
    responses(
        (status = 200, body = LossesView),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn losses(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(choice): Params<WindowChoice>,
    Params(micro): Params<MicroLimit>,
    Params(as_of): Params<AsOf>,
) -> Result<Json<LossesView>, WebError> {
    let line = app.line(&id)?;
    let (now_us, past) = as_of.resolve(app.present().now.utc_us)?;
    let window = choice.resolve(&line.config, now_us)?;
    let micro_s = micro.micro_s.unwrap_or(micro_s(&line.config));
    let (config, (from, to)) = (line.config.clone(), window.us());
    let stored = read(&app, move |history| {
        let stops = history.stops(&config.id, from, to)?;
        let stops = if past { replay::cut(stops, now_us)? } else { stops };
        Ok((stops, replay::hours(history, &config, (from, to), past && to >= now_us)?))
    });
    let (record, hours) = stored.await?;
    Ok(Json(view(&line.config, window, &record, &hours, micro_s, now_us)))
}

/// What the plant calls reasons: those of the counting machines and those of every plant.
fn choices(config: &LineConfig) -> Vec<ReasonView> {
    let counting = config.devices.iter().filter(|device| config.output.has(&device.map.station));
    let told = counting.flat_map(|device| {
        let cause = |code| device.map.flow.causes.get(code).copied().unwrap_or(Cause::Internal);
        device.map.stop_reasons.iter().map(move |(code, title)| ReasonView {
            reason: title.en.to_string(),
            title: title.into(),
            cause: cause(code).word(),
        })
    });
    let general = REASONS.map(|(key, cause)| ReasonView {
        reason: key.en().to_owned(),
        title: TitleView { en: key.en().to_owned(), zh: key.zh().to_owned() },
        cause: cause.word(),
    });
    let mut all: Vec<ReasonView> = general.into();
    for choice in told {
        if all.iter().all(|known| known.reason != choice.reason) {
            all.push(choice);
        }
    }
    all
}

pub(crate) fn view(
    config: &LineConfig,
    window: WindowView,
    record: &StopRecord,
    hours: &[Rollup],
    micro_s: u32,
    now_us: i64,
) -> LossesView {
    let limit_us = i64::from(micro_s) * SECOND_US;
    let mut choices = choices(config);
    let shower = Shower { config, choices: &choices, window: &window, record, limit_us, now_us };
    let mut stops: Vec<LossStopView> = record.parts.iter().map(|part| shower.stop(part)).collect();
    stops.reverse();
    let losses = losses_of(&stops);
    let unassigned =
        || stops.iter().filter(|stop| stop.cause == "unknown" && stop.reason.is_empty());
    let micro = micro_stops(&record.stops, limit_us);
    let policy = Policy::per_minute(config.target_per_minute);
    let kpis = Kpis::of_all(hours, &config.output, &policy);
    let seconds = |us: f64| (us / 1e5).round() / 10.0;
    let last_said = |choice: &ReasonView| {
        let said = record.revisions.iter().filter(|revision| match &revision.act {
            Act::Assign { reason, .. } => **reason == *choice.reason,
            _ => false,
        });
        said.map(|revision| revision.number).max()
    };
    let order: HashMap<String, Option<u64>> =
        choices.iter().map(|choice| (choice.reason.clone(), last_said(choice))).collect();
    choices.sort_by_key(|choice| std::cmp::Reverse(order.get(&choice.reason).copied().flatten()));
    let recorded_from_ms = recorded_from_us(hours, window.us()) / 1_000;
    let spent = Spent { config, window: &window, recorded_from_ms, stops: &stops, hours };
    LossesView {
        waterfall: spent.waterfall(),
        recorded_from_ms,
        micro_s,
        n_micro: micro.n,
        micro_ms: micro.us / 1_000,
        n_unassigned: unassigned().count() as u64,
        unassigned_ms: unassigned().map(|stop| stop.inside_ms).sum(),
        losses,
        stops,
        mtbf_s: kpis.mtbf_us.map(|us| seconds(us.value())),
        mttr_s: kpis.mttr_us.map(|us| seconds(us.value())),
        failures: kpis.elements.failures,
        choices,
        window,
    }
}

/// Where the record of a span begins. What is not seen later is booked as such, so that only its beginning can be
/// missing: the first hour is as much shorter.
fn recorded_from_us(hours: &[Rollup], (from_us, to_us): (i64, i64)) -> i64 {
    let Some(first) = hours.iter().min_by_key(|hour| hour.start_us) else { return to_us };
    let end_us = first.end_us.unwrap_or(first.start_us + HOUR_US).min(to_us);
    let begin_us = end_us - first.spending.time.total();
    // The clocks of label and duration may differ by a little.
    if begin_us - first.start_us < SECOND_US {
        return first.start_us.max(from_us);
    }
    begin_us.clamp(from_us, to_us)
}

/// Lost time by cause and reason, longest first. Short stops without a reason are one loss.
fn losses_of(stops: &[LossStopView]) -> Vec<LossView> {
    let key = |stop: &LossStopView| match stop.micro && stop.reason.is_empty() {
        true => "micro\u{1}".to_owned(),
        false => format!("{}\u{1}{}", stop.cause, stop.reason),
    };
    let mut sums: HashMap<String, LossView> = HashMap::new();
    for stop in stops {
        let key = key(stop);
        let micro = key.starts_with("micro");
        let sum = sums.entry(key).or_insert_with(|| LossView {
            cause: if micro { "micro" } else { stop.cause },
            reason: if micro { String::new() } else { stop.reason.clone() },
            title: stop.title.clone().filter(|_| !micro),
            n: 0,
            ms: 0,
            share_percent: None,
            cumulative_percent: None,
        });
        (sum.n, sum.ms) = (sum.n + 1, sum.ms + stop.inside_ms);
    }
    let weights = sums.iter().map(|(key, loss)| (key.clone(), loss.ms.max(0) as u64));
    let percent = |share: Option<f64>| share.map(|share| (share * 1_000.0).round() / 10.0);
    let ranked = pareto(weights.collect::<Vec<_>>());
    let mut loss = |rank: &domain::spc::pareto::ParetoRow| {
        let loss = sums.remove(&rank.reason)?;
        let (share, cumulative) = (percent(rank.share), percent(rank.cumulative));
        Some(LossView { share_percent: share, cumulative_percent: cumulative, ..loss })
    };
    ranked.iter().filter_map(&mut loss).collect()
}
