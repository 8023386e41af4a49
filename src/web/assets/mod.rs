//! Scripts and styles inside the binary, each under the hash of its content.

use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::digest::hex;
use sha2::{Digest, Sha256};

use super::Routes;
use super::error::WebError;

/// Asked for under its hash, a file never changes and is kept for a year.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Asked for by name alone, it is compared at each load: modules import each other by name.
const COMPARE: &str = "no-cache";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file inside the binary.
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    kind: &'static str,
    pub(crate) bytes: &'static [u8],
    hash: LazyLock<String>,
}

macro_rules! asset {
    ($name:literal, $kind:expr) => {
        Asset {
            name: $name,
            kind: $kind,
            bytes: include_bytes!($name),
            hash: LazyLock::new(|| short_hash(&[include_bytes!($name)])),
        }
    };
}

/// All files.
pub(crate) static ASSETS: [Asset; 57] = [
    asset!("app.css", "text/css; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
    asset!("format.mjs", SCRIPT),
    asset!("shim.mjs", SCRIPT),
    asset!("live.mjs", SCRIPT),
    asset!("chart.mjs", SCRIPT),
    asset!("control.mjs", SCRIPT),
    asset!("shell.mjs", SCRIPT),
    asset!("state.mjs", SCRIPT),
    asset!("trend.mjs", SCRIPT),
    asset!("curve.mjs", SCRIPT),
    asset!("hours.mjs", SCRIPT),
    asset!("events.mjs", SCRIPT),
    asset!("display.mjs", SCRIPT),
    asset!("session.mjs", SCRIPT),
    asset!("login.mjs", SCRIPT),
    asset!("admin.mjs", SCRIPT),
    asset!("explain.css", "text/css; charset=utf-8"),
    asset!("explain.mjs", SCRIPT),
    asset!("overview.mjs", SCRIPT),
    asset!("spc.css", "text/css; charset=utf-8"),
    asset!("spc.mjs", SCRIPT),
    asset!("spc-panel.mjs", SCRIPT),
    asset!("spc-draw.mjs", SCRIPT),
    asset!("spc-files.mjs", SCRIPT),
    asset!("spc-histogram.mjs", SCRIPT),
    asset!("spc-strip.mjs", SCRIPT),
    asset!("spc-choices.mjs", SCRIPT),
    asset!("spc-explain.mjs", SCRIPT),
    asset!("spc-open.mjs", SCRIPT),
    asset!("pages.css", "text/css; charset=utf-8"),
    asset!("page.mjs", SCRIPT),
    asset!("stops.mjs", SCRIPT),
    asset!("timeline.mjs", SCRIPT),
    asset!("waterfall.mjs", SCRIPT),
    asset!("bores.mjs", SCRIPT),
    asset!("seconds.mjs", SCRIPT),
    asset!("trends.mjs", SCRIPT),
    asset!("grid.mjs", SCRIPT),
    asset!("diagnosis.mjs", SCRIPT),
    asset!("rejects.mjs", SCRIPT),
    asset!("reports.mjs", SCRIPT),
    asset!("report.css", "text/css; charset=utf-8"),
    asset!("report.mjs", SCRIPT),
    asset!("data.mjs", SCRIPT),
    asset!("reload.mjs", SCRIPT),
    asset!("sim.css", "text/css; charset=utf-8"),
    asset!("sim.mjs", SCRIPT),
    asset!("sim-draw.mjs", SCRIPT),
    asset!("batch.mjs", SCRIPT),
    asset!("line.mjs", SCRIPT),
    asset!("lines.mjs", SCRIPT),
    asset!("calls.mjs", SCRIPT),
    asset!("alerts.mjs", SCRIPT),
    asset!("keys.mjs", SCRIPT),
    asset!("wall.css", "text/css; charset=utf-8"),
    asset!("wall.mjs", SCRIPT),
];

/// Routes of this area.
pub(crate) fn routes() -> Routes {
    vec![("/assets/{name}", get(asset))]
}

/// Where to ask for a file so that it may be kept for ever.
pub(crate) fn href(name: &str) -> String {
    match find(name) {
        Some(asset) => format!("/assets/{name}?v={}", *asset.hash),
        None => format!("/assets/{name}"),
    }
}

/// A style as text, for a page that is kept as one file; nothing of that name is an empty text.
pub(crate) fn text(name: &str) -> &'static str {
    find(name).and_then(|asset| std::str::from_utf8(asset.bytes).ok()).unwrap_or_default()
}

/// One word for all files and the version together.
pub(crate) fn build() -> &'static str {
    static BUILD: LazyLock<String> = LazyLock::new(|| {
        let mut parts: Vec<&[u8]> = ASSETS.iter().map(|asset| asset.bytes).collect();
        parts.push(env!("CARGO_PKG_VERSION").as_bytes());
        short_hash(&parts)
    });
    &BUILD
}

async fn asset(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let asset = find(&name).ok_or(WebError::NotFound)?;
    let tag = format!("\"{}\"", *asset.hash);
    let by_hash = query.as_deref().and_then(|query| query.strip_prefix("v="));
    let keep = if by_hash == Some(asset.hash.as_str()) { FOR_EVER } else { COMPARE };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    // Compression makes a tag weak on its way; the content is the same.
    let is_known = known.is_some_and(|tags| {
        tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)
    });
    let labels = [(header::ETAG, tag), (header::CACHE_CONTROL, keep.to_owned())];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, labels).into_response());
    }
    Ok((labels, [(header::CONTENT_TYPE, asset.kind)], asset.bytes).into_response())
}

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The first 48 bits of a SHA-256, as hexadecimal.
fn short_hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hex(&hasher.finalize()[..6])
}
