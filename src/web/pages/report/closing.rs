//! How a report becomes final: every gap is explained, then the page is kept as one file and never changed.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::audit::{Actor, Signature};
use domain::line::report::{FinalReport, GapId, GapNote};
use domain::line::rollup::PeriodKind;
use domain::units::LineId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gather::{Facts, GoesOn, gather};
use super::paper::{Final, Made, sheet};
use super::second::{awaits, signatures, signatures_of};
use crate::web::api::charts::SignatureView;
use crate::web::error::{Params, WebError, short};
use crate::web::i18n::Lang;
use crate::web::pages::words::file_time;
use crate::web::{App, blocking};

/// A period of a line.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GapForm {
    /// `shift` or `batch`.
    pub(crate) kind: String,
    /// Its start, UTC milliseconds.
    pub(crate) start_ms: i64,
    /// Which gaps, as they are named by `GET …/reports`; its `handover` for what is left for who comes next.
    pub(crate) gaps: Vec<String>,
    /// Who says so; may be left out by who is signed in.
    #[serde(default)]
    pub(crate) by: String,
    /// Why the gaps are there.
    pub(crate) why: String,
    /// Their password, where there are users: what is said is signed with it.
    #[serde(default)]
    pub(crate) password: Option<String>,
    /// What the signature means: `confirmed` (default), `authored` or `reviewed`.
    #[serde(default)]
    pub(crate) meaning: Option<String>,
}

/// How far a report is from being final.
#[derive(Serialize, ToSchema)]
pub(crate) struct Standing {
    /// Whether the period is over.
    closed: bool,
    /// SHA-256 of its figures now.
    data_sha256: String,
    /// Gaps that a person has to explain.
    gaps: Vec<GapView>,
    /// What is left for who comes next. Nobody has to say anything.
    handover: GapView,
    /// Versions that were made final, newest first.
    finals: Vec<FinalView>,
    /// Whether the newest of them is of the figures of now; null where none was made final.
    fits: Option<bool>,
}

/// A gap.
#[derive(Serialize, ToSchema)]
struct GapView {
    /// What it is named by.
    gap: String,
    /// What was said about it, oldest first.
    said: Vec<GapNoteView>,
}

/// What was said.
#[derive(Serialize, ToSchema)]
struct GapNoteView {
    /// When, UTC milliseconds.
    at_ms: i64,
    /// Who.
    by: String,
    /// What.
    why: String,
}

/// A final report.
#[derive(Serialize, ToSchema)]
pub(crate) struct FinalView {
    /// Its number, for `/report/final`.
    number: i64,
    /// Version of the period's report.
    version: u32,
    /// When it was made final, UTC milliseconds.
    made_ms: i64,
    /// By whom.
    by: String,
    /// Language.
    lang: String,
    /// SHA-256 of its figures.
    data_sha256: String,
    /// SHA-256 of the file.
    page_sha256: String,
    /// Signatures under it, oldest first; none where there are no users.
    signatures: Vec<SignatureView>,
    /// Whether it waits for the signature of a second person.
    awaits_signature: bool,
}

impl FinalView {
    fn of(app: &App, report: &FinalReport, signatures: &[Signature]) -> FinalView {
        let own = signatures_of(signatures, report.number);
        FinalView {
            number: report.number,
            version: report.version,
            made_ms: report.made_us / 1_000,
            by: report.author.clone(),
            lang: report.lang.clone(),
            data_sha256: report.data_sha256.clone(),
            page_sha256: report.page_sha256.clone(),
            signatures: own.iter().map(SignatureView::from).collect(),
            awaits_signature: awaits(app, signatures, report.number),
        }
    }
}

async fn facts(
    app: &App,
    line: &str,
    kind: &str,
    start_ms: i64,
) -> Result<(usize, Facts), WebError> {
    let kind = match kind {
        "shift" => PeriodKind::Shift,
        "batch" => PeriodKind::Batch,
        _ => return Err(WebError::Parameter("kind is shift or batch".to_owned())),
    };
    let line = app.position(Some(line))?;
    Ok((line, gather(app, line, kind, Some(start_ms)).await?))
}

/// How far a report is from being final.
pub(crate) async fn standing(
    app: &App,
    line: &str,
    kind: &str,
    start_ms: i64,
) -> Result<Standing, WebError> {
    let (_, facts) = facts(app, line, kind, start_ms).await?;
    let said = |gap: GapId| {
        let notes = facts.notes.iter().chain(&facts.handover).filter(move |note| note.gap == gap);
        notes.map(|note| GapNoteView {
            at_ms: note.at_us / 1_000,
            by: note.author.clone(),
            why: note.text.clone(),
        })
    };
    let view = |gap: &GapId| GapView { gap: gap.to_string(), said: said(*gap).collect() };
    let final_view = |report: &FinalReport| FinalView::of(app, report, &facts.signatures);
    Ok(Standing {
        closed: facts.period.closed,
        data_sha256: facts.sha256.clone(),
        gaps: facts.to_explain.iter().map(view).collect(),
        handover: view(&facts.handover_id()),
        finals: facts.finals.iter().map(final_view).collect(),
        fits: (!facts.finals.is_empty()).then(|| facts.outdated().is_none()),
    })
}

/// Keeps what was said about gaps of a period. Names and words of the form are clean already.
pub(crate) async fn explain(
    app: &App,
    line: &str,
    form: GapForm,
    by: &Actor,
) -> Result<(), WebError> {
    let (_, facts) = facts(app, line, &form.kind, form.start_ms).await?;
    let known = |name: &String| {
        let is_here = |gap: &GapId| facts.to_explain.contains(gap) || *gap == facts.handover_id();
        let gap = GapId::parse(name).filter(is_here);
        gap.ok_or_else(|| {
            let name = short(name);
            WebError::Parameter(format!("the period has no gap {name:?}"))
        })
    };
    let gaps: Vec<GapId> = form.gaps.iter().map(known).collect::<Result<_, _>>()?;
    if gaps.is_empty() {
        return Err(WebError::Parameter("gaps is empty; choose at least one".to_owned()));
    }
    let at_us = app.present().now.utc_us;
    let note = |gap| GapNote { gap, at_us, author: by.name.clone(), text: form.why.clone() };
    let notes = gaps.into_iter().map(note).collect();
    let (line, reports, by) = (LineId::new(line), app.parts().reports.clone(), by.clone());
    blocking(move || reports.add_gap_notes(&line, notes, &by)).await
}

/// Makes a report final as `by` saw it: with figures of that hash.
pub(crate) async fn finalise(
    app: &App,
    line: &str,
    (kind, start_ms, lang): (&str, i64, Lang),
    (by, seen): (&Actor, &str),
) -> Result<FinalView, WebError> {
    let (position, facts) = facts(app, line, kind, start_ms).await?;
    let refuse = |why: String| Err(WebError::Conflict(why));
    match facts.goes_on() {
        Some(GoesOn::Period) => {
            return refuse("the period is not over; make it final after its end".to_owned());
        }
        Some(GoesOn::Hour) => {
            return refuse(
                "the hour in which it ended is not over; make it final after that".to_owned(),
            );
        }
        None => {}
    }
    let open = facts.unexplained().len();
    if open > 0 {
        return refuse(format!("{open} gaps are not explained; explain them first"));
    }
    if facts.sha256 != seen {
        return refuse("the figures have changed since; look at the report again".to_owned());
    }
    let report = FinalReport {
        number: 0,
        kind: facts.period.kind,
        start_us: facts.period.start_us,
        version: facts.finals.first().map_or(1, |last| last.version + 1),
        made_us: facts.made_us,
        author: by.name.clone(),
        lang: lang.word().to_owned(),
        data_sha256: facts.sha256.clone(),
        page_sha256: String::new(),
    };
    let trail = app.parts().trail.clone();
    let head = blocking(move || Ok(trail.looked()?.head)).await?;
    let made = Made::File(&Final { report: &report, by, head: &head });
    let page = sheet(app, lang, position, &facts, &made)?.into_bytes();
    let (line, reports, by) = (LineId::new(line), app.parts().reports.clone(), by.clone());
    let of = line.clone();
    let kept = blocking(move || reports.add_final_report(&line, report, page, &by)).await?;
    let kept = kept.ok_or_else(|| {
        WebError::Conflict("somebody else has just made it final; look at it again".to_owned())
    })?;
    Ok(FinalView::of(app, &kept, &signatures(app, &of).await?))
}

/// Which final report.
#[derive(Deserialize)]
pub(super) struct Wanted {
    line: String,
    start: i64,
    number: i64,
}

/// The file of a final report, with its hash in a header.
pub(super) async fn page(
    State(app): State<App>,
    Params(wanted): Params<Wanted>,
) -> Result<Response, WebError> {
    let line = app.line(&wanted.line)?.config.id.clone();
    let (reports, number) = (app.parts().reports.clone(), wanted.number);
    let start_us = wanted.start.checked_mul(1_000).ok_or(WebError::NoPeriod)?;
    let of = line.clone();
    let found = blocking(move || {
        let all = reports.final_reports(&of, (start_us, start_us.saturating_add(1_000)))?;
        let report = all.into_iter().find(|report| report.number == number);
        Ok(report.zip(reports.final_page(&of, number)?))
    });
    let (report, page) = found.await?.ok_or(WebError::NoPeriod)?;
    let parts = app.parts();
    let name = format!(
        "{line}_{}_{}_v{}_{}{}.html",
        report.kind.word(),
        file_time(&parts.zone, report.start_us),
        report.version,
        report.lang,
        if parts.simulated { "_SIM" } else { "" }
    );
    // Kept as a file: its style is inside it, which a page of this service may not have.
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::HeaderName::from_static("x-content-sha256"), report.page_sha256),
    ];
    Ok((headers, page).into_response())
}
