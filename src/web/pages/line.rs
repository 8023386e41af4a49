//! `/line`: the machines of a line with their links, counters and measured values, and where each number is read.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::layout::{Choice, First, Look, Page, page};
use super::parts::{heading, style, table, trouble};
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Routes};

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/line", get(line))]
}

async fn line(
    State(app): State<App>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    let line = app.position(choice.line())?;
    let (body, first) = (body(look.lang), First::of(&app, line).await?);
    Ok(page(&app, look, &Page { title: Key::LinePage, line, script: "line.mjs", body, first }))
}

fn body(lang: Lang) -> Markup {
    let tags = [
        Key::Tag,
        Key::Role,
        Key::ValueWord,
        Key::TotalCounted,
        Key::Segment,
        Key::Age,
        Key::Group,
        Key::AddressWord,
        Key::MapLine,
    ];
    html! {
        (style())
        (heading(lang, Key::LinePage, Key::LineAbout))
        (trouble())
        section.tile.state.live #state data-state="unknown" data-class="unknown" aria-labelledby="state-word" {
            svg #state-shape viewBox="-12 -12 24 24" aria-hidden="true" {}
            div {
                p.word { span #state-word { (lang.say(Key::Unknown)) } " " span.num #state-for {} }
                p #state-why {}
                p.facts {
                    span { (lang.mark(Key::Batch)) " " b #batch { "–" } }
                    span { (lang.mark(Key::Shift)) " " b #shift { "–" } }
                }
            }
        }
        div.machines #machines role="group" aria-label=(lang.say(Key::Stations)) {}
        (table(lang, Key::Tags, "tags", &tags))
    }
}
