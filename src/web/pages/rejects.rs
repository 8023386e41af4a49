//! `/rejects`: what was rejected for which reason, when, and whether that has changed.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::layout::{Choice, First, Look, Page, page};
use super::parts::{figure, heading, style, table, trouble, windows};
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
    let (body, first) = (body(look.lang), First::of(&app, line).await?);
    Ok(page(&app, look, &Page { title: Key::Rejects, line, script: "rejects.mjs", body, first }))
}

fn body(lang: Lang) -> Markup {
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
            (windows(lang))
            p.dim #span {}
            button.choice #csv type="button" { "CSV" }
        }
        (trouble())
        div.tiles {
            (figure(lang, Key::RejectFraction, "fraction"))
            (figure(lang, Key::AgainstBefore, "change"))
            (figure(lang, Key::Coverage, "coverage"))
        }
        (table(lang, Key::RejectPareto, "pareto", &columns))
        p.dim.explain { (lang.mark(Key::VerdictNote)) }
        (table(lang, Key::RejectHeat, "heat", &[]))
    }
}
