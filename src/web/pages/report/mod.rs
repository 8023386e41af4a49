//! `/reports`: shifts and batches to choose from. `/report/shift`, `/report/batch`: one of them on paper, A4, with
//! what it rests on. A report is a page of its own, drawn here: live screens are never the printout.

mod closing;
mod figures;
mod gather;
mod panel;
mod paper;
mod signals;
mod tables;

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::line::rollup::PeriodKind;
use domain::units::HOUR_US;
use maud::{Markup, html};
use serde::Deserialize;

pub(crate) use closing::{FinalView, GapForm, Standing, explain, finalise, standing};

use super::layout::{Choice, First, Look, Page, page};
use super::parts::{heading, style};
use super::words::{count, day_hm, known, percent, share};
use crate::web::api::read;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Routes};
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
    let feed = app.parts().lines.get(line).ok_or(WebError::NotFound)?;
    let (id, now) = (feed.config.id.clone(), app.present().now.utc_us);
    let stored = read(&app, move |history| {
        let of = |kind| history.rollups(&id, kind, now - LISTED_US, now);
        Ok((of(PeriodKind::Shift)?, of(PeriodKind::Batch)?))
    });
    let (shifts, batches) = stored.await?;
    let body = html! {
        (style())
        (heading(look.lang, Key::Reports, Key::ReportsAbout))
        div.halves {
            (periods(&app, look.lang, line, Key::ShiftReports, &shifts))
            (periods(&app, look.lang, line, Key::BatchReports, &batches))
        }
    };
    let first = First::of(&app, line).await?;
    Ok(page(&app, &look, &Page { title: Key::Reports, line, script: "reports.mjs", body, first }))
}

/// Periods, newest first, each with its report.
fn periods(app: &App, lang: Lang, line: usize, title: Key, rollups: &[Rollup]) -> Markup {
    let parts = app.parts();
    let Some(feed) = parts.lines.get(line) else { return html! {} };
    let (id, station) = (&feed.config.id, &feed.config.counting_station);
    let policy = Policy::per_minute(feed.config.target_per_minute);
    let now = app.present().now.utc_us;
    html! {
        div.card.list {
            header { h2 { (lang.mark(title)) } }
            div.scroll role="group" aria-label=(lang.say(title)) tabindex="0" {
                table {
                    thead { tr {
                        @for key in [Key::Period, Key::Output, Key::Oee, Key::Coverage] { th scope="col" { (lang.mark(key)) } }
                    } }
                    tbody {
                        @if rollups.is_empty() { tr { td colspan="4" { (lang.mark(Key::NoReports)) } } }
                        @for rollup in rollups.iter().rev() {
                            @let kpis = Kpis::of(rollup, station, &policy);
                            tr {
                                td.wide {
                                    a.act href={ "/report/" (rollup.kind.word()) "?line=" (id) "&start=" (rollup.start_us / 1_000) } {
                                        b { (rollup.name) } " " (day_hm(&parts.zone, rollup.start_us))
                                    }
                                    @if !rollup.closed { " " span.dim { (lang.mark(Key::Going)) } }
                                }
                                td.num { (count(rollup.count(station, &domain::line::minute::Counted::Good))) }
                                td.num { (between(&kpis)) }
                                @let until = rollup.end_us.unwrap_or(now).min(now);
                                td.num { (share(known(&rollup.spending.time, until - rollup.start_us))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// OEE as an interval: unknown time as stopped, and as run.
fn between(kpis: &Kpis) -> String {
    match kpis.oee_between {
        Some((low, high)) if low != high => {
            format!("{:.1}–{:.1}\u{a0}%", low.value() * 100.0, high.value() * 100.0)
        }
        _ => percent(kpis.oee),
    }
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
