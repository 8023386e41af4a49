//! `…/hours`, `…/shifts`, `…/batches`: what was made in a period, how its time was spent, and its KPIs.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::line::batch::hand::{Did, Entry};
use domain::line::batch::{Bounded, Material, Remark};
use domain::line::kpi::{Kpis, Policy};
use domain::line::minute::Counted;
use domain::line::output::Stations;
use domain::line::rollup::{PeriodKind, Rollup, Unread};
use domain::line::state::TimeClass;
use domain::units::{Count, StationId};
use serde::Serialize;
use utoipa::ToSchema;

use super::kpi::{KpiView, percent};
use super::table::Form;
use super::{EVENTS_SPAN_US, Span, read, tables};
use crate::config::LineConfig;
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::view::{CountView, TallyView, share};
use crate::web::{App, LineFeed};

/// An hour, a shift or a batch.
#[derive(Serialize, ToSchema)]
pub(crate) struct PeriodView {
    /// `hour`, `shift` or `batch`.
    kind: &'static str,
    /// Name of the shift or id of the batch.
    name: String,
    /// Start, UTC milliseconds.
    start_ms: i64,
    /// End, UTC milliseconds; null for a batch that is open.
    end_ms: Option<i64>,
    /// Whether it is over.
    closed: bool,
    /// Raised whenever it changed.
    rev: u32,
    /// Whether part of a count was divided among periods by estimate.
    estimated: bool,
    /// Good capsules of the counting stations together, gaps included, and in the bounds of a period that goes on what may have been made
    /// since the machine was read; null where nothing of the period was read.
    good: Option<CountView>,
    /// The part of them that is known for gaps only as a whole; null where nothing of the period was read.
    gap: Option<CountView>,
    /// Rejects of the counting stations together, likewise.
    rejected: Option<CountView>,
    /// What the target rate asks for in the time that is recorded.
    target: u64,
    /// Share of the passed part that is known, percent, one decimal. What was before the service ran is not.
    known_percent: Option<f64>,
    /// Microseconds by class, in the order run, internal, external, planned, idle, unknown. They add up to the time that
    /// passed.
    time_us: [i64; 6],
    /// Part of the planned time in which the machine was set up, microseconds.
    setup_us: i64,
    /// Part of the planned time in which the machine did something else, microseconds.
    overlap_us: i64,
    /// KPIs at the counting stations.
    kpis: KpiView,
    /// All counters that counted anything.
    tallies: Vec<TallyView>,
}

/// A batch with its yield and its balance of material.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchView {
    /// Counts, times and KPIs.
    #[serde(flatten)]
    period: PeriodView,
    /// How its beginning is known: `matched`, `first`, `no_reset`, `by_hand`.
    begun: Option<&'static str>,
    /// Product and strength, where a person said it when opening.
    product: Option<String>,
    /// Who opened it by hand.
    opened_by: Option<String>,
    /// Who closed it by hand.
    closed_by: Option<String>,
    /// 收率: good / infeed, percent.
    yield_percent: Option<BoundedView>,
    /// 物料平衡: (good + rejected + samples) / infeed, percent.
    balance_percent: Option<BoundedView>,
    /// `within`, `outside` or `undecided`; null where nothing went in.
    balance: Option<&'static str>,
    /// Lower and upper limit of the balance, percent.
    balance_limits_percent: [f64; 2],
}

/// A fraction in percent of which the truth lies between two bounds.
#[derive(Serialize, ToSchema)]
struct BoundedView {
    /// The least it can be.
    low: Option<f64>,
    /// Best supported.
    best: Option<f64>,
    /// The most it can be; null if nothing may have gone in.
    high: Option<f64>,
}

/// Clock hours that overlap the span, oldest first; at most a month in one request.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/hours", params(("id" = String, Path, description = "Line"), Span, Form),
    responses(
        (status = 200, content((Vec<PeriodView> = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn hours(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(form): Params<Form>,
) -> Result<Response, WebError> {
    views(&app, &id, &span, PeriodKind::Hour, &form).await
}

/// Shifts that overlap the span, oldest first; at most a month in one request. The last may be going on.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/shifts", params(("id" = String, Path, description = "Line"), Span, Form),
    responses(
        (status = 200, content((Vec<PeriodView> = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn shifts(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(form): Params<Form>,
) -> Result<Response, WebError> {
    views(&app, &id, &span, PeriodKind::Shift, &form).await
}

/// Batches that overlap the span, oldest first, with yield and balance of material; at most a month in one request.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/batches", params(("id" = String, Path, description = "Line"), Span, Form),
    responses(
        (status = 200, content((Vec<BatchView> = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn batches(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(form): Params<Form>,
) -> Result<Response, WebError> {
    let (config, rollups) = periods(&app, &id, &span, PeriodKind::Batch).await?;
    let now_us = app.present().now.utc_us;
    let starts = || rollups.iter().map(|rollup| rollup.start_us);
    let span = (starts().min().unwrap_or(0), starts().max().unwrap_or(0) + 1);
    let line = config.id.clone();
    let entries = read(&app, move |history| history.batch_entries(&line, span.0, span.1)).await?;
    let unread = unread(&app, app.line(&id)?);
    let view = |rollup: &Rollup| {
        let period = PeriodView::of(rollup, config, now_us).with_unread(rollup, config, &unread);
        BatchView::of(period, &rollup.with_unread(&unread), config).told(rollup, &entries)
    };
    let views: Vec<BatchView> = rollups.iter().map(view).collect();
    match form.only(tables::BATCHES)? {
        None => Ok(Json(views).into_response()),
        Some(sheet) => app.sheet(app.line(&id)?, sheet, span.0, &views),
    }
}

/// What may have been made in the periods that go on since the machines were read; nothing where the line does not report.
pub(super) fn unread(app: &App, line: &LineFeed) -> Vec<Unread> {
    let current = line.current(&app.present());
    current.map_or_else(Vec::new, |status| status.unread.clone())
}

async fn views(
    app: &App,
    id: &str,
    span: &Span,
    kind: PeriodKind,
    form: &Form,
) -> Result<Response, WebError> {
    let sheet = form.only(if kind == PeriodKind::Hour { tables::HOURS } else { tables::SHIFTS })?;
    let (config, rollups) = periods(app, id, span, kind).await?;
    let (now_us, unread) = (app.present().now.utc_us, unread(app, app.line(id)?));
    let view = |rollup: &Rollup| {
        PeriodView::of(rollup, config, now_us).with_unread(rollup, config, &unread)
    };
    let views: Vec<PeriodView> = rollups.iter().map(view).collect();
    let from_us = rollups.first().map_or(now_us, |rollup| rollup.start_us);
    match sheet {
        None => Ok(Json(views).into_response()),
        Some(sheet) => app.sheet(app.line(id)?, sheet, from_us, &views),
    }
}

/// Stored periods of a kind and the line they belong to.
pub(super) async fn periods<'a>(
    app: &'a App,
    id: &str,
    span: &Span,
    kind: PeriodKind,
) -> Result<(&'a LineConfig, Vec<Rollup>), WebError> {
    let line = app.line(id)?;
    let (from, to) = span.resolve(app.present().now.utc_us, EVENTS_SPAN_US)?;
    let id = line.config.id.clone();
    let rollups = read(app, move |history| history.rollups(&id, kind, from, to)).await?;
    Ok((&line.config, rollups))
}

impl PeriodView {
    /// `now_us` is now in UTC microseconds: a period that goes on is judged by what has passed of it.
    pub(crate) fn of(rollup: &Rollup, config: &LineConfig, now_us: i64) -> PeriodView {
        let station = &config.output;
        let policy = Policy::per_minute(config.target_per_minute);
        let spending = &rollup.spending;
        let kpis = Kpis::of(rollup, station, &policy)
            .with_unrecorded(rollup.unrecorded_us(now_us).unsigned_abs());
        let is_good = |station: &StationId, counted: &Counted| {
            config.output.has(station) && *counted == Counted::Good
        };
        let gap: Count = rollup
            .gaps
            .iter()
            .filter(|tally| is_good(&tally.station, &tally.counted))
            .map(|tally| tally.count)
            .sum();
        let read = rollup.was_read();
        PeriodView {
            kind: rollup.kind.word(),
            name: rollup.name.to_string(),
            start_ms: rollup.start_us / 1_000,
            end_ms: rollup.end_us.map(|us| us / 1_000),
            closed: rollup.closed,
            rev: rollup.rev,
            estimated: rollup.estimated,
            good: read.then(|| rollup.count(station, &Counted::Good).into()),
            gap: read.then(|| gap.into()),
            rejected: read.then(|| rollup.rejected(station).into()),
            target: spending.target(config.target_per_minute),
            known_percent: spending.known_share(rollup.passed_us(now_us)).map(share),
            time_us: TimeClass::ALL.map(|class| spending.time.of(class)),
            setup_us: spending.setup_us,
            overlap_us: spending.overlap_us,
            kpis: KpiView::of(&kpis).known(read),
            tallies: rollup.counts.iter().map(TallyView::of).collect(),
        }
    }

    /// The same with what may have been made since the machines were read. KPIs have that in their bounds already, as time of
    /// which nothing is known.
    fn with_unread(self, rollup: &Rollup, config: &LineConfig, unread: &[Unread]) -> PeriodView {
        let (with, output) = (rollup.with_unread(unread), &config.output);
        PeriodView {
            good: self.good.map(|_| with.count(output, &Counted::Good).into()),
            rejected: self.rejected.map(|_| with.rejected(output).into()),
            tallies: with.counts.iter().map(TallyView::of).collect(),
            ..self
        }
    }
}

impl BatchView {
    /// A batch with its view as a period.
    pub(crate) fn of(period: PeriodView, rollup: &Rollup, config: &LineConfig) -> BatchView {
        let station = &config.output;
        let material = Material {
            infeed: rollup.count(station, &Counted::Infeed),
            good: rollup.count(station, &Counted::Good),
            rejected: rollup.rejected(station),
            sampled: rollup.count(station, &Counted::Sample),
        };
        let balance = material.balance_ratio();
        let limits = config.material_balance;
        BatchView {
            period,
            begun: rollup.remark.map(Remark::word),
            product: None,
            opened_by: None,
            closed_by: None,
            yield_percent: material.yield_ratio().as_ref().map(BoundedView::of),
            balance_percent: balance.as_ref().map(BoundedView::of),
            balance: balance.map(|balance| balance.keeps(&limits).word()),
            balance_limits_percent: [limits.low, limits.high].map(|limit| limit.value() * 100.0),
        }
    }
}

impl BatchView {
    /// The same with what people did by hand.
    fn told(mut self, rollup: &Rollup, entries: &[Entry]) -> BatchView {
        let of = |did: Did| {
            entries.iter().find(|entry| entry.start_us == rollup.start_us && entry.did == did)
        };
        let opened = of(Did::Opened);
        self.product = opened.map(|entry| entry.product.to_string()).filter(|p| !p.is_empty());
        self.opened_by = opened.map(|entry| entry.by.to_string());
        self.closed_by = of(Did::Closed).map(|entry| entry.by.to_string());
        self
    }
}

impl BoundedView {
    fn of(bounded: &Bounded) -> BoundedView {
        BoundedView {
            low: percent(Some(bounded.low)),
            best: percent(Some(bounded.best)),
            high: percent(bounded.high),
        }
    }
}
