//! `/`: one line at a glance. Level 1 of the screens: nothing to set, nothing to scroll on a wall.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::calls::strip;
use super::layout::{Choice, Look, Page, page};
use super::parts::{heading, state};
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
    let body = body(&look, writes);
    let content = Page { title: Key::Overview, line, script: "overview.mjs", body, first };
    Ok(page(&app, &look, &content))
}

fn body(look: &Look, writes: bool) -> Markup {
    let lang = look.lang;
    html! {
        (heading(lang, Key::Overview, Key::OverviewAbout))
        div.figures {
            (state(lang))
            (figure(lang, Key::Output, "good", "good"))
            (figure(lang, Key::Difference, "gap", "difference"))
            (figure(lang, Key::Forecast, "plan", "forecast"))
        }
        (strip(look, writes))
        div.bars {
            (gauge(lang, Key::Speed, "speed", "speed"))
            (gauge(lang, Key::RejectFraction, "reject", "reject_fraction"))
            (gauge(lang, Key::ShiftTime, "known", "coverage"))
        }
        div.work {
            div.charts {
                (chart(lang, Key::Trend, "trend", html! {}))
                (chart(lang, Key::PChart, "pchart", subgroups(lang)))
            }
            div.lists {
                section.card aria-labelledby="hours-title" {
                    header { h2 #hours-title { (lang.mark(Key::HourBoard)) } span.dim { (lang.mark(Key::Hatched)) } }
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
                    header { h2 #rejects-title { (lang.mark(Key::RejectReasons)) } span.dim { (lang.mark(Key::Interval95)) } }
                    table #rejects { tbody {} }
                }
            }
        }
        div.foot {
            section.card aria-labelledby="stations-title" {
                header { h2 #stations-title { (lang.mark(Key::Stations)) } span.dim #polls {} }
                ol #stations {}
            }
            section.card aria-labelledby="events-title" {
                header { h2 #events-title { (lang.mark(Key::Events)) } }
                ul #events {}
            }
        }
    }
}

/// A large number with its doubt. `explain` is the word under which the service explains it.
fn figure(lang: Lang, title: Key, id: &str, explain: &str) -> Markup {
    html! {
        section.tile.live aria-labelledby={ (id) "-title" } {
            h2 #{ (id) "-title" } { (lang.mark(title)) }
            button.explains type="button" data-explain=(explain) aria-describedby="explain-hint" {
                b.num.big #(id) data-value="" { "–" } " "
                span.doubt #{ (id) "-doubt" } {}
            }
            p.dim #{ (id) "-note" } {}
            svg.analog #{ (id) "-bar" } aria-hidden="true" {}
        }
    }
}

/// A number beside the bar that says how it lies.
fn gauge(lang: Lang, title: Key, id: &str, explain: &str) -> Markup {
    html! {
        section.tile.live aria-labelledby={ (id) "-title" } {
            div {
                h2 #{ (id) "-title" } { (lang.mark(title)) }
                button.explains type="button" data-explain=(explain) aria-describedby="explain-hint" {
                    b.num.mid #(id) data-value="" { "–" } " " span.dim #{ (id) "-unit" } {}
                }
            }
            div {
                svg.analog #{ (id) "-bar" } aria-hidden="true" {}
                p.dim #{ (id) "-note" } {}
            }
        }
    }
}

/// A drawing with its table.
fn chart(lang: Lang, title: Key, id: &str, switches: Markup) -> Markup {
    html! {
        section.card.chart id={ (id) "-card" } aria-labelledby={ (id) "-title" } {
            header {
                h2 #{ (id) "-title" } { (lang.mark(title)) }
                (switches)
                button.choice.toggle type="button" aria-pressed="false" aria-controls={ (id) "-rows" } {
                    (lang.mark(Key::TableToggle))
                }
            }
            p.dim.legend #{ (id) "-legend" } {}
            div.plot #(id) role="img" tabindex="0" aria-describedby="chart-keys" {}
            p.readout #{ (id) "-readout" } aria-live="off" {}
            div.rows #{ (id) "-rows" } role="group" aria-labelledby={ (id) "-title" } tabindex="0" hidden {}
            @if id == "trend" { p.away #chart-keys { (lang.mark(Key::ChartKeys)) } }
        }
    }
}

fn subgroups(lang: Lang) -> Markup {
    html! {
        div.choices #subgroup role="group" {
            button type="button" data-minutes="1" aria-pressed="false" { (lang.mark(Key::Subgroup1)) }
            button type="button" data-minutes="15" aria-pressed="true" { (lang.mark(Key::Subgroup15)) }
        }
    }
}
