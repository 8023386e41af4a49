//! Whether a request comes from a page of ours.

use axum::http::{HeaderMap, HeaderName, header};

fn named(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a browser says that the page which asks is of somebody else. Programs name no page.
pub(crate) fn is_foreign(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) && !is_ours(headers)
}

/// Whether a browser says that the page which asks is ours.
pub(crate) fn is_ours(headers: &HeaderMap) -> bool {
    let page = named(headers, header::ORIGIN).and_then(|origin| origin.split_once("://"));
    let page = page.map(|(_, host)| host);
    page.is_some() && page == named(headers, header::HOST)
}

/// Whether the body is JSON. A form of another page cannot send this type, so that it never gets here without asking
/// first.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = named(headers, header::CONTENT_TYPE).and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim() == "application/json")
}
