//! What people write: only where the service allows it, never from a page of somebody else, and in words.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;

use crate::web::Shown;
use crate::web::error::WebError;

/// Longest name of a person.
pub(super) const NAME: usize = 80;
/// Longest reason, cause or action.
pub(super) const TEXT: usize = 1_000;

/// A text that says something, without control characters and not too long.
pub(super) fn text(name: &str, given: &str, longest: usize) -> Result<String, WebError> {
    let clean: String =
        given.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let clean = clean.trim();
    if clean.is_empty() {
        return Err(WebError::Parameter(format!("{name} is empty; say it in words")));
    }
    if clean.chars().count() > longest {
        return Err(WebError::Parameter(format!("{name} is longer than {longest} characters")));
    }
    Ok(clean.to_owned())
}

/// The JSON body of a request that may write: only when the service allows it, and never from a page of somebody else.
pub(super) struct Written<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Shown> for Written<T> {
    type Rejection = WebError;

    async fn from_request(request: Request, shown: &Shown) -> Result<Written<T>, WebError> {
        if !shown.now().parts().writes {
            return Err(WebError::ReadOnly);
        }
        let headers = request.headers();
        let named = |name| headers.get(name).and_then(|value| value.to_str().ok());
        // A browser names the page that asks; programs do not.
        let foreign = headers.get(header::ORIGIN).is_some_and(|_| {
            let host = named(header::ORIGIN).and_then(|origin| origin.split_once("://"));
            host.map(|(_, host)| host) != named(header::HOST)
        });
        if foreign {
            return Err(WebError::Origin);
        }
        // A form of another page cannot send this type, so that it never gets here without asking first.
        let json = named(header::CONTENT_TYPE).is_some_and(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json")
        });
        if !json {
            return Err(WebError::Parameter("the body must be application/json".to_owned()));
        }
        let refuse = |error: &dyn std::fmt::Display| WebError::Parameter(error.to_string());
        let body = Bytes::from_request(request, shown).await.map_err(|error| refuse(&error))?;
        serde_json::from_slice(&body).map(Written).map_err(|error| refuse(&error))
    }
}
