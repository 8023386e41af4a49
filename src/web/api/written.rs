//! What people write: only where the service allows it, never from a page of somebody else, and in words.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::web::error::WebError;
use crate::web::{Shown, origin};

/// Longest name of a person.
pub(super) const NAME: usize = 80;
/// Longest reason, cause or action.
pub(super) const TEXT: usize = 1_000;

/// A text that says something, without control characters and not too long.
pub(super) fn text(name: &str, given: &str, longest: usize) -> Result<String, WebError> {
    let clean: String = given.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.trim();
    if clean.is_empty() {
        return Err(WebError::Parameter(format!("{name} is empty; say it in words")));
    }
    if clean.chars().count() > longest {
        return Err(WebError::Parameter(format!("{name} is longer than {longest} characters")));
    }
    Ok(clean.to_owned())
}

/// A text that may be left out: empty then.
pub(super) fn optional(name: &str, given: &str, longest: usize) -> Result<String, WebError> {
    match given.trim().is_empty() {
        true => Ok(String::new()),
        false => text(name, given, longest),
    }
}

/// The JSON body of a request that may write: only when the service allows it, and never from a page of somebody else.
pub(super) struct Written<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Shown> for Written<T> {
    type Rejection = WebError;

    async fn from_request(request: Request, shown: &Shown) -> Result<Written<T>, WebError> {
        if !shown.now().parts().writes {
            return Err(WebError::ReadOnly);
        }
        if origin::is_foreign(request.headers()) {
            return Err(WebError::Origin);
        }
        if !origin::is_json(request.headers()) {
            return Err(WebError::Parameter("the body must be application/json".to_owned()));
        }
        let refuse = |error: &dyn std::fmt::Display| WebError::Parameter(error.to_string());
        let body = Bytes::from_request(request, shown).await.map_err(|error| refuse(&error))?;
        serde_json::from_slice(&body).map(Written).map_err(|error| refuse(&error))
    }
}
