//! `/api/v1/admin`: users and the tokens of displays. Each change has its reason.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::account::{Change, NewAccount, Order, Role, StoredAccount, StoredDisplay};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::api::table::Form;
use super::api::{Sent, TEXT, tables, text};
use super::error::{ErrorView, Params, Path, WebError, short};
use super::session::refused;
use super::{App, Asker, Routes, blocking};

/// Routes of this area.
pub(super) fn routes() -> Routes {
    vec![
        ("/api/v1/admin/users", get(users).post(add_user)),
        ("/api/v1/admin/users/{name}", post(change_user)),
        ("/api/v1/admin/displays", get(displays).post(add_display)),
        ("/api/v1/admin/displays/{number}/revoke", post(revoke_display)),
    ]
}

/// A user.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserView {
    /// The name that is signed in with.
    name: String,
    /// The name on records.
    printed: String,
    /// `viewer`, `operator`, `quality` or `admin`.
    role: &'static str,
    /// `enabled`, `disabled` or `locked`.
    state: &'static str,
    /// Whether the password was set by somebody else and has to be changed first.
    must_change: bool,
    /// When it was made, UTC milliseconds.
    made_ms: i64,
    /// When it was last changed, UTC milliseconds.
    changed_ms: i64,
    /// Its sessions that have not ended.
    sessions: u32,
}

impl UserView {
    fn of(stored: &StoredAccount, now_us: i64) -> UserView {
        let locked = stored.locked_until_us.is_some_and(|until_us| now_us < until_us);
        UserView {
            name: stored.account.name.to_string(),
            printed: stored.account.printed.to_string(),
            role: stored.account.role.word(),
            state: match (stored.disabled_us, locked) {
                (Some(_), _) => "disabled",
                (None, true) => "locked",
                (None, false) => "enabled",
            },
            must_change: stored.account.must_change,
            made_ms: stored.made_us / 1_000,
            changed_ms: stored.changed_us / 1_000,
            sessions: stored.sessions,
        }
    }
}

/// A user to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddedUser {
    /// The name that is signed in with.
    name: String,
    /// The name on records; no two accounts have the same.
    printed: String,
    /// `viewer`, `operator`, `quality` or `admin`.
    role: String,
    /// Its first password, which it has to change before anything else.
    password: String,
    /// Why.
    reason: String,
}

/// What is changed of a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedUser {
    /// `disable`, `enable`, `reset` or `role`.
    act: String,
    /// To reset: another password.
    #[serde(default)]
    password: Option<String>,
    /// Another role.
    #[serde(default)]
    role: Option<String>,
    /// Why.
    reason: String,
}

/// A display that reads without a person.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenView {
    /// Its number.
    number: i64,
    /// What people call it.
    name: String,
    /// When its token was made, UTC milliseconds.
    made_ms: i64,
    /// When it was revoked, UTC milliseconds.
    revoked_ms: Option<i64>,
}

/// A display to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddedDisplay {
    /// What people call it.
    name: String,
    /// Why.
    reason: String,
}

/// A token to be revoked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoking {
    /// Why.
    reason: String,
}

/// The token of a display, told this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    /// To be opened on the display as `/wall/{line}?token=…`, or sent as `Authorization: Bearer …`.
    token: String,
}

/// All users, by name.
#[utoipa::path(
    get, path = "/api/v1/admin/users", params(Form),
    responses(
        (status = 200, content((Vec<UserView> = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
pub(crate) async fn users(
    State(app): State<App>,
    Params(form): Params<Form>,
) -> Result<Response, WebError> {
    app.signs_in()?;
    let sheet = form.only(tables::USERS)?;
    let accounts = app.parts().accounts.clone();
    let (users, now_us) = blocking(move || accounts.accounts()).await?;
    let users: Vec<UserView> = users.iter().map(|user| UserView::of(user, now_us)).collect();
    match sheet {
        None => Ok(Json(users).into_response()),
        Some(sheet) => app.sheet_of("capline", sheet, app.present().now.utc_us, &users),
    }
}

/// Adds a user.
#[utoipa::path(
    post, path = "/api/v1/admin/users", operation_id = "add_user", request_body = AddedUser,
    responses((status = 204), (status = 400, body = ErrorView), (status = 409, body = ErrorView))
)]
pub(crate) async fn add_user(
    State(app): State<App>,
    asker: Asker,
    Sent(given): Sent<AddedUser>,
) -> Result<StatusCode, WebError> {
    app.signs_in()?;
    let order = order(&asker, &given.reason)?;
    let role = role(&given.role)?;
    let AddedUser { name, printed, password, .. } = given;
    let added = NewAccount { name, printed, role, password };
    app.hashing(move |accounts| accounts.add(added, &order)).await?.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Disables or enables a user, sets another password or another role. Sessions of the user end.
#[utoipa::path(
    post, path = "/api/v1/admin/users/{name}", params(("name" = String, Path, description = "User")),
    request_body = ChangedUser,
    responses((status = 204), (status = 400, body = ErrorView), (status = 409, body = ErrorView))
)]
pub(crate) async fn change_user(
    State(app): State<App>,
    Path(name): Path<String>,
    asker: Asker,
    Sent(given): Sent<ChangedUser>,
) -> Result<StatusCode, WebError> {
    app.signs_in()?;
    let order = order(&asker, &given.reason)?;
    let missing = |what: &str| WebError::Parameter(format!("{what} is missing"));
    let change = match given.act.as_str() {
        "disable" => Change::Disable,
        "enable" => Change::Enable,
        "reset" => Change::Reset(given.password.ok_or_else(|| missing("password"))?),
        "role" => Change::Role(role(given.role.as_deref().ok_or_else(|| missing("role"))?)?),
        word => return Err(WebError::unknown("act", word, "disable, enable, reset, role")),
    };
    let changed = app.hashing(move |accounts| accounts.change(&name, change, &order)).await?;
    changed.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Displays that read without a person, also those whose token was revoked.
#[utoipa::path(
    get, path = "/api/v1/admin/displays", operation_id = "display_tokens", params(Form),
    responses(
        (status = 200, content((Vec<TokenView> = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
pub(crate) async fn displays(
    State(app): State<App>,
    Params(form): Params<Form>,
) -> Result<Response, WebError> {
    app.signs_in()?;
    let sheet = form.only(tables::TOKENS)?;
    let accounts = app.parts().accounts.clone();
    let displays = blocking(move || accounts.displays()).await?;
    let view = |StoredDisplay { number, name, made_us, revoked_us }| TokenView {
        number,
        name,
        made_ms: made_us / 1_000,
        revoked_ms: revoked_us.map(|us| us / 1_000),
    };
    let displays: Vec<TokenView> = displays.into_iter().map(view).collect();
    match sheet {
        None => Ok(Json(displays).into_response()),
        Some(sheet) => app.sheet_of("capline", sheet, app.present().now.utc_us, &displays),
    }
}

/// Gives a display a token, which is told in the answer and never again.
#[utoipa::path(
    post, path = "/api/v1/admin/displays", operation_id = "add_display", request_body = AddedDisplay,
    responses(
        (status = 200, body = Token),
        (status = 400, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
pub(crate) async fn add_display(
    State(app): State<App>,
    asker: Asker,
    Sent(given): Sent<AddedDisplay>,
) -> Result<Json<Token>, WebError> {
    app.signs_in()?;
    let order = order(&asker, &given.reason)?;
    let (accounts, name) = (app.parts().accounts.clone(), given.name);
    let token = blocking(move || accounts.add_display(&name, &order)).await?.map_err(refused)?;
    Ok(Json(Token { token }))
}

/// Revokes the token of a display: it shows nothing any more after some seconds.
#[utoipa::path(
    post, path = "/api/v1/admin/displays/{number}/revoke",
    params(("number" = i64, Path, description = "Display")), request_body = Revoking,
    responses((status = 204), (status = 400, body = ErrorView), (status = 409, body = ErrorView))
)]
pub(crate) async fn revoke_display(
    State(app): State<App>,
    Path(number): Path<String>,
    asker: Asker,
    Sent(given): Sent<Revoking>,
) -> Result<StatusCode, WebError> {
    app.signs_in()?;
    let order = order(&asker, &given.reason)?;
    let strange = |_| WebError::Parameter(format!("{:?} is no number", short(&number)));
    let (accounts, number) = (app.parts().accounts.clone(), number.parse().map_err(strange)?);
    blocking(move || accounts.revoke_display(number, &order)).await?.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who orders it, and why.
fn order(asker: &Asker, reason: &str) -> Result<Order, WebError> {
    Ok(Order { by: asker.actor(""), reason: text("reason", reason, TEXT)? })
}

fn role(word: &str) -> Result<Role, WebError> {
    Role::from_word(word)
        .ok_or_else(|| WebError::unknown("role", word, &Role::ALL.map(Role::word).join(", ")))
}
