//! `/wall/{line}`: the state of a line for people who stand five metres away. Nothing can be pressed, nothing scrolls,
//! and both languages are shown unless the address asks for one.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::layout::{Choice, First, Look, Page, wall};
use super::parts::{state, unbalanced};
use super::replay::present_only;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Routes, assets};

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/wall", get(first)), ("/wall/{id}", get(of_line))]
}

async fn first(
    State(app): State<App>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    show(&app, look, None, &choice).await
}

async fn of_line(
    State(app): State<App>,
    Path(id): Path<String>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    show(&app, look, Some(&id), &choice).await
}

async fn show(
    app: &App,
    look: Look,
    id: Option<&str>,
    choice: &Choice,
) -> Result<Response, WebError> {
    let line = app.position(id)?;
    let look = look.or_lang(Lang::Both);
    // A wall that says nothing of it must not be taken for the past.
    if let Some(refused) = present_only(app, &look, (Key::Wall, line), choice).await? {
        return Ok(refused);
    }
    let (body, first) = (body(look.lang), First::of(app, line).await?);
    Ok(wall(app, &look, &Page { title: Key::Wall, line, script: "wall.mjs", body, first }))
}

fn body(lang: Lang) -> Markup {
    html! {
        link rel="stylesheet" href=(assets::href("wall.css"));
        h1.away { (lang.mark(Key::Wall)) }
        (state(lang))
        ul #wall-calls aria-label=(lang.say(Key::OpenCalls)) hidden {}
        div.figures {
            (figure(lang, Key::Output, "good", false))
            (figure(lang, Key::Difference, "gap", false))
            (figure(lang, Key::Speed, "speed", false))
            (figure(lang, Key::Oee, "oee", true))
            (figure(lang, Key::RejectFraction, "reject", false))
        }
        div.work {
            section.card.chart aria-labelledby="trend-title" {
                h2 #trend-title { (lang.mark(Key::Trend)) }
                div.plot #trend role="img" {}
            }
            section.card aria-labelledby="hours-title" {
                h2 #hours-title { (lang.mark(Key::HourBoard)) " · " (lang.mark(Key::Difference)) }
                table #hours { tbody {} }
            }
        }
        ul #stations aria-label=(lang.say(Key::Stations)) {}
    }
}

/// `holds` says that it is of time, so that it is true while a device is silent too.
fn figure(lang: Lang, title: Key, id: &str, holds: bool) -> Markup {
    html! {
        section.tile.live.holds[holds] aria-labelledby={ (id) "-title" } {
            h2 #{ (id) "-title" } { (lang.mark(title)) @if ["good", "oee", "reject"].contains(&id) { " " (unbalanced()) } }
            p.big { b.num #(id) data-value="" { "–" } small #{ (id) "-mark" } {} }
            p.dim #{ (id) "-note" } {}
        }
    }
}
