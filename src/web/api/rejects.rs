//! `…/rejects`: what was rejected for which reason, hour by hour, and whether that has changed since the shift before.

use std::collections::BTreeMap;
use std::fmt;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::line::minute::Counted;
use domain::line::output::{Output, Stations};
use domain::line::rollup::Rollup;
use domain::plc_map::{PlcMap, Role};
use domain::quality::characteristic::Measure;
use domain::spc::pareto::pareto;
use domain::stats::comparison::{Dispersion, holm, two_proportions};
use domain::stats::interval::wilson_widened;
use domain::units::{Count, HOUR_US, Reason, StationId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::flow::Flow;
use super::losses::tiles;
use super::picked::SheetForm;
use super::window::{WindowChoice, WindowView};
use super::{AsOf, read, tables};
use crate::config::LineConfig;
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::replay;
use crate::web::view::CountView;

/// Of so many per cent of the comparisons of one page at most one is wrong by chance.
const LEVEL: f64 = 0.05;

/// Rejects of a span.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectsView {
    /// The span.
    pub(crate) window: WindowView,
    /// The span that it is compared with.
    pub(crate) before: WindowView,
    /// All rejects of the counting stations together, or of the one that was asked for, in the span and before.
    pub(crate) total: RejectRowView,
    /// The fraction of the total, percent; null as its parts per million.
    fraction_percent: Option<f64>,
    /// The 95 % interval of it, percent.
    fraction_wilson_percent: Option<[f64; 2]>,
    /// Station by station and reason by reason, most frequent first.
    pub(crate) rows: Vec<RejectRowView>,
    /// Starts of the hours, UTC milliseconds.
    pub(crate) hours: Vec<i64>,
    /// Share of each hour that is known, percent.
    pub(crate) known_percent: Vec<f64>,
    /// Share of the whole span that is known, percent.
    pub(crate) coverage_percent: f64,
    /// Whether the clock hours reach over a border of the span, so that what is told hour by hour is of whole ones.
    whole_hours: bool,
    /// Stations that reject, in the order of the line.
    pub(crate) stations: Vec<String>,
    /// What stations reject that do not count the output: it is in the rows and not in the total. None where one station was
    /// asked for.
    elsewhere: Vec<ElsewhereView>,
    /// Control charts of rows, where a reason has one.
    pub(crate) charts: Vec<RejectChartView>,
}

impl RejectsView {
    /// What the hours brought, hour by hour and reason by reason, as rows of a table.
    fn hour_rows(&self) -> Vec<Value> {
        let hours = self.hours.iter().zip(&self.known_percent).enumerate();
        let of = |(i, (hour, known)): (usize, (&i64, &f64))| {
            let row = |row: &RejectRowView| {
                json!({
                    "hour_ms": hour, "station": row.station, "reason": row.reason,
                    "rejected": row.heat.get(i), "ppm": row.heat_ppm.get(i), "known_percent": known
                })
            };
            self.rows.iter().map(row).collect::<Vec<_>>()
        };
        hours.flat_map(of).collect()
    }
}

/// Rejects of a station that does not count the output.
#[derive(Serialize, ToSchema)]
struct ElsewhereView {
    /// Where.
    station: String,
    /// How many.
    rejected: CountView,
}

/// The control chart of a reason.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectChartView {
    /// Where.
    station: String,
    /// Why.
    reason: String,
    /// Name of the chart, for `/spc`.
    characteristic: String,
}

/// Whose rejects.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RejectsOf {
    /// Rejects of this station only. Default: of all, and the counting station as their total.
    station: Option<String>,
}

/// Rejects of one reason.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectRowView {
    /// Where.
    pub(crate) station: String,
    /// Why; empty for all reasons together.
    pub(crate) reason: String,
    /// How many.
    pub(crate) rejected: CountView,
    /// Out of how many: good and rejects of that station, or what went in; null where it counts neither, and then no
    /// fraction is told.
    pub(crate) total: Option<CountView>,
    /// Fraction in parts per million.
    pub(crate) ppm: Option<f64>,
    /// 95 % Wilson interval in parts per million, widened where hours vary more than chance: by √`dispersion` and Student's law.
    pub(crate) wilson: Option<[f64; 2]>,
    /// Part of all rejects of the line, percent.
    pub(crate) share_percent: Option<f64>,
    /// The same with all rows above.
    pub(crate) cumulative_percent: Option<f64>,
    /// Fraction before, in parts per million.
    pub(crate) before_ppm: Option<f64>,
    /// Rejects before.
    pub(crate) before: CountView,
    /// Out of how many before; null as `total`.
    pub(crate) before_total: Option<CountView>,
    /// Difference to before in parts per million.
    pub(crate) difference_ppm: Option<f64>,
    /// Probability of such a difference by chance, adjusted for the number of reasons; none where there are too few.
    pub(crate) p_value: Option<f64>,
    /// `more`, `less`, `chance`, `too_few`, or `none` where nothing is known of before.
    pub(crate) verdict: &'static str,
    /// The difference of the best counts in standard errors; null where there is no test.
    pub(crate) z: Option<f64>,
    /// How much more than binomial the hours vary; one where the binomial law holds or hours are too few.
    pub(crate) dispersion: f64,
    /// Degrees of freedom of the dispersion; null where hours are too few, and then `z` is judged as a normal one.
    pub(crate) dispersion_df: Option<u64>,
    /// Rejects hour by hour; null where nothing was judged, or known of a station that counts rejects alone.
    pub(crate) heat: Vec<Option<u64>>,
    /// Fraction hour by hour in parts per million.
    pub(crate) heat_ppm: Vec<Option<f64>>,
}

/// Pareto of rejects with intervals, hour by hour, and a comparison with the span before.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/rejects", params(("id" = String, Path, description = "Line"), WindowChoice, RejectsOf, AsOf, SheetForm),
    responses(
        (status = 200, content((RejectsView = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn rejects(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(choice): Params<WindowChoice>,
    Params(of): Params<RejectsOf>,
    Params(as_of): Params<AsOf>,
    Params(form): Params<SheetForm>,
) -> Result<Response, WebError> {
    let (line, sheet) = (app.line(&id)?, form.sheet(tables::REJECTS)?);
    let (now_us, past) = as_of.resolve(app.present().now.utc_us)?;
    let window = choice.resolve(&app, &line.config, now_us).await?;
    let before = window.before(&app, &line.config).await?;
    let config = line.config.clone();
    let spans = (window.us(), before.us());
    let stored = read(&app, move |history| {
        let of = |span: (i64, i64)| replay::hours(history, &config, span, past && span.1 >= now_us);
        Ok((of(spans.0)?.rollups, of(spans.1)?.rollups))
    });
    let (now, then) = stored.await?;
    let (now, then) = (inside(now, spans.0), inside(then, spans.1));
    let (now, then) = (
        Told { whole: window.whole(past).map_or(&*now, std::slice::from_ref), hours: &now },
        Told { whole: before.whole(past).map_or(&*then, std::slice::from_ref), hours: &then },
    );
    let spans = (window.clone(), before.clone());
    let view = view(spans, (now, then), &line.config, of.station.as_deref());
    if let Some(station) = of.station.filter(|station| !view.stations.contains(station)) {
        return Err(WebError::unknown("station", &station, &view.stations.join(", ")));
    }
    let Some(sheet) = sheet else { return Ok(Json(view).into_response()) };
    let answer = json!({ "rows": view.rows, "hours": view.hour_rows() });
    app.sheet(line, sheet, window.us().0, &answer)
}

/// Hours that lie in the span by more than half: a shift that begins within an hour owns that hour or leaves it.
pub(super) fn inside(hours: Vec<Rollup>, (from_us, to_us): (i64, i64)) -> Vec<Rollup> {
    let half = |hour: &Rollup| {
        let end_us = hour.end_us.unwrap_or(to_us).min(to_us.max(hour.start_us + 1));
        end_us.min(to_us) - hour.start_us.max(from_us) > (end_us - hour.start_us) / 2
    };
    hours.into_iter().filter(half).collect()
}

/// What was counted of a span.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    /// What adds up to it: its hours, or the stored period that it is.
    pub(crate) whole: &'a [Rollup],
    /// Its hours, for what is told hour by hour.
    pub(crate) hours: &'a [Rollup],
}

impl<'a> Told<'a> {
    /// A span of which there is nothing but the parts that add up to it.
    pub(crate) fn of(parts: &'a [Rollup]) -> Told<'a> {
        Told { whole: parts, hours: parts }
    }
}

/// One reason of stations, `None` for all reasons together.
struct Which<'a, S> {
    stations: &'a S,
    reason: Option<&'a Reason>,
}

impl<S> Clone for Which<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Which<'_, S> {}

fn rejected(hour: &Rollup, which: Which<impl Stations>) -> Count {
    match which.reason {
        Some(reason) => hour.count(which.stations, &Counted::Reject(reason.clone())),
        None => hour.rejected(which.stations),
    }
}

/// Of how many; none where that is not known.
fn judged(hour: &Rollup, which: Which<impl Stations>, flow: Flow) -> Option<Count> {
    let count = |counted: &Counted| hour.count(which.stations, counted);
    flow.whole(hour.rejected(which.stations), count)
}

/// Exact parts for a test: counts in doubt would look like variation.
fn parts(hours: &[Rollup], which: Which<impl Stations>, flow: Flow) -> Vec<(u64, u64)> {
    let exact = |count: &Count| count.low() == count.high();
    hours
        .iter()
        .filter_map(|hour| Some((rejected(hour, which), judged(hour, which, flow)?)))
        .filter(|(x, n)| exact(x) && exact(n) && x.best() <= n.best() && n.best() > 0)
        .map(|(x, n)| (x.best(), n.best()))
        .collect()
}

/// Rejects of a span and of the one before; of all stations, or of the one that is named.
pub(crate) fn view(
    (window, before): (WindowView, WindowView),
    (now, then): (Told<'_>, Told<'_>),
    config: &LineConfig,
    station: Option<&str>,
) -> RejectsView {
    let mut reasons: BTreeMap<String, (StationId, Reason)> = BTreeMap::new();
    for tally in now.whole.iter().chain(then.whole).flat_map(|part| &part.counts) {
        if let Counted::Reject(reason) = &tally.counted {
            let key = format!("{}\u{1}{reason}", tally.station);
            reasons.entry(key).or_insert_with(|| (tally.station.clone(), reason.clone()));
        }
    }
    let stations = stations(config, reasons.values().map(|(station, _)| station));
    reasons.retain(|_, (of, _)| station.is_none_or(|station| of.as_str() == station));
    let count = |(station, reason): &(StationId, Reason)| -> Count {
        let which = Which { stations: station, reason: Some(reason) };
        now.whole.iter().map(|part| rejected(part, which)).sum()
    };
    let ranked = pareto(reasons.iter().map(|(key, which)| (key.clone(), count(which).best())));
    let mut rows: Vec<RejectRowView> = ranked
        .iter()
        .filter_map(|rank| {
            let (station, reason) = reasons.get(&rank.reason)?;
            let row = row((now, then), Which { stations: station, reason: Some(reason) }, config);
            Some(RejectRowView {
                share_percent: rank.share.map(|share| tenths(share * 100.0)),
                cumulative_percent: rank.cumulative.map(|share| tenths(share * 100.0)),
                ..row
            })
        })
        .collect();
    adjust(&mut rows);
    let named = station.map(|station| Output::one(StationId::new(station)));
    let stations_of_total = named.as_ref().unwrap_or(&config.output);
    let elsewhere =
        if named.is_some() { Vec::new() } else { elsewhere(config, &stations, now.whole) };
    let mut total = row((now, then), Which { stations: stations_of_total, reason: None }, config);
    adjust(std::slice::from_mut(&mut total));
    // Of what was not recorded at all, nothing is known either.
    let known = |hours: &[Rollup], span_us: i64| {
        let known_us: i64 = hours.iter().map(|hour| hour.spending.time.known()).sum();
        let share = known_us as f64 / span_us.max(1) as f64;
        (share.clamp(0.0, 1.0) * 1_000.0).floor() / 10.0
    };
    let (from_us, to_us) = window.us();
    let length = |hour: &Rollup| {
        let end_us = hour.end_us.unwrap_or(hour.start_us + HOUR_US);
        end_us.min(to_us) - hour.start_us.max(from_us)
    };
    let percent = |ppm: f64| ppm / 1e4;
    RejectsView {
        rows,
        fraction_percent: total.ppm.map(percent),
        fraction_wilson_percent: total.wilson.map(|bounds| bounds.map(percent)),
        hours: now.hours.iter().map(|hour| hour.start_us / 1_000).collect(),
        known_percent: now
            .hours
            .iter()
            .map(|hour| known(std::slice::from_ref(hour), length(hour)))
            .collect(),
        coverage_percent: known(now.whole, to_us - from_us),
        whole_hours: !tiles(now.hours, (from_us, to_us)),
        stations,
        elsewhere,
        charts: reasons.values().filter_map(|which| chart(config, which)).collect(),
        total,
        window,
        before,
    }
}

/// Stations that reject, by their maps or by what was counted, in the order of the line.
fn stations<'a>(config: &LineConfig, counted: impl Iterator<Item = &'a StationId>) -> Vec<String> {
    let counted: Vec<&StationId> = counted.collect();
    let maps = config.devices.iter().map(|device| &device.map);
    let rejects = |map: &&std::sync::Arc<PlcMap>| {
        let told = map.tags.iter().any(|tag| matches!(tag.role, Role::Reject(_)));
        told || counted.contains(&&map.station)
    };
    maps.filter(rejects).map(|map| map.station.to_string()).collect()
}

/// What those of the stations rejected that do not count the output.
fn elsewhere(config: &LineConfig, stations: &[String], hours: &[Rollup]) -> Vec<ElsewhereView> {
    let ids = stations.iter().map(|station| StationId::new(station.as_str()));
    let others = ids.filter(|id| !config.output.has(id));
    let rejected = others.map(|id| -> (StationId, Count) {
        let sum = hours.iter().map(|hour| hour.rejected(&id)).sum();
        (id, sum)
    });
    let some = rejected.filter(|(_, rejected)| rejected.high() > 0);
    let view = |(id, rejected): (StationId, Count)| ElsewhereView {
        station: id.to_string(),
        rejected: rejected.into(),
    };
    some.map(view).collect()
}

/// The control chart of a reason, if it has one.
fn chart(config: &LineConfig, (station, reason): &(StationId, Reason)) -> Option<RejectChartView> {
    let measure = Measure::Reject { station: station.clone(), reason: reason.clone() };
    let found = config.characteristics.iter().find(|one| one.measure == measure)?;
    Some(RejectChartView {
        station: station.to_string(),
        reason: reason.to_string(),
        characteristic: found.id.to_string(),
    })
}

fn row<S>((now, then): (Told<'_>, Told<'_>), which: Which<S>, config: &LineConfig) -> RejectRowView
where
    S: Stations + fmt::Display,
{
    let counts = now.whole.iter().chain(then.whole).flat_map(|part| &part.counts);
    let flow = Flow::of(config, counts, |station| which.stations.has(station));
    let sum = |told: Told<'_>| -> (Count, Option<Count>) {
        let x = told.whole.iter().map(|part| rejected(part, which)).sum();
        let judged = told.whole.iter().filter_map(|part| judged(part, which, flow));
        (x, (flow != Flow::Untold).then(|| judged.sum()))
    };
    let ((x2, n2), (x1, n1)) = (sum(now), sum(then));
    let (all, before) = (n2.map_or(0, Count::best), n1.map_or(0, Count::best));
    let [of_then, of_now] = [then, now].map(|told| parts(told.hours, which, flow));
    let dispersion = Dispersion::within(&[&of_then, &of_now]);
    let p_value = worst(x1, before, x2, all, dispersion);
    let best = two_proportions((x1.best(), before), (x2.best(), all), dispersion);
    let ppm = |x: u64, n: u64| (n > 0).then(|| tenths(x as f64 / n as f64 * 1e6));
    let (now_ppm, before_ppm) = (ppm(x2.best(), all), ppm(x1.best(), before));
    let heat = |hour: &Rollup| {
        let x = rejected(hour, which).best();
        match judged(hour, which, flow) {
            Some(n) => (n.best() > 0).then(|| (x, n.best())),
            None => (x > 0 || hour.spending.time.known() > 0).then_some((x, 0)),
        }
    };
    let heat: Vec<_> = now.hours.iter().map(heat).collect();
    RejectRowView {
        station: which.stations.to_string(),
        reason: which.reason.map_or_else(String::new, |reason| reason.to_string()),
        rejected: x2.into(),
        total: n2.map(CountView::from),
        ppm: now_ppm,
        wilson: wilson_widened(x2.best(), all, 0.95, dispersion)
            .map(|(low, high)| [tenths(low * 1e6), tenths(high * 1e6)]),
        share_percent: None,
        cumulative_percent: None,
        before_ppm,
        before: x1.into(),
        before_total: n1.map(CountView::from),
        difference_ppm: now_ppm.zip(before_ppm).map(|(now, then)| tenths(now - then)),
        p_value,
        verdict: if before_ppm.is_none() { "none" } else { "too_few" },
        z: p_value.and(best).map(|best| (best.z * 1_000.0).round() / 1_000.0),
        dispersion: dispersion.map_or(1.0, |d| (d.ratio * 100.0).round() / 100.0),
        dispersion_df: dispersion.map(|d| d.df),
        heat: heat.iter().map(|cell| cell.map(|(x, _)| x)).collect(),
        heat_ppm: heat.iter().map(|cell| cell.and_then(|(x, n)| ppm(x, n))).collect(),
    }
}

/// The p-value that speaks least for a difference, whatever the true counts are within their bounds.
fn worst(x1: Count, n1: u64, x2: Count, n2: u64, dispersion: Option<Dispersion>) -> Option<f64> {
    let corners = [(x1.best(), x2.best()), (x1.low(), x2.high()), (x1.high(), x2.low())];
    let corners = corners.map(|(x1, x2)| two_proportions((x1, n1), (x2, n2), dispersion));
    let [best, first, second] = corners;
    let (best, first, second) = (best?, first?, second?);
    let one_sided = (first.z > 0.0) == (second.z > 0.0);
    if one_sided { Some(best.p_value.max(first.p_value).max(second.p_value)) } else { Some(1.0) }
}

/// Adjusts p-values for their number and says what they mean.
fn adjust(rows: &mut [RejectRowView]) {
    let given: Vec<f64> = rows.iter().filter_map(|row| row.p_value).collect();
    let mut adjusted = holm(&given).into_iter();
    for row in rows {
        let Some(p) = row.p_value.and_then(|_| adjusted.next()) else { continue };
        row.p_value = Some(p);
        row.verdict = match row.difference_ppm {
            _ if p >= LEVEL => "chance",
            Some(difference) if difference < 0.0 => "less",
            _ => "more",
        };
    }
}

fn tenths(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}
