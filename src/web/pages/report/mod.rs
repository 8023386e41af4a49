//! `/reports`: shifts and batches to choose from. `/report/shift`, `/report/batch`: one of them on paper, A4, with
//! what it rests on. A report is a page of its own, drawn here: live screens are never the printout.

mod closing;
mod controls;
mod figures;
mod gather;
mod hash;
mod incidents;
mod panel;
mod paper;
mod second;
mod signals;
mod tables;
#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::audit::Signature;
use domain::line::report::FinalReport;
use domain::line::rollup::PeriodKind;
use domain::units::HOUR_US;
use maud::{Markup, html};
use serde::Deserialize;

pub(crate) use closing::{FinalView, GapForm, Standing, explain, finalise, standing};
pub(crate) use second::sign;

use super::layout::{Choice, First, Look, Page, page};
use super::parts::{heading, style};
use super::replay::present_only;
use super::words::{count, day_hm, known, percent, share};
use crate::web::api::read;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Routes, blocking};
use domain::line::kpi::{Kpis, Policy};
use domain::line::rollup::Rollup;

/// How far back the list reaches.
const LISTED_US: i64 = 7 * 24 * HOUR_US;

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![
        ("/reports", get(list)),
        ("/report/shift", get(shift)),
        ("/report/batch", get(batch)),
        ("/report/final", get(closing::page)),
    ]
}

/// Which period.
#[derive(Deserialize)]
struct Wanted {
    line: Option<String>,
    /// Start in UTC milliseconds. Default: the last that is over, else the one that is going on.
    start: Option<i64>,
}

async fn list(
    State(app): State<App>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    let line = app.position(choice.line())?;
    if let Some(refused) = present_only(&app, &look, (Key::Reports, line), &choice).await? {
        return Ok(refused);
    }
    let feed = app.parts().lines.get(line).ok_or(WebError::NotFound)?;
    let (id, now) = (feed.config.id.clone(), app.present().now.utc_us);
    let stored = read(&app, move |history| {
        let of = |kind| history.rollups(&id, kind, now - LISTED_US, now);
        Ok((of(PeriodKind::Shift)?, of(PeriodKind::Batch)?))
    });
    let (shifts, batches) = stored.await?;
    let finals = finals(&app, line, shifts.iter().chain(&batches)).await?;
    let signatures = second::signatures(&app, &feed.config.id).await?;
    let made = Made { finals: &finals, signatures: &signatures };
    let body = html! {
        (style())
        (heading(look.lang, Key::Reports, Key::ReportsAbout))
        div.halves {
            (periods(&app, look.lang, line, Key::ShiftReports, (&shifts, made)))
            (periods(&app, look.lang, line, Key::BatchReports, (&batches, made)))
        }
    };
    let first = First::of(&app, line).await?;
    Ok(page(&app, &look, &Page { title: Key::Reports, line, script: "reports.mjs", body, first }))
}

/// What was made final, and what was signed of it.
#[derive(Clone, Copy)]
struct Made<'a> {
    finals: &'a [FinalReport],
    signatures: &'a [Signature],
}

/// Reports of some periods that were made final, newest first.
async fn finals(
    app: &App,
    line: usize,
    periods: impl Iterator<Item = &Rollup>,
) -> Result<Vec<FinalReport>, WebError> {
    let Some(since_us) = periods.map(|period| period.start_us).min() else { return Ok(Vec::new()) };
    let feed = app.parts().lines.get(line).ok_or(WebError::NotFound)?;
    let (id, reports) = (feed.config.id.clone(), app.parts().reports.clone());
    let span = (since_us, app.present().now.utc_us);
    blocking(move || reports.final_reports(&id, span)).await
}

/// The newest final report of a period.
fn newest<'a>(finals: &'a [FinalReport], period: &Rollup) -> Option<&'a FinalReport> {
    let is_it =
        |report: &&FinalReport| report.kind == period.kind && report.start_us == period.start_us;
    finals.iter().filter(is_it).max_by_key(|report| report.version)
}

/// That the figures of a period are no longer those of its final report.
fn outdated_words(lang: Lang, report: &FinalReport) -> String {
    format!("△ {}", lang.say(Key::FinalOutdated).replace("{version}", &report.version.to_string()))
}

fn periods(
    app: &App,
    lang: Lang,
    line: usize,
    title: Key,
    (rollups, made): (&[Rollup], Made<'_>),
) -> Markup {
    let parts = app.parts();
    let Some(feed) = parts.lines.get(line) else { return html! {} };
    let (id, station) = (&feed.config.id, &feed.config.output);
    let policy = Policy::per_minute(feed.config.target_per_minute);
    let now = app.present().now.utc_us;
    let columns = [Key::Period, Key::Output, Key::Oee, Key::Coverage, Key::FinalReport];
    let of = if title == Key::ShiftReports { "shifts" } else { "batches" };
    let from_ms = (now - LISTED_US).div_euclid(1_000);
    let file = format!("/api/v1/lines/{id}/{of}?format=csv&from={from_ms}");
    let name = lang.say(Key::CsvOf).replace("{name}", &lang.say(title));
    let explained = |period: &Rollup, word: &str, number: String| {
        let query = format!("kind={}&start={}", period.kind.word(), period.start_us / 1_000);
        html! { button.explains type="button" data-explain=(word) data-query=(query) aria-describedby="explain-hint" { (number) } }
    };
    html! {
        div.card.list {
            header { h2 { (lang.mark(title)) } a.choice.file download href=(file) aria-label=(name) { "CSV" } }
            div.scroll role="group" aria-label=(lang.say(title)) tabindex="0" {
                table.periods {
                    thead { tr { @for key in columns { th scope="col" { (lang.mark(key)) } } } }
                    tbody {
                        @if rollups.is_empty() { tr { td colspan="5" { (lang.mark(Key::NoReports)) } } }
                        @for rollup in rollups.iter().rev() {
                            @let kpis = Kpis::of(rollup, station, &policy);
                            @let good = rollup.count(station, &domain::line::minute::Counted::Good);
                            @let until = rollup.end_us.unwrap_or(now).min(now);
                            @let known_share = known(&rollup.spending.time, until - rollup.start_us);
                            // What rests on less than half of its time is not said as firmly as what rests on all.
                            @let little = rollup.was_read() && known_share < 0.5;
                            tr {
                                td.wide {
                                    a.act href={ "/report/" (rollup.kind.word()) "?line=" (id) "&start=" (rollup.start_us / 1_000) } {
                                        b { (rollup.name) } " " (day_hm(&parts.zone, rollup.start_us))
                                    }
                                    @if !rollup.closed { " " span.dim { (lang.mark(Key::Going)) } }
                                }
                                td.num { (explained(rollup, "good", if rollup.was_read() { count(good) } else { lang.say(Key::NotRead).into_owned() })) }
                                td.num.dim[little] { @if little { span.fault { "▨ " } } (explained(rollup, "oee", if rollup.was_read() { between(&kpis) } else { "–".to_owned() })) }
                                td.num.fault[little] { (share(known_share)) }
                                td.final { (final_cell(app, lang, id.as_str(), rollup, made)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether the report of a period is final: since when, by whom, the hash of the kept file and where it is. Whether it
/// still fits is asked for by the page, report by report: each is made anew for that, and the list would wait for all.
fn final_cell(app: &App, lang: Lang, line: &str, period: &Rollup, made: Made<'_>) -> Markup {
    html! {
        @match newest(made.finals, period) {
            Some(report) => {
                @let awaits = second::awaits(app, made.signatures, report.number);
                a.act href={ "/report/final?line=" (line) "&start=" (report.start_us / 1_000) "&number=" (report.number) } {
                    @if awaits { "◐ v" } @else { "✔ v" } (report.version) " HTML"
                }
                " " span.fits role="status" data-kind=(period.kind.word()) data-start=(report.start_us / 1_000) data-version=(report.version) {
                    "… " (lang.mark(Key::FitsAsked))
                    noscript { " " (lang.mark(Key::FitsUnknown)) }
                }
                @if awaits { " " b { (lang.mark(Key::AwaitsSecond)) } }
                " " (day_hm(&app.parts().zone, report.made_us)) " · " (report.author) " "
                code.dim title=(report.page_sha256) { "SHA-256 " (short_hash(&report.page_sha256)) "…" }
            }
            None if period.closed => span { "○ " (lang.mark(Key::FinalNone)) },
            // That it goes on stands beside its name.
            None => span.dim { "–" },
        }
    }
}

/// The beginning of a hash, enough to tell two files apart.
fn short_hash(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// OEE as an interval: unknown time as stopped, and as run. Bounds that read alike are one number.
fn between(kpis: &Kpis) -> String {
    let Some((low, high)) = kpis.oee_between else { return percent(kpis.oee) };
    let [low, high] = [low, high].map(|bound| format!("{:.2}", bound.value() * 100.0));
    if low == high { format!("{low}\u{a0}%") } else { format!("{low}–{high}\u{a0}%") }
}

async fn shift(
    State(app): State<App>,
    look: Look,
    Params(wanted): Params<Wanted>,
) -> Result<Response, WebError> {
    report(&app, &look, PeriodKind::Shift, wanted).await
}

async fn batch(
    State(app): State<App>,
    look: Look,
    Params(wanted): Params<Wanted>,
) -> Result<Response, WebError> {
    report(&app, &look, PeriodKind::Batch, wanted).await
}

async fn report(
    app: &App,
    look: &Look,
    kind: PeriodKind,
    wanted: Wanted,
) -> Result<Response, WebError> {
    let line = app.position(wanted.line.as_deref().filter(|line| !line.is_empty()))?;
    let facts = gather::gather(app, line, kind, wanted.start).await?;
    Ok(paper::paper(app, look, line, &facts))
}

#[cfg(test)]
mod list_tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Clock;
    use crate::web::History;
    use crate::web::fixture::{self, Record, line};

    /// The list says which version is final, since when, by whom and under which hash, and leads to the kept file.
    #[test]
    fn a_final_report_is_named_with_its_hash_and_its_file() {
        let (app, _sender) = fixture::app(Clock::real(), Arc::new(Record));
        let period = Record.rollups(&line().id, PeriodKind::Shift, 0, 1).expect("one").remove(0);
        let version = |version, author: &str| FinalReport {
            number: 40 + i64::from(version),
            kind: PeriodKind::Shift,
            start_us: period.start_us,
            version,
            made_us: 1_795_500_000_000_000,
            author: author.to_owned(),
            lang: "zh".to_owned(),
            data_sha256: "d".repeat(64),
            page_sha256: "0123456789abcdef".repeat(4),
        };
        let cell = |period: &Rollup, finals: &[FinalReport]| {
            let made = Made { finals, signatures: &[] };
            final_cell(&app, Lang::En, "L1", period, made).into_string()
        };
        let text = cell(&period, &[version(2, "An"), version(1, "Bo")]);
        for part in ["✔ v2", "An", "2026-11-24 14:00", "SHA-256 0123456789ab…", "number=42"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        // Where two persons sign, what the author alone has signed waits.
        let signature = |account: &str, meaning: &str| Signature {
            record: "42".to_owned(),
            account: account.to_owned(),
            meaning: meaning.to_owned(),
            ..Signature::default()
        };
        let cell_of = |two_persons, signatures: &[Signature]| {
            let app =
                crate::web::App::new(crate::web::AppParts { two_persons, ..app.parts().clone() });
            let made = Made { finals: &[version(2, "An")], signatures };
            final_cell(&app, Lang::Both, "L1", &period, made).into_string()
        };
        let [authored, approved] = [signature("an", "authored"), signature("bo", "approved")];
        let alone = cell_of(true, std::slice::from_ref(&authored));
        assert!(alone.contains("◐ v2") && alone.contains("等待第二人签名"), "{alone}");
        for text in [cell_of(true, &[authored.clone(), approved]), cell_of(false, &[authored])] {
            assert!(text.contains("✔ v2") && !text.contains("等待第二人签名"), "{text}");
        }
        // A batch that began in the same moment is another period, and so is one that goes on.
        let batch = Rollup { kind: PeriodKind::Batch, ..period.clone() };
        assert!(cell(&batch, &[version(1, "Bo")]).contains("Not made final yet"));
        let open = Rollup { closed: false, ..period.clone() };
        assert!(cell(&open, &[]).contains("–"));
    }
}
