//! `/account`: who is signed in, and a password of their own. A page outside of the frame: it is the only one of an account
//! whose password somebody else set.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::layout::{Look, role_key};
use super::login::{Back, field, go, page};
use crate::web::error::Params;
use crate::web::i18n::{Key, Lang};
use crate::web::{Access, App, Routes, Who};

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/account", get(account))]
}

async fn account(State(app): State<App>, look: Look, Params(back): Params<Back>) -> Response {
    if app.parts().access == Access::Open {
        return go("/");
    }
    let form = form(look.lang, &look.who, back.path());
    page(&app, &look, (Key::OwnAccount, "/account", back.path()), &form)
}

fn form(lang: Lang, who: &Who, back: &str) -> Markup {
    let user = who.user.as_deref().unwrap_or_default();
    html! {
        h1 { (lang.mark(Key::OwnAccount)) }
        p { b { (who.printed) } " · " (user) " · " (lang.mark(role_key(who.role))) }
        @if who.must_change {
            p.note #password-due { (lang.mark(Key::OwnPasswordDue)) }
        } @else {
            p.dim { (lang.mark(Key::OwnPasswordAbout)) }
        }
        form #own method="post" action="/account" data-path="/api/v1/password" {
            // For what keeps passwords in the browser; it is not sent.
            input type="text" autocomplete="username" value=(user) hidden;
            (field(lang, Key::OldPassword, "old", ("password", "current-password")))
            (field(lang, Key::NewPassword, "new", ("password", "new-password")))
            (field(lang, Key::NewAgain, "again", ("password", "new-password")))
            p.dim { (lang.mark(Key::PasswordRule)) }
            button.act { (lang.mark(Key::OwnPassword)) }
        }
        p.note #own-done role="status" hidden { (lang.mark(Key::OwnPasswordDone)) }
        div.tools {
            a.choice #go-on href=(back) hidden[who.must_change] { (lang.mark(Key::GoOn)) }
            button.choice #sign-out type="button" { (lang.mark(Key::SignOut)) }
        }
    }
}
