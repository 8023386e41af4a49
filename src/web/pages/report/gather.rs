//! What a report is made of.

use domain::audit::{Signature, Signed};
use domain::line::batch::hand::Entry;
use domain::line::chronicle::StopRecord;
use domain::line::event::{Event, EventKind};
use domain::line::minute::Minute;
use domain::line::report::{FinalReport, GapId, GapNote, is_in_doubt, to_explain};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::quality::record::StoredIncident;
use domain::units::{HOUR_US, LineId, Moment, SECOND_US};

use super::signals::{self, Charted, Compared};
use crate::web::api::losses::{self, LossesView};
use crate::web::api::read;
use crate::web::api::rejects::{self, RejectsView, Told};
use crate::web::api::window::WindowView;
use crate::web::error::WebError;
use crate::web::replay::Periods;
use crate::web::{App, blocking};

/// How far back a period is sought when none is named.
const SEARCH_US: i64 = 31 * 24 * HOUR_US;

/// Stops shorter than so many seconds are one line of the report where nobody gave them a reason.
pub(super) const MICRO_S: u32 = 60;

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
    /// Signals as work: those that began or went on in the period, oldest first.
    pub(super) incidents: Vec<StoredIncident>,
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
    let period = find(app, &config.id, kind, (start_ms, made_us)).await?;
    let end_us = period.end_us.unwrap_or(made_us).min(made_us);
    let span = (period.start_us, end_us.max(period.start_us + 1));
    let Stored { record, hours, events, entries } = stored(app, &config.id, span).await?;
    let (window, periods, record) =
        (window(&period, span), Periods::stored(hours), until(record, span.1));
    let losses = losses::view(&config, window.clone(), &record, &periods, MICRO_S, span.1);
    let whole = Told::of(std::slice::from_ref(&period));
    let rejects = rejects::view((window.clone(), window), (whole, Told::of(&[])), &config, None);
    let Happened { gaps, alarms, to_explain } = happened(events, &period, span);
    let said = said(app, &config.id, &period, &to_explain).await?;
    let (of_app, of_line) = (app.clone(), config.clone());
    let judged = blocking(move || signals::gather(of_app.parts(), &of_line, span)).await?;
    let facts = Facts {
        product: product(&period, &entries),
        hours: periods.rollups,
        losses,
        rejects,
        gaps,
        to_explain,
        notes: said.notes,
        handover: said.handover,
        finals: said.finals,
        signatures: said.signatures,
        alarms,
        span,
        made_us,
        sha256: String::new(),
        limits: judged.limits,
        compared: judged.compared,
        charts: judged.charts,
        incidents: judged.incidents,
        minutes: judged.minutes,
        period,
    };
    Ok(Facts { sha256: facts.hash(&config), ..facts })
}

/// The period that begins then; without a start the last that is over, else the one that is going on.
async fn find(
    app: &App,
    line: &LineId,
    kind: PeriodKind,
    (start_ms, made_us): (Option<i64>, i64),
) -> Result<Rollup, WebError> {
    let (id, wanted) = (line.clone(), start_ms.and_then(|ms| ms.checked_mul(1_000)));
    let (from, to) = wanted.map_or((made_us - SEARCH_US, made_us), |start| (start, start + 1_000));
    let found = read(app, move |history| history.rollups(&id, kind, from, to)).await?;
    let closed = found.iter().rposition(|rollup| rollup.closed);
    let chosen = match wanted {
        Some(start) => found.iter().position(|rollup| rollup.start_us / 1_000 == start / 1_000),
        None => closed.or(found.len().checked_sub(1)),
    };
    chosen.and_then(|i| found.into_iter().nth(i)).ok_or(WebError::NoPeriod)
}

/// What the record has of a period.
struct Stored {
    record: StopRecord,
    hours: Vec<Rollup>,
    events: Vec<(i64, Event)>,
    entries: Vec<Entry>,
}

async fn stored(app: &App, line: &LineId, span: (i64, i64)) -> Result<Stored, WebError> {
    let id = line.clone();
    let stored = read(app, move |history| {
        let kinds = [EventKind::Count, EventKind::Link, EventKind::Service, EventKind::Alarm];
        Ok(Stored {
            record: history.stops(&id, span.0, span.1)?,
            hours: history.rollups(&id, PeriodKind::Hour, span.0, span.1)?,
            events: history.events(&id, span.0, span.1, &kinds)?,
            entries: history.batch_entries(&id, span.0, span.0 + 1)?,
        })
    });
    stored.await
}

/// Product and strength of a batch, where a person said it when opening.
fn product(period: &Rollup, entries: &[Entry]) -> String {
    let said = |entry: &&Entry| period.kind == PeriodKind::Batch && !entry.product.is_empty();
    entries.iter().find(said).map_or_else(String::new, |entry| entry.product.to_string())
}

/// The span of a period, as views ask for it.
fn window(period: &Rollup, span: (i64, i64)) -> WindowView {
    WindowView {
        window: "period",
        name: period.name.to_string(),
        batch: period.kind == PeriodKind::Batch,
        from_ms: span.0 / 1_000,
        to_ms: span.1 / 1_000,
        open: !period.closed,
        period: None,
    }
}

/// Events of a period, by what they are to its report.
struct Happened {
    gaps: Vec<(i64, Event)>,
    alarms: Vec<Event>,
    to_explain: Vec<GapId>,
}

fn happened(events: Vec<(i64, Event)>, period: &Rollup, span: (i64, i64)) -> Happened {
    let alarm = |(_, event): &(i64, Event)| event.kind == EventKind::Alarm;
    let (alarms, others): (Vec<_>, Vec<_>) = events.into_iter().partition(alarm);
    let mut to_explain: Vec<GapId> = to_explain(&others).into_iter().map(GapId::Event).collect();
    if span.1 - span.0 - period.spending.time.total() > SECOND_US {
        to_explain.push(GapId::Unrecorded(period.start_us));
    }
    Happened {
        gaps: others.into_iter().filter(|(_, event)| is_gap(event)).collect(),
        alarms: alarms.into_iter().map(|(_, event)| event).collect(),
        to_explain,
    }
}

/// What people said of a period, and what was made final and signed of it.
struct Said {
    notes: Vec<GapNote>,
    handover: Vec<GapNote>,
    finals: Vec<FinalReport>,
    signatures: Vec<Signature>,
}

async fn said(
    app: &App,
    line: &LineId,
    period: &Rollup,
    to_explain: &[GapId],
) -> Result<Said, WebError> {
    let (id, begin_us, kind) = (line.clone(), period.start_us, period.kind);
    let handover = GapId::Handover(begin_us);
    let asked: Vec<GapId> = to_explain.iter().copied().chain([handover]).collect();
    let (reports, trail) = (app.parts().reports.clone(), app.parts().trail.clone());
    let said = blocking(move || {
        let finals = reports.final_reports(&id, (begin_us, begin_us + 1))?;
        let signatures = trail.signatures(&id, Signed::Report)?;
        Ok((reports.gap_notes(&id, &asked)?, finals, signatures))
    });
    let (notes, mut finals, signatures) = said.await?;
    finals.retain(|report| report.kind == kind);
    let (handover, notes) = notes.into_iter().partition(|note| note.gap == handover);
    Ok(Said { notes, handover, finals, signatures })
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
