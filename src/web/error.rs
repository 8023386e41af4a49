//! What a failed request is told: a status, public words and a way out. The cause goes to the log only.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::Role;
use super::details;
use super::i18n::Key;

/// Seconds after which it is worth to try again where there are too many.
pub(super) const RETRY_AFTER_S: u32 = 10;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// No such page or route.
    #[error("there is nothing at this address")]
    NotFound,
    /// The route exists, but not for this method.
    #[error("this address does not take that method")]
    WrongMethod,
    /// No such line.
    #[error("there is no line {0:?}")]
    NoLine(String),
    /// No such counter, or none that was ever read.
    #[error("no counter {0:?} was ever read on this line")]
    NoCounter(String),
    /// No such chart.
    #[error("the line has no chart {0:?}")]
    NoChart(String),
    /// No such stop.
    #[error("the line has no stop {0:?}")]
    NoStop(String),
    /// No such call for help.
    #[error("the line has no call {0:?}")]
    NoCall(String),
    /// No such number.
    #[error("there is no number {asked:?} to explain; there are {known}")]
    NoValue {
        /// What was asked for.
        asked: String,
        /// What could have been.
        known: String,
    },
    /// No configuration of that hash was ever in force.
    #[error("no configuration {0:?} was ever in force")]
    NoConfiguration(String),
    /// It does not fit to how things stand.
    #[error("{0}")]
    Conflict(String),
    /// The configuration that was read again has so many mistakes.
    #[error("mistakes in the configuration: {0}")]
    Configuration(usize),
    /// The configuration that was read again could not be applied.
    #[error("the configuration could not be changed: {0}")]
    NotApplied(String),
    /// No such shift or batch.
    #[error("nothing is stored of that shift or batch")]
    NoPeriod,
    /// Nothing may be written here.
    #[error("this service only shows")]
    ReadOnly,
    /// A page of somebody else asks.
    #[error("another page asked for this")]
    Origin,
    /// Only who is known is answered here.
    #[error("nobody is signed in here")]
    SignIn,
    /// The role is not enough; the one that is.
    #[error("this needs the role {}", .0.word())]
    Role(Role),
    /// Somebody else set the password of the account.
    #[error("the password of this account was set by somebody else")]
    OwnPassword,
    /// Name, password or both are wrong, or the account cannot be used: always the same words.
    #[error("the name or the password is wrong, or the account is locked")]
    NoLogin,
    /// A parameter cannot be used. The text says which, and what would do.
    #[error("{0}")]
    Parameter(String),
    /// The `Host` header names somebody else: a page from elsewhere may be trying to reach this machine.
    #[error("this service does not answer under the name {0:?}")]
    Host(String),
    /// More requests than a screen has a reason for.
    #[error("this was asked more often than a screen has to")]
    TooOften,
    /// More live screens than the service carries.
    #[error("too many live screens are open")]
    Crowded,
    /// No answer within the time that one has.
    #[error("the answer took too long")]
    TooSlow,
    /// More connections than the service carries.
    #[error("too many connections are open")]
    Full,
    /// The historian could not read.
    #[error("the stored record could not be read")]
    Store(String),
}

/// A failed request, as JSON.
#[derive(Clone, Serialize, ToSchema)]
pub struct ErrorView {
    /// One word for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// The same in Chinese, where it is said at a screen.
    pub message_zh: String,
    /// What to do instead.
    pub hint: String,
    /// The same in Chinese.
    pub hint_zh: String,
}

/// As much of what was asked as an answer repeats.
pub(crate) fn short(asked: &str) -> String {
    asked.chars().take(40).collect()
}

impl WebError {
    /// A word that is none of those which are known.
    pub(crate) fn unknown(what: &str, word: &str, known: &str) -> WebError {
        WebError::Parameter(format!("there is no {what} {:?}; use {known}", short(word)))
    }

    /// What the answer says.
    pub(crate) fn view(&self) -> ErrorView {
        let message = self.to_string();
        let message_zh = details::chinese(&message);
        let code = self.code();
        let hint_zh = Key::of(&format!("way.{code}")).map_or("", Key::zh).into();
        ErrorView { code, message, message_zh, hint: self.hint().into(), hint_zh }
    }

    fn status(&self) -> StatusCode {
        match self {
            WebError::NotFound
            | WebError::NoPeriod
            | WebError::NoStop(_)
            | WebError::NoConfiguration(_)
            | WebError::NoCall(_)
            | WebError::NoLine(_)
            | WebError::NoValue { .. }
            | WebError::NoCounter(_)
            | WebError::NoChart(_) => StatusCode::NOT_FOUND,
            WebError::ReadOnly | WebError::Origin | WebError::Role(_) | WebError::OwnPassword => {
                StatusCode::FORBIDDEN
            }
            WebError::SignIn | WebError::NoLogin => StatusCode::UNAUTHORIZED,
            WebError::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            WebError::Parameter(_) => StatusCode::BAD_REQUEST,
            WebError::Conflict(_) => StatusCode::CONFLICT,
            WebError::Host(_) => StatusCode::MISDIRECTED_REQUEST,
            WebError::Configuration(_) => StatusCode::UNPROCESSABLE_ENTITY,
            WebError::TooOften => StatusCode::TOO_MANY_REQUESTS,
            WebError::Crowded | WebError::Full | WebError::NotApplied(_) | WebError::TooSlow => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            WebError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            WebError::NotFound => "not_found",
            WebError::WrongMethod => "wrong_method",
            WebError::NoLine(_) => "no_line",
            WebError::NoCounter(_) => "no_counter",
            WebError::NoChart(_) => "no_chart",
            WebError::NoStop(_) => "no_stop",
            WebError::NoCall(_) => "no_call",
            WebError::NoValue { .. } => "no_value",
            WebError::Conflict(_) => "conflict",
            WebError::Configuration(_) => "configuration",
            WebError::NotApplied(_) => "not_applied",
            WebError::NoConfiguration(_) => "no_configuration",
            WebError::NoPeriod => "no_period",
            WebError::ReadOnly => "read_only",
            WebError::Origin => "origin",
            WebError::SignIn => "sign_in",
            WebError::Role(_) => "role",
            WebError::OwnPassword => "own_password",
            WebError::NoLogin => "no_login",
            WebError::Parameter(_) => "parameter",
            WebError::Host(_) => "host",
            WebError::TooOften => "too_often",
            WebError::Crowded => "crowded",
            WebError::TooSlow => "too_slow",
            WebError::Full => "full",
            WebError::Store(_) => "store",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            WebError::NotFound => {
                "the overview is at /, all routes are listed at /api/openapi.json"
            }
            WebError::WrongMethod => "all routes and their methods are listed at /api/openapi.json",
            WebError::NoLine(_) => "the lines of this service are listed at /api/v1/lines",
            WebError::NoCounter(_) => "the counters are tags of the maps, such as CF01.Samples",
            WebError::NoChart(_) => {
                "the charts of a line are listed at /api/v1/lines/{id}/characteristics"
            }
            WebError::NoValue { .. } => "ask for one of the list",
            WebError::NoConfiguration(_) => "they are listed at /api/v1/configurations",
            WebError::NoStop(_) => "the stops of a line are listed at /api/v1/lines/{id}/stops",
            WebError::NoCall(_) => "the calls of a line are listed at /api/v1/lines/{id}/calls",
            WebError::Conflict(_) => "nothing was changed",
            WebError::Configuration(_) => {
                "the old one goes on; put right what is listed, and read it again"
            }
            WebError::NotApplied(_) => {
                "the old one goes on; put right what is named, and read it again"
            }
            WebError::NoPeriod => "the shifts and batches with a report are listed at /reports",
            WebError::ReadOnly => {
                "open it at the machine itself, or set writes = true in [web] of the configuration"
            }
            WebError::Origin => "open the page of this service and do it there",
            WebError::SignIn => {
                "sign in at /login, or send the token of a display as Authorization: Bearer"
            }
            WebError::Role(_) => "an administrator gives roles at /admin",
            WebError::OwnPassword => "choose one of your own at /account",
            WebError::NoLogin => {
                "try again; after five wrong passwords an account is locked for 15 minutes"
            }
            WebError::Parameter(_) => "parameters are described at /api/openapi.json",
            WebError::Host(_) => {
                "open it as localhost or by its address, for instance http://127.0.0.1:8080/"
            }
            WebError::TooOften => "wait some seconds",
            WebError::Crowded => {
                "close screens that nobody looks at, or read /api/v1/lines/{id}/snapshot instead"
            }
            WebError::TooSlow => "try again in a moment, or ask for a shorter span",
            WebError::Full => {
                "close what nobody needs; connections and connections_per_address in [web] are the limits"
            }
            WebError::Store(_) => {
                "try again in a moment; if it stays, the log of the service has the cause"
            }
        }
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        if let WebError::Store(cause) = &self {
            tracing::error!(cause, "the stored record could not be read for a request");
        }
        let view = self.view();
        let mut response = (self.status(), Json(view.clone())).into_response();
        // For a person at a browser, who gets a page of it.
        response.extensions_mut().insert(view);
        if matches!(self, WebError::Crowded | WebError::Full | WebError::TooOften) {
            let after = HeaderValue::from(RETRY_AFTER_S);
            response.headers_mut().insert(header::RETRY_AFTER, after);
        }
        response
    }
}

/// What the reader of an address says, in words of ours: `limit: invalid digit found in string` behind them.
fn in_plain_words(text: &str) -> String {
    text.replacen(
        "Failed to deserialize query string",
        "a parameter of the address cannot be read",
        1,
    )
}

/// The query of a request, refused in our own words when it does not fit.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Params<T>, WebError> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Params(params)),
            Err(refused) => Err(WebError::Parameter(in_plain_words(&refused.body_text()))),
        }
    }
}

/// The blanks of a path, refused in our own words when they do not fit.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>, WebError> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(blanks)) => Ok(Path(blanks)),
            Err(refused) => Err(WebError::Parameter(refused.body_text())),
        }
    }
}
