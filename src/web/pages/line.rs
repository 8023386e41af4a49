//! `/line`: the machines of a line with their links, counters and measured values, and where each number is read.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::calls::strip;
use super::layout::{Choice, Look, Page, page};
use super::parts::{chart, chart_with, heading, signature, state, style, table, trouble};
use super::replay::asked;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Right, Routes};

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
    let first = match asked(&app, &look, (Key::LinePage, line), &choice).await? {
        Ok(first) => first,
        Err(refused) => return Ok(refused),
    };
    let writes = look.who.writes(&app, Right::Work) && first.replay.is_none();
    let body = body(&look, writes, first.replay.is_some());
    Ok(page(&app, &look, &Page { title: Key::LinePage, line, script: "line.mjs", body, first }))
}

fn body(look: &Look, writes: bool, past: bool) -> Markup {
    let lang = look.lang;
    let tags = [
        Key::Tag,
        Key::Role,
        Key::ValueWord,
        Key::TotalCounted,
        Key::Segment,
        if past { Key::Age } else { Key::TagAge },
        Key::Group,
        Key::AddressWord,
        Key::MapLine,
    ];
    html! {
        (style())
        (heading(lang, Key::LinePage, Key::LineAbout))
        (trouble())
        div.told-by {
            (state(lang))
            (batch(look, writes))
        }
        (strip(look, writes))
        div.machines #machines role="group" aria-label=(lang.say(Key::Stations)) {}
        div.past {
            (chart(lang, Key::LineTimeline, "timeline"))
            (chart_with(lang, Key::SecondsTitle, "seconds", spans(lang)))
        }
        div.halves.trended {
            (chart_with(lang, Key::Trends, "trends", trends(lang)))
            (table(lang, Key::Tags, "tags", &tags))
        }
    }
}

/// Which tags are drawn, and of which span.
fn trends(lang: Lang) -> Markup {
    html! {
        details.menu #trend-menu {
            summary { (lang.mark(Key::TrendChoose)) " " span.num #trend-n {} }
            div.choices-of #trend-choice role="group" aria-label=(lang.say(Key::TrendChoose)) {}
        }
        (choices(lang, "trend-span", Key::TrendSpan))
    }
}

/// Spans of the output to choose from.
fn spans(lang: Lang) -> Markup {
    choices(lang, "seconds-span", Key::Span)
}

fn choices(lang: Lang, id: &str, title: Key) -> Markup {
    let all = [
        ("1m", Key::Seconds1m, false),
        ("15m", Key::Seconds15m, true),
        ("8h", Key::Seconds8h, false),
    ];
    html! {
        div.choices id=(id) role="group" aria-label=(lang.say(title)) {
            @for (word, text, pressed) in all {
                button type="button" data-span=(word) aria-pressed=(pressed) { (lang.mark(text)) }
            }
        }
    }
}

/// The batch, and where a person opens and closes it if the machine tells none.
fn batch(look: &Look, writes: bool) -> Markup {
    let lang = look.lang;
    let field = |key: Key, id: &str, longest: u16, complete: &str| {
        html! {
            label { span { (lang.mark(key)) } input #(id) maxlength=(longest) autocomplete=(complete) disabled[!writes]; }
        }
    };
    html! {
        section.card.batch #batch-card data-writes=(writes) aria-labelledby="batch-title" {
            header { h2 #batch-title { (lang.mark(Key::Batch)) } span.dim #batch-note {} }
            p #batch-now role="status" {}
            form.own #batch-form autocomplete="off" hidden {
                (field(Key::BatchId, "batch-id", 40, "off"))
                (field(Key::Product, "batch-product", 120, "off"))
                @if look.who.is_known() { (signature(look, "batch-author")) } @else { (field(Key::YourName, "batch-author", 80, "name")) }
                button.act #batch-open disabled[!writes] { (lang.mark(Key::BatchOpen)) }
                button.act #batch-close type="button" disabled { (lang.mark(Key::BatchClose)) }
            }
            p.note #batch-trouble role="alert" hidden {}
        }
    }
}
