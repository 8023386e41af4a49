//! What a report is made of, and the hash of it.

use domain::audit::{Signature, Signed};
use domain::digest::sha256;
use domain::line::batch::hand::Entry;
use domain::line::chronicle::StopRecord;
use domain::line::event::{Event, EventKind};
use domain::line::minute::Minute;
use domain::line::report::{FinalReport, GapId, GapNote, is_in_doubt, to_explain};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::units::{HOUR_US, Moment, SECOND_US};
use serde_json::json;

use super::signals::{self, Charted, Compared, Gathered};
use crate::web::api::losses::{self, LossesView};
use crate::web::api::periods::{BatchView, PeriodView};
use crate::web::api::read;
use crate::web::api::rejects::{self, RejectsView};
use crate::web::api::window::WindowView;
use crate::web::error::WebError;
use crate::web::replay::Periods;
use crate::web::view::EventView;
use crate::web::{App, blocking};

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
    /// Gaps with their numbers: counts that are known only as a whole, lost connections, starts of the service.
    pub(super) gaps: Vec<(i64, Event)>,
    /// Gaps that a person has to explain.
    pub(super) to_explain: Vec<GapId>,
    /// What people said about gaps, oldest first.
    pub(super) notes: Vec<GapNote>,
    /// What they left for who comes next, oldest first.
    pub(super) handover: Vec<GapNote>,
    /// The versions of this report that were made final, newest first.
    pub(super) finals: Vec<FinalReport>,
    /// Signatures under final reports of the line, oldest first.
    pub(super) signatures: Vec<Signature>,
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
    /// Their charts.
    pub(super) charts: Vec<Charted>,
    /// Minutes of the period, oldest first.
    pub(super) minutes: Vec<Minute>,
}

/// What still changes the figures of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GoesOn {
    /// The period is not over.
    Period,
    /// The hour in which it ended is not over.
    Hour,
}

impl GoesOn {
    fn of(period: &Rollup, hours: &[Rollup]) -> Option<GoesOn> {
        if !period.closed {
            return Some(GoesOn::Period);
        }
        hours.iter().any(|hour| !hour.closed).then_some(GoesOn::Hour)
    }
}

impl Facts {
    /// What still changes its figures: the period itself, or the hour in which it ended and which the sheet shows whole.
    pub(super) fn goes_on(&self) -> Option<GoesOn> {
        GoesOn::of(&self.period, &self.hours)
    }

    /// Gaps that nobody has explained.
    pub(super) fn unexplained(&self) -> Vec<GapId> {
        let said = |gap: &GapId| self.notes.iter().any(|note| note.gap == *gap);
        self.to_explain.iter().copied().filter(|gap| !said(gap)).collect()
    }

    /// What the handover of the period is kept under.
    pub(super) fn handover_id(&self) -> GapId {
        GapId::Handover(self.period.start_us)
    }

    /// The newest final version, where the figures are no longer those that it was made of.
    pub(super) fn outdated(&self) -> Option<&FinalReport> {
        self.finals.first().filter(|newest| newest.data_sha256 != self.sha256)
    }

    /// The part of the period of which there is no record at all, microseconds.
    pub(super) fn missing_us(&self) -> i64 {
        (self.span.1 - self.span.0 - self.period.spending.time.total()).max(0)
    }
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
    let periods = Periods::stored(hours);
    let record = until(record, span.1);
    let losses = losses::view(&config, window.clone(), &record, &periods, MICRO_S, span.1);
    let hours = periods.rollups;
    let whole = std::slice::from_ref(&period);
    let rejects = rejects::view(window.clone(), window, (whole, &[]), &config, None);
    let alarm = |(_, event): &(i64, Event)| event.kind == EventKind::Alarm;
    let (alarms, others): (Vec<_>, Vec<_>) = events.into_iter().partition(alarm);
    let alarms: Vec<Event> = alarms.into_iter().map(|(_, event)| event).collect();
    let mut to_explain: Vec<GapId> = to_explain(&others).into_iter().map(GapId::Event).collect();
    let gaps: Vec<(i64, Event)> = others.into_iter().filter(|(_, event)| is_gap(event)).collect();
    if span.1 - span.0 - period.spending.time.total() > SECOND_US {
        to_explain.push(GapId::Unrecorded(period.start_us));
    }
    let id = config.id.clone();
    let handover = GapId::Handover(period.start_us);
    let asked: Vec<GapId> = to_explain.iter().copied().chain([handover]).collect();
    let (reports, trail) = (app.parts().reports.clone(), app.parts().trail.clone());
    let said = blocking(move || {
        let finals = reports.final_reports(&id, (begin_us, begin_us + 1))?;
        let signatures = trail.signatures(&id, Signed::Report)?;
        Ok((reports.gap_notes(&id, &asked)?, finals, signatures))
    });
    let (notes, mut finals, signatures) = said.await?;
    finals.retain(|report| report.kind == kind);
    let (handover, notes): (Vec<_>, Vec<_>) =
        notes.into_iter().partition(|note| note.gap == handover);
    // A better translation must not look like other data.
    let told = |event: &Event| EventView {
        detail_zh: String::new(),
        lasted_ms: None,
        ..EventView::of(event)
    };
    let (of_app, of_line) = (app.clone(), config.clone());
    let judged = blocking(move || signals::gather(of_app.parts(), &of_line, span)).await?;
    let Gathered { limits, compared, charts, minutes } = judged;
    let of_period = || PeriodView::of(&period, &config, span.1);
    let figures = json!({
        "line": config.id.as_str(),
        "period": of_period(),
        "balance": BatchView::of(of_period(), &period, &config),
        "hours": hours.iter().map(|hour| PeriodView::of(hour, &config, span.1)).collect::<Vec<_>>(),
        "stops": losses.stops,
        "rejects": rejects.rows,
        "gaps": gaps.iter().map(|(_, event)| event).chain(&alarms).map(told).collect::<Vec<_>>(),
        "notes": notes.iter().chain(&handover).map(|n| [n.gap.to_string(), n.author.clone(), n.text.clone()]).collect::<Vec<_>>(),
        "limits": limits,
        "compared": compared,
    });
    let sha256 = sha256(figures.to_string());
    Ok(Facts {
        period,
        product,
        hours,
        losses,
        rejects,
        gaps,
        to_explain,
        notes,
        handover,
        finals,
        signatures,
        alarms,
        span,
        made_us,
        sha256,
        limits,
        compared,
        charts,
        minutes,
    })
}

/// The record as it stood at the end of the period: what came of a stop afterwards is told by the next report, so that
/// this one says the same whenever it is made.
fn until(mut record: StopRecord, end_us: i64) -> StopRecord {
    let ended = |to: &mut Option<Moment>| *to = to.filter(|to| to.utc_us <= end_us);
    record.stops.iter_mut().for_each(|stop| ended(&mut stop.to));
    record.parts.iter_mut().for_each(|part| ended(&mut part.to));
    record
}

/// What leaves a hole in the account or a doubt about it.
fn is_gap(event: &Event) -> bool {
    match event.kind {
        EventKind::Count => is_in_doubt(event),
        EventKind::Link => event.word == "up" || event.word == "down",
        EventKind::Service => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::History;
    use crate::web::fixture::{Record, line};

    #[test]
    fn a_report_waits_for_its_period_and_then_for_the_hour_in_which_it_ended() {
        let of = |kind, closed| {
            let mut rollups = Record.rollups(&line().id, kind, 0, 1).expect("a period");
            Rollup { closed, ..rollups.remove(0) }
        };
        let (batch, hour) = (PeriodKind::Batch, PeriodKind::Hour);
        let hours = |last| [of(hour, true), of(hour, last)];
        assert_eq!(GoesOn::of(&of(batch, false), &hours(false)), Some(GoesOn::Period));
        assert_eq!(GoesOn::of(&of(batch, true), &hours(false)), Some(GoesOn::Hour));
        assert_eq!(GoesOn::of(&of(batch, true), &hours(true)), None);
    }
}
