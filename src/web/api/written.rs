//! What people write: only where the service allows it, never from a page of somebody else, and in words.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use serde::de::DeserializeOwned;

use crate::web::error::WebError;
use crate::web::{Shown, Via, Who, origin};

/// Longest name of a person.
pub(in crate::web) const NAME: usize = 80;
/// Longest reason, cause or action.
pub(in crate::web) const TEXT: usize = 1_000;

/// A text that says something, without control characters and not too long.
pub(in crate::web) fn text(name: &str, given: &str, longest: usize) -> Result<String, WebError> {
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
pub(in crate::web) fn optional(
    name: &str,
    given: &str,
    longest: usize,
) -> Result<String, WebError> {
    match given.trim().is_empty() {
        true => Ok(String::new()),
        false => text(name, given, longest),
    }
}

/// The JSON body of a request, never from a page of somebody else. Says nothing of who may send it.
pub(in crate::web) struct Sent<T>(pub(in crate::web) T);

/// The JSON body of a request that may write: only when the service allows it, and never from a page of somebody else.
/// Whether the role is enough was asked at the door.
pub(in crate::web) struct Written<T>(pub(in crate::web) T);

impl<T: DeserializeOwned> FromRequest<Shown> for Sent<T> {
    type Rejection = WebError;

    async fn from_request(request: Request, shown: &Shown) -> Result<Sent<T>, WebError> {
        if origin::is_foreign(request.headers()) {
            return Err(WebError::Origin);
        }
        if !origin::is_json(request.headers()) {
            return Err(WebError::Parameter("the body must be application/json".to_owned()));
        }
        let refuse = |error: &dyn std::fmt::Display| WebError::Parameter(error.to_string());
        let body = Bytes::from_request(request, shown).await.map_err(|error| refuse(&error))?;
        serde_json::from_slice(&body).map(Sent).map_err(|error| refuse(&error))
    }
}

impl<T: DeserializeOwned> FromRequest<Shown> for Written<T> {
    type Rejection = WebError;

    async fn from_request(request: Request, shown: &Shown) -> Result<Written<T>, WebError> {
        let (mut parts, body) = request.into_parts();
        let who = Who::from_request_parts(&mut parts, shown).await?;
        if who.via == Via::Open && !shown.now().parts().writes {
            return Err(WebError::ReadOnly);
        }
        let Sent(given) = Sent::from_request(Request::from_parts(parts, body), shown).await?;
        Ok(Written(given))
    }
}
