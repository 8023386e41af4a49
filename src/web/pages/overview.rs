//! `/`: one line at a glance. Level 1 of the screens: nothing to set, nothing to scroll on a wall.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::calls::strip;
use super::layout::{Choice, Look, Page, line_id, page};
use super::parts::{csv, heading, state, unbalanced};
use super::replay::asked;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Right, Routes};

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/", get(overview))]
}

async fn overview(
    State(app): State<App>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    let line = app.position(choice.line())?;
    let first = match asked(&app, &look, (Key::Overview, line), &choice).await? {
        Ok(first) => first,
        Err(refused) => return Ok(refused),
    };
    let writes = look.who.writes(&app, Right::Work) && first.replay.is_none();
    let at = first.replay.map_or_else(String::new, |us| format!("&at={}", us / 1_000));
    let to = Way { query: format!("?line={}{at}", line_id(&app, line)) };
    let body = body(&look, writes, &to);
    let content = Page { title: Key::Overview, line, script: "overview.mjs", body, first };
    Ok(page(&app, &look, &content))
}

/// The way to the pages behind the overview: of the same line, and as of the same moment.
struct Way {
    query: String,
}

impl Way {
    fn to(&self, path: &str) -> String {
        format!("{path}{}", self.query)
    }
}

fn body(look: &Look, writes: bool, way: &Way) -> Markup {
    let lang = look.lang;
    let title = |key: Key, path: &str| html! { a href=(way.to(path)) { (lang.mark(key)) } };
    html! {
        (heading(lang, Key::Overview, Key::OverviewAbout))
        div.figures {
            (state(lang))
            (figure(counted(title(Key::Output, "/line")), "good", "good"))
            (figure(title(Key::Difference, "/stops"), "gap", "difference"))
            (figure(lang.mark(Key::Forecast), "plan", "forecast"))
        }
        (strip(look, writes))
        div.bars {
            (gauge(title(Key::Speed, "/line"), "speed", "speed", false))
            (gauge(counted(title(Key::RejectFraction, "/spc/reject_fraction")), "reject", "reject_fraction", false))
            (gauge(counted(title(Key::Oee, "/stops")), "oee", "oee", true))
            (gauge(title(Key::ShiftTime, "/stops"), "known", "coverage", true))
        }
        div.work {
            div.charts {
                (chart(lang, trend(lang, way), Key::TrendHour, "trend", spans(lang)))
                (chart(lang, title(Key::PChart, "/spc/reject_fraction"), Key::PChart, "pchart", html! {}))
            }
            div.lists {
                section.card aria-labelledby="hours-title" {
                    header { h2 #hours-title { (lang.mark(Key::HourBoard)) } span.dim { (lang.mark(Key::Hatched)) } (csv(lang, Key::HourBoard, "hours")) }
                    table #hours {
                        thead { tr {
                            th scope="col" { (lang.mark(Key::Hour)) }
                            td.bar-col {}
                            td {}
                            th scope="col" { (lang.mark(Key::TargetWord)) }
                            th scope="col" { (lang.mark(Key::Actual)) }
                            th scope="col" { (lang.mark(Key::DifferenceWord)) }
                        } }
                        tbody {}
                    }
                }
                section.card.grow aria-labelledby="rejects-title" tabindex="0" {
                    header { h2 #rejects-title { (title(Key::RejectReasons, "/rejects")) } span.dim { (lang.mark(Key::Interval95)) } (csv(lang, Key::RejectReasons, "rejects")) }
                    table #rejects { tbody {} }
                }
            }
        }
        div.foot {
            section.card aria-labelledby="stations-title" {
                header { h2 #stations-title { (title(Key::Stations, "/line")) } span.dim #polls {} }
                ol #stations {}
            }
            section.card aria-labelledby="top-title" {
                header { h2 #top-title { (title(Key::TopStops, "/stops")) } }
                p.note #top-trouble role="status" hidden {}
                ol #top-stops {}
                p { (title(Key::Spc, "/spc")) " " span #signals { "–" } }
            }
            section.card aria-labelledby="events-title" {
                header { h2 #events-title { (lang.mark(Key::Events)) } }
                ul #events {}
            }
        }
    }
}

/// The title of a figure that rests on counts, with the mark of those that do not balance.
fn counted(title: Markup) -> Markup {
    html! { (title) " " (unbalanced()) }
}

/// A large number with its doubt. `explain` is the word under which the service explains it.
fn figure(title: Markup, id: &str, explain: &str) -> Markup {
    html! {
        section.tile.live aria-labelledby={ (id) "-title" } {
            h2 #{ (id) "-title" } { (title) }
            button.explains type="button" data-explain=(explain) aria-describedby="explain-hint" {
                b.num.big #(id) data-value="" { "–" } " "
                span.doubt #{ (id) "-doubt" } {}
            }
            p.dim #{ (id) "-note" } {}
            svg.analog #{ (id) "-bar" } aria-hidden="true" {}
        }
    }
}

/// A number beside the bar that says how it lies. `holds` says that it is of time, so that it is true while a device is silent
/// too.
fn gauge(title: Markup, id: &str, explain: &str, holds: bool) -> Markup {
    html! {
        section.tile.live.holds[holds] data-gauge=(id) aria-labelledby={ (id) "-title" } {
            div {
                h2 #{ (id) "-title" } { (title) }
                button.explains type="button" data-explain=(explain) aria-describedby="explain-hint" {
                    // A number and its sign of percent are one; words may stand below.
                    @if explain == "speed" {
                        b.num.mid #(id) data-value="" { "–" } " " span.dim #{ (id) "-unit" } {}
                    } @else {
                        span.whole { b.num.mid #(id) data-value="" { "–" } " " span.dim #{ (id) "-unit" } {} }
                        @if explain == "coverage" { " " span.dim #{ (id) "-since" } {} }
                    }
                }
            }
            div {
                svg.analog #{ (id) "-bar" } aria-hidden="true" {}
                p.dim #{ (id) "-note" } {}
            }
        }
    }
}

/// What the chart of the output is called, of either span.
fn trend(lang: Lang, way: &Way) -> Markup {
    html! {
        a href=(way.to("/line")) {
            span data-of="hour" { (lang.mark(Key::TrendHour)) }
            span data-of="shift" hidden { (lang.mark(Key::TrendShift)) }
        }
    }
}

/// Spans of that chart: the minutes of the last hour, or the sum of the shift against its target.
fn spans(lang: Lang) -> Markup {
    let all = [("hour", Key::LastHour, true), ("shift", Key::WindowShift, false)];
    html! {
        div.choices #trend-of role="group" aria-label=(lang.say(Key::TrendOf)) {
            @for (word, text, pressed) in all {
                button type="button" data-span=(word) aria-pressed=(pressed) { (lang.mark(text)) }
            }
        }
    }
}

/// A drawing with its table, and switches in its head.
fn chart(lang: Lang, title: Markup, file: Key, id: &str, switches: Markup) -> Markup {
    html! {
        section.card.chart id={ (id) "-card" } aria-labelledby={ (id) "-title" } {
            header {
                h2 #{ (id) "-title" } { (title) " " span.dim #{ (id) "-limits" } {} }
                (switches)
                (csv(lang, file, id))
                button.choice.toggle type="button" aria-pressed="false" aria-controls={ (id) "-rows" } {
                    (lang.mark(Key::TableToggle))
                }
            }
            p.dim.legend #{ (id) "-legend" } {}
            div.plot #(id) role="img" tabindex="0" aria-describedby="chart-keys" {}
            p.readout #{ (id) "-readout" } aria-live="off" {}
            div.rows #{ (id) "-rows" } role="group" aria-labelledby={ (id) "-title" } tabindex="0" hidden {}
            @if id == "trend" { p.note #trend-trouble role="status" hidden {} }
            @if id == "trend" { p.away #chart-keys { (lang.mark(Key::ChartKeys)) } }
        }
    }
}
