//! `/admin`: users and the tokens of displays, for who keeps them, and what the running configuration holds.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::account::Role;
use maud::{Markup, html};

use super::configured::configured;
use super::layout::{Choice, First, Look, Page, page, role_key};
use super::parts::{style, table, trouble};
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{Access, App, Routes};

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/admin", get(admin))]
}

async fn admin(
    State(app): State<App>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    let line = app.position(choice.line())?;
    let is_open = app.parts().access == Access::Open;
    let held = configured(&app, look.lang).await?;
    let (body, first) = (body(look.lang, is_open, &held), First::of(&app, line).await?);
    Ok(page(&app, &look, &Page { title: Key::Admin, line, script: "admin.mjs", body, first }))
}

fn body(lang: Lang, is_open: bool, held: &Markup) -> Markup {
    let users = [
        Key::AccountName,
        Key::PrintedName,
        Key::RoleWord,
        Key::UserState,
        Key::Sessions,
        Key::ChangedAt,
        Key::UserActs,
    ];
    let displays = [Key::DisplayWord, Key::TokenMade, Key::UserState, Key::UserActs];
    html! {
        (style())
        h1.away { (lang.mark(Key::Admin)) }
        p.about { (lang.mark(if is_open { Key::OpenAccessAbout } else { Key::AdminAbout })) }
        @if is_open {
            div.card.tools { (to_audit(lang)) }
            (held)
        } @else {
            (trouble())
            div.card.tools {
                button.act #add-user type="button" { (lang.mark(Key::AddUser)) }
                button.act #add-display type="button" { (lang.mark(Key::AddDisplay)) }
                (to_audit(lang))
            }
            p.note.edits-wait role="status" hidden { (lang.mark(Key::EditsWait)) }
            p.note #told role="status" hidden { span #told-what {} " " code #told-token {} }
            (table(lang, Key::Users, "users", &users))
            (table(lang, Key::DisplayTokens, "displays", &displays))
            (held)
            (confirm(lang))
        }
    }
}

fn to_audit(lang: Lang) -> Markup {
    html! { a.act href="/admin/audit" { (lang.mark(Key::AuditTitle)) } }
}

/// The second step of every change: what is about to be done, and why.
fn confirm(lang: Lang) -> Markup {
    let field = |key: Key, id: &str, kind: &str, complete: &str| {
        html! {
            label hidden { span { (lang.mark(key)) }
                input #(id) type=(kind) autocomplete=(complete) maxlength="200";
            }
        }
    };
    html! {
        dialog #confirm aria-labelledby="confirm-title" {
            form #confirm-form method="dialog" {
                h2 #confirm-title {}
                p #confirm-about {}
                (field(Key::AccountName, "confirm-name", "text", "off"))
                (field(Key::PrintedName, "confirm-printed", "text", "off"))
                label hidden { span { (lang.mark(Key::RoleWord)) }
                    select #confirm-role {
                        @for role in Role::ALL { option value=(role.word()) { (lang.say(role_key(role))) } }
                    }
                }
                (field(Key::Password, "confirm-password", "password", "new-password"))
                label { span { (lang.mark(Key::ReasonOfChange)) } input #confirm-reason maxlength="1000" required; }
                p.note.edits-wait role="status" hidden { (lang.mark(Key::EditsWait)) }
                p.note #confirm-trouble role="alert" hidden {}
                div.tools {
                    button.act #confirm-do { (lang.mark(Key::Confirm)) }
                    button.act #confirm-not type="button" { (lang.mark(Key::Close)) }
                }
            }
        }
    }
}
