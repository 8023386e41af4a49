//! The page of a request that is not answered as asked: what happened and the way out, in the reader's language.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::layout::Look;
use crate::web::assets;
use crate::web::error::ErrorView;
use crate::web::i18n::{Key, Lang};

/// Addresses that lead on from a refused page.
const WAYS: [(&str, Key); 3] =
    [("/", Key::Overview), ("/reports", Key::Reports), ("/data", Key::Data)];

/// The page of a refusal. It stands alone and runs nothing: what is wrong may be wrong with all other pages too.
pub(in crate::web) fn refusal(status: StatusCode, error: &ErrorView, look: Look) -> Response {
    let Look { lang, theme, .. } = look;
    let what = lang.say_word("error", error.code);
    let page = html! {
        (DOCTYPE)
        html lang=(lang.html()) data-theme=(theme.word()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (status.as_u16()) " " (what) " – Capline" }
                link rel="icon" href=(assets::href("icon.svg"));
                link rel="stylesheet" href=(assets::href("app.css"));
            }
            body data-lang=(lang.word()) {
                header.bar { p.place { b { "Capline" } } p.clock { (status.as_u16()) } }
                main #main tabindex="-1" {
                    section.card.refused #refusal role="alert" data-code=(error.code) {
                        h1 { (what) }
                        (detail(lang, error))
                        p { b { (lang.mark(Key::WayOut)) } " " (lang.say_word("way", error.code)) }
                        nav aria-label=(lang.say(Key::PageChoice)) {
                            @for (path, title) in WAYS { a.step href=(path) { (lang.mark(title)) } " " }
                        }
                    }
                }
            }
        }
    };
    (status, Html(page.into_string())).into_response()
}

/// What it is about, in the reader's language; nothing where there is only the other one.
fn detail(lang: Lang, error: &ErrorView) -> Markup {
    let translated = error.message_zh != error.message;
    html! {
        @match lang {
            Lang::En => p { (error.message) },
            Lang::Zh if translated => p { (error.message_zh) },
            Lang::Zh => {},
            Lang::Both => { p lang="zh-CN" { (error.message_zh) } @if translated { p lang="en" { (error.message) } } },
        }
    }
}
