//! `…/counters/{tag}`: one counter and what its ledger wrote down.

use axum::Json;
use axum::extract::{Path, State};
use domain::line::chronicle::CounterRecord;
use domain::line::event::Event;
use domain::units::TagId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{EVENTS_SPAN_US, Span, read};
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::view::CountView;

/// A counter as last stored.
#[derive(Serialize, ToSchema)]
pub(super) struct CounterView {
    /// Tag.
    tag: String,
    /// The register as last read.
    raw: u64,
    /// When, UTC milliseconds.
    at_ms: i64,
    /// All that was ever counted, in counts of the register.
    total: CountView,
    /// How often the register started afresh, the first time included.
    segment: u64,
    /// The register at the start of the segment.
    segment_start: u64,
    /// The counts of the segment: with the start they give the register, modulo its size.
    segment_sum: u64,
    /// Whether a reading waits for its confirmation.
    held: bool,
    /// Entries of the ledger in the span that were more than an ordinary step, oldest first.
    entries: Vec<LedgerEntryView>,
}

/// An entry of the ledger.
#[derive(Serialize, ToSchema)]
struct LedgerEntryView {
    /// Its number in the journal.
    id: i64,
    /// The reading that it ends with, UTC milliseconds.
    at_ms: i64,
    /// The reading that it starts from, where it covers a gap, UTC milliseconds.
    from_ms: Option<i64>,
    /// `first`, `step`, `wrap`, `reset`, `preset`, `gap`, `duplicate`, `torn` or `quarantined`.
    cause: String,
    /// Capsules counted.
    count: Option<CountView>,
    /// Every explanation that the evidence leaves, and remarks.
    why: String,
}

/// A counter and its ledger entries with their causes; at most a month in one request.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/counters/{tag}",
    params(("id" = String, Path, description = "Line"), ("tag" = String, Path, description = "Tag"), Span),
    responses(
        (status = 200, body = CounterView),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn counter(
    State(app): State<App>,
    Path((id, tag)): Path<(String, String)>,
    Params(span): Params<Span>,
) -> Result<Json<CounterView>, WebError> {
    let line = app.line(&id)?;
    let (from, to) = span.resolve(app.present().now.utc_us, EVENTS_SPAN_US)?;
    let (id, wanted) = (line.config.id.clone(), TagId::new(tag.as_str()));
    let record = read(&app, move |history| history.counter(&id, &wanted, from, to)).await?;
    let record = record.ok_or_else(|| WebError::NoCounter(tag.chars().take(80).collect()))?;
    Ok(Json(CounterView::of(tag, &record)))
}

impl CounterView {
    fn of(tag: String, record: &CounterRecord) -> CounterView {
        let baseline = &record.baseline;
        CounterView {
            tag,
            raw: baseline.value,
            at_ms: baseline.at.utc_us / 1_000,
            total: baseline.total.into(),
            segment: baseline.segment,
            segment_start: baseline.segment_start,
            segment_sum: baseline.segment_sum,
            held: baseline.held.is_some(),
            entries: record.entries.iter().map(|(id, event)| entry(*id, event)).collect(),
        }
    }
}

fn entry(id: i64, event: &Event) -> LedgerEntryView {
    LedgerEntryView {
        id,
        at_ms: event.at_us / 1_000,
        from_ms: event.from_us.map(|us| us / 1_000),
        cause: event.word.clone(),
        count: event.count.map(CountView::from),
        why: event.detail.clone(),
    }
}
