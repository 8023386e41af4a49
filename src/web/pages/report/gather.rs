//! What a report is made of, and the hash of it.

use domain::line::batch::hand::Entry;
use domain::line::event::{Event, EventKind};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::units::HOUR_US;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::signals::{self, Compared};
use crate::web::App;
use crate::web::api::losses::{self, LossesView};
use crate::web::api::periods::{BatchView, PeriodView};
use crate::web::api::read;
use crate::web::api::rejects::{self, RejectsView};
use crate::web::api::window::WindowView;
use crate::web::error::WebError;
use crate::web::view::EventView;

/// How far back a period is sought when none is named.
const SEARCH_US: i64 = 31 * 24 * HOUR_US;

/// Stops shorter than so many seconds are one line of the report where nobody gave them a reason.
const MICRO_S: u32 = 60;

/// All of a report.
pub(super) struct Facts {
    /// The period.
    pub(super) period: Rollup,
    /// Product and strength of a batch, where a person said it; else empty.
    pub(super) product: String,
    /// Its hours.
    pub(super) hours: Vec<Rollup>,
    /// Its stops and lost times.
    pub(super) losses: LossesView,
    /// Its rejects.
    pub(super) rejects: RejectsView,
    /// Gaps: counts that are known only as a whole, lost connections, starts of the service.
    pub(super) gaps: Vec<Event>,
    /// What a person should have looked at.
    pub(super) alarms: Vec<Event>,
    /// Start and end of what is reported, microseconds.
    pub(super) span: (i64, i64),
    /// When it was made, microseconds.
    pub(super) made_us: i64,
    /// SHA-256 of all figures, as hexadecimal.
    pub(super) sha256: String,
    /// Limits that judged in the period: characteristic and version.
    pub(super) limits: Vec<(String, u32)>,
    /// Characteristics against their limits over the period.
    pub(super) compared: Vec<Compared>,
}

/// Reads what a report is made of.
pub(super) async fn gather(
    app: &App,
    line: usize,
    kind: PeriodKind,
    start_ms: Option<i64>,
) -> Result<Facts, WebError> {
    let config = app.parts().lines.get(line).ok_or(WebError::NotFound)?.config.clone();
    let made_us = app.present().now.utc_us;
    let (id, wanted) = (config.id.clone(), start_ms.and_then(|ms| ms.checked_mul(1_000)));
    let (from, to) = wanted.map_or((made_us - SEARCH_US, made_us), |start| (start, start + 1_000));
    let found = read(app, move |history| history.rollups(&id, kind, from, to)).await?;
    let closed = found.iter().rposition(|rollup| rollup.closed);
    let chosen = match wanted {
        Some(start) => found.iter().position(|rollup| rollup.start_us / 1_000 == start / 1_000),
        None => closed.or(found.len().checked_sub(1)),
    };
    let period = chosen.and_then(|i| found.into_iter().nth(i)).ok_or(WebError::NoPeriod)?;
    let span = (period.start_us, period.end_us.unwrap_or(made_us).min(made_us));
    let span = (span.0, span.1.max(span.0 + 1));
    let id = config.id.clone();
    let begin_us = period.start_us;
    let stored = read(app, move |history| {
        let kinds = [EventKind::Count, EventKind::Link, EventKind::Service, EventKind::Alarm];
        Ok((
            history.stops(&id, span.0, span.1)?,
            history.rollups(&id, PeriodKind::Hour, span.0, span.1)?,
            history.events(&id, span.0, span.1, &kinds)?,
            history.batch_entries(&id, begin_us, begin_us + 1)?,
        ))
    });
    let (record, hours, events, entries) = stored.await?;
    let said = |entry: &&Entry| period.kind == PeriodKind::Batch && !entry.product.is_empty();
    let product = entries.iter().find(said).map_or_else(String::new, |e| e.product.to_string());
    let window = WindowView {
        window: "period",
        name: period.name.to_string(),
        from_ms: span.0 / 1_000,
        to_ms: span.1 / 1_000,
        open: !period.closed,
    };
    let losses = losses::view(&config, window.clone(), &record, &hours, MICRO_S, made_us);
    let whole = std::slice::from_ref(&period);
    let rejects = rejects::view(window.clone(), window, whole, &[], &config.counting_station);
    let events: Vec<Event> = events.into_iter().map(|(_, event)| event).collect();
    let alarm = |event: &Event| event.kind == EventKind::Alarm;
    let (alarms, others): (Vec<Event>, Vec<Event>) = events.into_iter().partition(alarm);
    let gaps: Vec<Event> = others.into_iter().filter(is_gap).collect();
    let limits = limits(app, line, span.1).await;
    // A better translation must not look like other data.
    let figures = |event: &Event| EventView { detail_zh: String::new(), ..EventView::of(event) };
    let compared = signals::gather(app, &config, span).await;
    let sha256 = hash(&json!({
        "line": config.id.as_str(),
        "period": PeriodView::of(&period, &config),
        "balance": BatchView::of(&period, &config),
        "hours": hours.iter().map(|hour| PeriodView::of(hour, &config)).collect::<Vec<_>>(),
        "stops": losses.stops,
        "rejects": rejects.rows,
        "gaps": gaps.iter().chain(&alarms).map(figures).collect::<Vec<_>>(),
        "limits": limits,
        "compared": compared,
    }));
    Ok(Facts {
        period,
        product,
        hours,
        losses,
        rejects,
        gaps,
        alarms,
        span,
        made_us,
        sha256,
        limits,
        compared,
    })
}

/// What leaves a hole in the account or a doubt about it.
fn is_gap(event: &Event) -> bool {
    match event.kind {
        EventKind::Count => {
            event.word != "first" && event.count.is_some_and(|count| count.high() > 0)
        }
        EventKind::Link => event.word == "up" || event.word == "down",
        EventKind::Service => true,
        _ => false,
    }
}

/// The versions of limits in force at the end of the period. A report without them says so.
async fn limits(app: &App, line: usize, at_us: i64) -> Vec<(String, u32)> {
    let Some(feed) = app.parts().lines.get(line) else { return Vec::new() };
    let (id, quality) = (feed.config.id.clone(), app.parts().quality.clone());
    let names: Vec<String> = feed.config.characteristics.iter().map(|c| c.id.to_string()).collect();
    let found = tokio::task::spawn_blocking(move || {
        let version = |name: String| {
            let limits = quality.limits(&id, &name).ok()?;
            let judging = domain::quality::limits::in_force(&limits, at_us)?;
            Some((name, judging.version))
        };
        names.into_iter().filter_map(version).collect()
    });
    found.await.unwrap_or_default()
}

fn hash(data: &serde_json::Value) -> String {
    Sha256::digest(data.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}
