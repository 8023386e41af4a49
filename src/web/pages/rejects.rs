//! `/rejects`: what was rejected for which reason, when, and whether that has changed.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::layout::{Choice, Look, Page, page};
use super::parts::{batches, chart, explained, heading, style, table, trouble, windows};
use super::replay::asked;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Routes};

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/rejects", get(rejects))]
}

async fn rejects(
    State(app): State<App>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    let line = app.position(choice.line())?;
    let first = match asked(&app, &look, (Key::Rejects, line), &choice).await? {
        Ok(first) => first,
        Err(refused) => return Ok(refused),
    };
    let config = &app.parts().lines.get(line).ok_or(WebError::NotFound)?.config;
    let batches = batches(&app, config, &first).await;
    let body = body(look.lang, windows(look.lang, &app.parts().zone, &batches));
    Ok(page(&app, &look, &Page { title: Key::Rejects, line, script: "rejects.mjs", body, first }))
}

fn body(lang: Lang, spans: Markup) -> Markup {
    let columns = [
        Key::ReasonWord,
        Key::Share,
        Key::RejectCount,
        Key::Ppm,
        Key::Interval95,
        Key::Cumulative,
        Key::PpmBefore,
        Key::Change,
        Key::Verdict,
    ];
    html! {
        (style())
        (heading(lang, Key::Rejects, Key::RejectsAbout))
        div.card.tools {
            (spans)
            label { span.dim { (lang.mark(Key::Station)) } " " select #station { option value="" { (lang.say(Key::AllStations)) } } }
            p.dim #span {}
            button.choice #print type="button" { (lang.mark(Key::Print)) }
        }
        (trouble())
        div.tiles {
            (explained(lang, Key::RejectFraction, "fraction", "reject_fraction"))
            (explained(lang, Key::AgainstBefore, "change", "chance"))
            (explained(lang, Key::Coverage, "coverage", "coverage"))
        }
        div.halves.pareto-bores {
            (table(lang, Key::RejectPareto, "pareto", &columns))
            div.stack {
                (chart(lang, Key::BoreMap, "bores"))
                p.dim.explain #bores-none {}
                p.dim.explain { (lang.mark(Key::RecheckNone)) }
            }
        }
        p.dim.explain { (lang.mark(Key::VerdictNote)) }
        (table(lang, Key::RejectHeat, "heat", &[]))
    }
}
