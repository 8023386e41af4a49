//! `/login` and `/setup`: where a session begins, and where the first account is made. Pages of their own: who sees them
//! may see nothing of a line yet.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use super::layout::{Look, data};
use super::parts::style;
use crate::web::address::escaped;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{Access, App, Routes, assets, blocking};

/// Routes of these pages.
pub(crate) fn routes() -> Routes {
    vec![("/login", get(login)), ("/setup", get(set_up))]
}

/// Where to go once signed in.
#[derive(Deserialize)]
pub(super) struct Back {
    to: Option<String>,
}

impl Back {
    /// The way back if it stays here. Browsers read `\` as `/` and pass over control characters, so that neither is taken.
    pub(super) fn path(&self) -> &str {
        let is_ours = |to: &&str| {
            let strange = |c: char| c == '\\' || c.is_control();
            to.starts_with('/') && !to.starts_with("//") && !to.contains(strange)
        };
        self.to.as_deref().filter(is_ours).unwrap_or("/")
    }
}

async fn login(
    State(app): State<App>,
    look: Look,
    Params(back): Params<Back>,
) -> Result<Response, WebError> {
    if app.parts().access == Access::Open {
        return Ok(go("/"));
    }
    if !is_set_up(&app).await? {
        return Ok(go("/setup"));
    }
    let lang = look.lang;
    let form = html! {
        h1 { (lang.mark(Key::SignIn)) " · " (app.parts().site) }
        p.dim { (lang.mark(Key::SignInAbout)) }
        // Without the script nothing is sent: a form of a page would put the password where it does not belong.
        form #login method="post" action="/login" data-path="/api/v1/login" data-to=(back.path()) {
            (field(lang, Key::AccountName, "name", ("text", "username")))
            (field(lang, Key::Password, "password", ("password", "current-password")))
            button.act { (lang.mark(Key::SignIn)) }
        }
    };
    Ok(page(&app, &look, (Key::SignIn, "/login", back.path()), &form))
}

async fn set_up(State(app): State<App>, look: Look) -> Result<Response, WebError> {
    if app.parts().access == Access::Open {
        return Ok(go("/"));
    }
    if is_set_up(&app).await? {
        return Ok(go("/login"));
    }
    let lang = look.lang;
    let form = html! {
        h1 { (lang.mark(Key::SetUp)) " · " (app.parts().site) }
        p.dim { (lang.mark(Key::SetUpAbout)) }
        form #setup method="post" action="/setup" data-path="/api/v1/setup" {
            (field(lang, Key::SetUpToken, "token", ("text", "off")))
            (field(lang, Key::AccountName, "name", ("text", "username")))
            (field(lang, Key::PrintedName, "printed", ("text", "name")))
            (field(lang, Key::Password, "password", ("password", "new-password")))
            p.dim { (lang.mark(Key::PasswordRule)) }
            button.act { (lang.mark(Key::SetUp)) }
        }
    };
    Ok(page(&app, &look, (Key::SetUp, "/setup", "/"), &form))
}

async fn is_set_up(app: &App) -> Result<bool, WebError> {
    let accounts = app.parts().accounts.clone();
    blocking(move || accounts.is_set_up()).await
}

pub(super) fn go(to: &'static str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

pub(super) fn field(lang: Lang, title: Key, name: &str, (kind, complete): (&str, &str)) -> Markup {
    html! {
        label for=(name) { (lang.mark(title)) }
        input #(name) name=(name) type=(kind) autocomplete=(complete) autocapitalize="none" spellcheck="false" maxlength="200" required;
    }
}

/// A page before or beside those of a line: its title, its address, and where it leads on.
pub(super) fn page(
    app: &App,
    look: &Look,
    (title, here, back): (Key, &str, &str),
    form: &Markup,
) -> Response {
    let lang = look.lang;
    let on = match back {
        "/" => String::new(),
        back => format!("&to={}", escaped(back)),
    };
    let parts = app.parts();
    let markup = html! {
        (DOCTYPE)
        html lang=(lang.html()) data-theme=(look.theme.word()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (lang.say(title)) " – " (parts.site) }
                link rel="icon" href=(assets::href("icon.svg"));
                link rel="stylesheet" href=(assets::href("app.css"));
                (style())
                script type="module" src=(assets::href("login.mjs")) {}
            }
            body.door data-lang=(lang.word()) data-user=[look.who.is_known().then_some(&look.who.printed)] {
                nav.door-lang aria-label=(lang.say(Key::Language)) {
                    @for (choice, word) in Lang::ALL.into_iter().zip(["EN", "中", "中/EN"]) {
                        a href={ (here) "?lang=" (choice.word()) (on) } aria-current=[(choice == lang).then_some("true")] { (word) }
                    }
                }
                main #main.card {
                    @if parts.simulated { p { strong.sim { (lang.mark(Key::Simulated)) } } }
                    (form)
                    p.note #door-trouble role="alert" hidden {}
                    noscript { p.band { (lang.mark(Key::NeedsScript)) } }
                }
                (data("texts", &lang.table()))
            }
        }
    };
    look.remember(Html(markup.into_string()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_here() {
        let of = |to: &str| Back { to: Some(to.to_owned()) }.path().to_owned();
        assert_eq!(of("/spc/speed?line=L1&limits=3"), "/spc/speed?line=L1&limits=3");
        for elsewhere in [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "/\t/evil.example/",
            "\\/evil.example",
            "evil",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(of(elsewhere), "/", "{elsewhere:?}");
        }
        assert_eq!(Back { to: None }.path(), "/");
    }
}
