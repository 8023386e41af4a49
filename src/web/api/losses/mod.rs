//! `…/losses`: stops of a span with what people said about them, and what time was lost for which reason.

mod micro;
mod pareto;
mod shower;
#[cfg(test)]
mod tests;
mod waterfall;

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::line::chronicle::StopRecord;
use domain::line::kpi::{Kpis, Policy};
use domain::line::output::Stations;
use domain::line::rollup::Rollup;
use domain::line::stop::Cause;
use domain::line::stop::revision::Act;
use domain::units::{HOUR_US, SECOND_US};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::picked::SheetForm;
use super::stops::micro_s;
use super::window::{WindowChoice, WindowView};
use super::{AsOf, read, tables};
use crate::config::LineConfig;
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::i18n::Key;
use crate::web::replay::{self, Periods};
use crate::web::view::TitleView;
pub(crate) use micro::MicroHourView;
use micro::micro_hours;
use pareto::{By, losses_of};
pub(crate) use pareto::{LossView, Ranking};
use shower::Shower;
use waterfall::Spent;
pub(crate) use waterfall::WaterfallView;
pub(in crate::web::api) use waterfall::tiles;

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
    /// How long the recorded part of the span is, milliseconds.
    pub(crate) recorded_ms: i64,
    /// Stops shorter than so many seconds are short.
    pub(crate) micro_s: u32,
    /// How many stops were short.
    pub(crate) n_micro: u64,
    /// How long these lasted together within the span, milliseconds.
    pub(crate) micro_ms: i64,
    /// The same hour by hour, oldest first.
    pub(crate) micro_hours: Vec<MicroHourView>,
    /// Stops as people see them, newest first.
    pub(crate) stops: Vec<LossStopView>,
    /// Stops that were seen.
    pub(crate) n_stops: u64,
    /// How long these lasted together within the span, milliseconds.
    pub(crate) lost_ms: i64,
    /// How much of that was planned, milliseconds.
    pub(crate) planned_ms: i64,
    /// The rest, milliseconds: of whole seconds, as lost and planned time are shown, so that the two add up.
    pub(crate) unplanned_ms: i64,
    /// What was not seen: no stop, and no lost time.
    pub(crate) unseen: UnseenView,
    /// Lost time by reason, longest first; what was not seen is not in it.
    pub(crate) losses: Vec<LossView>,
    /// Where the time of the span went, from its length to what was used.
    pub(crate) waterfall: WaterfallView,
    /// Stops that have neither cause nor reason.
    pub(crate) n_unassigned: u64,
    /// How long these lasted together, milliseconds.
    pub(crate) unassigned_ms: i64,
    /// Mean time between failures over the hours of the span, seconds; null without any, and where set-up is not known.
    pub(crate) mtbf_s: Option<f64>,
    /// The running and set-up time that this is the mean of, milliseconds; null where set-up is not known.
    pub(crate) between_failures_ms: Option<u64>,
    /// Whether it is known how much of the planned time was set-up: of a past moment that may not be so.
    pub(crate) setup_known: bool,
    /// Mean time to repair, seconds.
    pub(crate) mttr_s: Option<f64>,
    /// The time that this is the mean of, milliseconds: that in which the machine told a state of its own failure, whatever
    /// cause the whole stop was given.
    pub(crate) repair_ms: u64,
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

/// Spells in which nobody saw the line, and to which nobody has given another cause since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct UnseenView {
    /// How many.
    pub(crate) n: u64,
    /// How long together within the span, milliseconds.
    pub(crate) ms: i64,
}

impl LossStopView {
    /// Whether it is no stop that anybody saw.
    fn is_unseen(&self) -> bool {
        self.cause == Cause::NoSignal.word()
    }
}

impl LossesView {
    /// Time of short stops by reason, longest first.
    pub(crate) fn short(&self) -> Vec<LossView> {
        let short: Vec<_> = self.stops.iter().filter(|stop| stop.micro).cloned().collect();
        losses_of(&short, By::Time)
    }

    /// Whether nobody saw what came after a stop, so that it may have gone on.
    pub(crate) fn is_cut(&self, stop: &LossStopView) -> bool {
        let follows = |one: &LossStopView| one.is_unseen() && Some(one.from_ms) == stop.to_ms;
        !stop.is_unseen() && self.stops.iter().any(follows)
    }
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
    /// `assign`, `undo`, `split` or `merge`.
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
    params(
        ("id" = String, Path, description = "Line"),
        WindowChoice,
        MicroLimit,
        Ranking,
        AsOf,
        SheetForm
    ),
    responses(
        (status = 200, content((LossesView = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn losses(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(choice): Params<WindowChoice>,
    Params(micro): Params<MicroLimit>,
    Params(ranking): Params<Ranking>,
    Params(as_of): Params<AsOf>,
    Params(form): Params<SheetForm>,
) -> Result<Response, WebError> {
    let (line, sheet) = (app.line(&id)?, form.sheet(tables::LOSSES)?);
    let (now_us, past) = as_of.resolve(app.present().now.utc_us)?;
    let window = choice.resolve(&app, &line.config, now_us).await?;
    let (micro_s, by) = (micro.micro_s.unwrap_or(micro_s(&line.config)), ranking.resolve()?);
    let (config, (from, to)) = (line.config.clone(), window.us());
    let stored = read(&app, move |history| {
        let stops = history.stops(&config.id, from, to)?;
        let stops = if past { replay::cut(stops, now_us)? } else { stops };
        Ok((stops, replay::hours(history, &config, (from, to), past && to >= now_us)?))
    });
    let (record, hours) = stored.await?;
    let view = view(&line.config, window, &record, &hours, micro_s, now_us);
    let view = match by {
        By::Time => view,
        by => LossesView { losses: losses_of(&view.stops, by), ..view },
    };
    match sheet {
        None => Ok(Json(view).into_response()),
        Some(sheet) => app.sheet(line, sheet, from, &view),
    }
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

/// Those that are offered: of several that read alike in one of the languages the one of the machine, so that what it
/// tells and what people say is one loss.
fn offered(known: &[ReasonView]) -> Vec<ReasonView> {
    let alike = |a: &TitleView, b: &TitleView| a.zh == b.zh || a.en.eq_ignore_ascii_case(&b.en);
    let told_again = |i: usize, one: &ReasonView| {
        // Those of machines stand behind the general ones.
        known[i + 1..].iter().any(|later| alike(&later.title, &one.title))
    };
    let kept = known.iter().enumerate().filter(|(i, one)| !told_again(*i, one));
    kept.map(|(_, one)| one.clone()).collect()
}

pub(crate) fn view(
    config: &LineConfig,
    window: WindowView,
    record: &StopRecord,
    periods: &Periods,
    micro_s: u32,
    now_us: i64,
) -> LossesView {
    let limit_us = i64::from(micro_s) * SECOND_US;
    let hours = &*periods.rollups;
    let known = choices(config);
    let shower = Shower { config, choices: &known, window: &window, record, limit_us, now_us };
    let mut stops: Vec<LossStopView> = record.parts.iter().map(|part| shower.stop(part)).collect();
    stops.reverse();
    let losses = losses_of(&stops, By::Time);
    let (unseen, seen): (Vec<_>, Vec<_>) = stops.iter().partition(|stop| stop.is_unseen());
    let inside = |stops: &[&LossStopView]| stops.iter().map(|stop| stop.inside_ms).sum::<i64>();
    let planned: Vec<_> = seen.iter().copied().filter(|stop| stop.cause == "planned").collect();
    let sums = (seen.len() as u64, inside(&seen), inside(&planned));
    let unseen = UnseenView { n: unseen.len() as u64, ms: inside(&unseen) };
    let unassigned =
        || stops.iter().filter(|stop| stop.cause == "unknown" && stop.reason.is_empty());
    let micro: Vec<_> = stops.iter().filter(|stop| stop.micro).collect();
    let (n_micro, micro_ms) = (micro.len() as u64, inside(&micro));
    let policy = Policy::per_minute(config.target_per_minute);
    let kpis = Kpis::of_all(hours, &config.output, &policy);
    let kpis = if periods.setup_known { kpis } else { kpis.without_setup() };
    let seconds = |us: f64| (us / 1e5).round() / 10.0;
    let whole_s = |ms: i64| ms - ms % 1_000;
    let last_said = |choice: &ReasonView| {
        let said = record.revisions.iter().filter(|revision| match &revision.act {
            Act::Assign { reason, .. } => **reason == *choice.reason,
            _ => false,
        });
        said.map(|revision| revision.number).max()
    };
    let mut choices = offered(&known);
    let order: HashMap<String, Option<u64>> =
        choices.iter().map(|choice| (choice.reason.clone(), last_said(choice))).collect();
    choices.sort_by_key(|choice| std::cmp::Reverse(order.get(&choice.reason).copied().flatten()));
    let recorded_from_ms = recorded_from_us(hours, window.us()) / 1_000;
    let spent = Spent { config, window: &window, recorded_from_ms, stops: &stops, hours };
    LossesView {
        waterfall: spent.waterfall(),
        recorded_from_ms,
        recorded_ms: (window.to_ms - recorded_from_ms).max(0),
        micro_s,
        n_micro,
        micro_ms,
        micro_hours: micro_hours(&micro, hours, &window),
        n_unassigned: unassigned().count() as u64,
        unassigned_ms: unassigned().map(|stop| stop.inside_ms).sum(),
        n_stops: sums.0,
        lost_ms: sums.1,
        planned_ms: sums.2,
        unplanned_ms: whole_s(sums.1) - whole_s(sums.2),
        unseen,
        losses,
        stops,
        mtbf_s: kpis.mtbf_us.map(|us| seconds(us.value())),
        between_failures_ms: periods
            .setup_known
            .then_some(kpis.elements.between_failures_us / 1_000),
        setup_known: periods.setup_known,
        mttr_s: kpis.mttr_us.map(|us| seconds(us.value())),
        repair_ms: kpis.elements.repair_us / 1_000,
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
