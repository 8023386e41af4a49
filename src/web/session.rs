//! `/api/v1/login`, `/api/v1/logout`, `/api/v1/session`, `/api/v1/setup`, `/api/v1/password`: how a session begins and
//! ends, the first account, and a password of one's own.

use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::account::{Begun, NewAccount, NoLogin, Order, Refused, Role, account_name};
use domain::audit::{Actor, Note, What};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::api::Sent;
use super::cookies::session_cookie;
use super::door::Ticket;
use super::error::{ErrorView, WebError};
use super::limits::network;
use super::trail::{Asker, Trail, all_noted, noted, tell_refused};
use super::who::{Access, Via, WhereFrom, Who};
use super::{Accounts, App, Peer, Routes, blocking};

/// How long an attempt waits until its password is looked at; then there are too many.
const TURN_WITHIN: Duration = Duration::from_secs(5);

/// Routes of this area.
pub(crate) fn routes() -> Routes {
    let mut routes = vec![
        ("/api/v1/login", post(login)),
        ("/api/v1/logout", post(logout)),
        ("/api/v1/session", get(session).post(used)),
        ("/api/v1/setup", post(set_up)),
        ("/api/v1/password", post(own_password)),
    ];
    routes.extend(super::admin::routes());
    routes
}

/// A name and its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The name of the account.
    name: String,
    /// Its password.
    password: String,
}

/// The first account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstAccount {
    /// The token that the start of the service has told.
    token: String,
    /// The name that is signed in with.
    name: String,
    /// The name that stands on records.
    printed: String,
    /// Its password.
    password: String,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(crate) struct WhoView {
    /// The name of the account; null for a display, and where nobody signs in.
    user: Option<String>,
    /// The name on records, or that of the display.
    printed: String,
    /// `viewer`, `operator`, `quality` or `admin`; null where nobody signs in.
    role: Option<&'static str>,
    /// `open`, `session` or `token`.
    via: &'static str,
    /// Whether somebody else set the password: then the session is for nothing but changing it. The answer to a login says
    /// so; such a session is refused everything else.
    must_change: bool,
}

impl WhoView {
    fn of(who: &Who) -> WhoView {
        WhoView {
            user: who.user.as_deref().map(str::to_owned),
            printed: who.printed.to_string(),
            role: (who.via != Via::Open).then(|| who.role.word()),
            via: match who.via {
                Via::Open => "open",
                Via::Session => "session",
                Via::Token => "token",
            },
            must_change: who.must_change,
        }
    }
}

/// The password of who is signed in, and another one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnPassword {
    /// The password until now.
    old: String,
    /// The one that its owner chose.
    new: String,
}

/// An empty JSON object.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Signs in: the answer sets the cookie of a session. Whatever is wrong, the answer is the same and takes as long.
#[utoipa::path(
    post, path = "/api/v1/login", request_body = Credentials,
    responses(
        (status = 200, body = WhoView),
        (status = 400, body = ErrorView),
        (status = 401, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 409, body = ErrorView),
        (status = 429, body = ErrorView)
    )
)]
pub(crate) async fn login(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    WhereFrom(where_from): WhereFrom,
    Sent(given): Sent<Credentials>,
) -> Result<Response, WebError> {
    let secure = app.signs_in()?;
    app.attempt(peer)?;
    let trail = app.parts().trail.clone();
    let found = app.hashing(move |accounts| {
        let found = accounts.login(&given.name, &given.password)?;
        tell_login(trail.as_ref(), &given.name, where_from, &found);
        Ok(found)
    });
    let Begun { account, token } = found.await?.map_err(|_| WebError::NoLogin)?;
    let view = Json(WhoView::of(&Who::from(account)));
    Ok(with_cookie(view.into_response(), session_cookie(&token, secure)))
}

/// Tells the audit trail who signed in, or that somebody tried and why it did not work. What can be the name of no account
/// is not written down: it may be a password, or words that would look like another entry.
fn tell_login(trail: &dyn Trail, given: &str, from: String, found: &Result<Begun, NoLogin>) {
    let (account, name) = match found {
        Ok(Begun { account, .. }) => (account.name.to_string(), account.printed.to_string()),
        Err(_) => {
            let tried = account_name(given).map_or_else(|_| String::new(), String::from);
            (tried.clone(), tried)
        }
    };
    let by = Actor { account, name, from, signs: None };
    match found {
        Ok(_) => noted(trail, Note::new(&by, What::LoggedIn, "")),
        Err(no) => {
            let failed = Note::new(&by, What::LoginFailed, "").change("", no.word());
            let locked = Note::new(&by, What::LockedOut, by.account.as_str());
            let locked = (*no == NoLogin::WrongAndLocked).then_some(locked);
            all_noted(trail, [Some(failed), locked].into_iter().flatten().collect());
        }
    }
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Ends the session of this browser.
#[utoipa::path(
    post, path = "/api/v1/logout", request_body = Nothing,
    responses(
        (status = 204),
        (status = 400, body = ErrorView),
        (status = 401, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
pub(crate) async fn logout(
    State(app): State<App>,
    who: Who,
    ticket: Option<Extension<Ticket>>,
    WhereFrom(where_from): WhereFrom,
    Sent(_): Sent<Nothing>,
) -> Result<Response, WebError> {
    let secure = app.signs_in()?;
    if let Some(Extension(Ticket::Session(token))) = ticket {
        let (accounts, trail) = (app.parts().accounts.clone(), app.parts().trail.clone());
        let account = who.user.as_deref().unwrap_or_default().to_owned();
        let by = Actor { account, name: who.printed.to_string(), from: where_from, signs: None };
        let ended = move || {
            accounts.logout(&token)?;
            noted(trail.as_ref(), Note::new(&by, What::LoggedOut, ""));
            Ok(())
        };
        blocking(ended).await?;
    }
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), session_cookie("", secure)))
}

/// Who asks.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = WhoView)))]
pub(crate) async fn session(who: Who) -> Json<WhoView> {
    Json(WhoView::of(&who))
}

/// A person is at the screen: the session does not rest. Pages say so when something is pressed, at most once a minute.
#[utoipa::path(
    post, path = "/api/v1/session", operation_id = "use_session", request_body = Nothing,
    responses((status = 204), (status = 400, body = ErrorView), (status = 403, body = ErrorView))
)]
pub(crate) async fn used(_: Who, Sent(_): Sent<Nothing>) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Makes the first account, an administrator, with the one-time token that the start of the service has told.
#[utoipa::path(
    post, path = "/api/v1/setup", request_body = FirstAccount,
    responses(
        (status = 204),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 409, body = ErrorView),
        (status = 429, body = ErrorView)
    )
)]
pub(crate) async fn set_up(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    WhereFrom(where_from): WhereFrom,
    Sent(given): Sent<FirstAccount>,
) -> Result<StatusCode, WebError> {
    app.signs_in()?;
    app.attempt(peer)?;
    let FirstAccount { token, name, printed, password } = given;
    let first = NewAccount { name, printed, role: Role::Admin, password };
    let by = Actor { from: where_from, ..Actor::default() };
    let order = Order { by, reason: String::new() };
    app.hashing(move |accounts| accounts.set_up(&token, first, &order)).await?.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the password of who is signed in; the other sessions of the account end. A wrong old one counts as one at
/// signing: five lock both for a quarter of an hour.
#[utoipa::path(
    post, path = "/api/v1/password", request_body = OwnPassword,
    responses(
        (status = 204),
        (status = 400, body = ErrorView),
        (status = 401, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 409, body = ErrorView),
        (status = 429, body = ErrorView)
    )
)]
pub(crate) async fn own_password(
    State(app): State<App>,
    asker: Asker,
    ticket: Option<Extension<Ticket>>,
    Sent(given): Sent<OwnPassword>,
) -> Result<StatusCode, WebError> {
    app.signs_in()?;
    let Some(Extension(Ticket::Session(token))) = ticket else { return Err(WebError::SignIn) };
    let order = Order { by: asker.actor(""), reason: String::new() };
    let trail = app.parts().trail.clone();
    let changed = app.hashing(move |accounts| {
        let changed = accounts.own_password(&token, (&given.old, &given.new), &order)?;
        if let Err(Refused::NoLogin(why)) = changed {
            // Whoever knows no password is not proven to be who the session is of.
            let by = Actor { name: order.by.account.clone(), ..order.by };
            tell_refused(trail.as_ref(), &by, What::PasswordRefused, why);
        }
        Ok(changed)
    });
    changed.await?.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a reader is told of a refusal.
pub(super) fn refused(refused: Refused) -> WebError {
    match refused {
        Refused::NoLogin(_) => WebError::NoLogin,
        Refused::Unfit(why) => WebError::Parameter(why.to_owned()),
        refused => WebError::Conflict(refused.to_string()),
    }
}

impl App {
    /// Whether cookies are kept to TLS, where people sign in at all.
    pub(super) fn signs_in(&self) -> Result<bool, WebError> {
        match self.parts().access {
            Access::Users { secure } => Ok(secure),
            Access::Open => Err(refused(Refused::Open)),
        }
    }

    /// Counts an attempt from an address.
    fn attempt(&self, peer: Option<Extension<Peer>>) -> Result<(), WebError> {
        match peer {
            Some(Extension(Peer(address))) => self.0.attempts.lets_pass(network(address)),
            None => Ok(()),
        }
    }

    /// Does what hashes a password, when it is its turn.
    pub(super) async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Accounts) -> Result<T, String> + Send + 'static,
    ) -> Result<T, WebError> {
        let turn = tokio::time::timeout(TURN_WITHIN, self.0.hashing.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(WebError::TooOften) };
        let accounts = self.parts().accounts.clone();
        blocking(move || {
            let done = work(accounts.as_ref());
            // Held by the thread: who hangs up must not make room before its hash is done.
            drop(turn);
            done
        })
        .await
    }
}
