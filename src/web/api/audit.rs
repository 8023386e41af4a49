//! `/api/v1/audit`: the audit trail, searched and as a file; `/api/v1/configurations`: what was in force and when. The door
//! lets administrators and quality in where there are users.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::audit::{ConfigurationUse, Entry, Filter, Looked, What};
use domain::digest::sha256;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::moment;
use crate::table::trail as trail_table;
use crate::web::error::{ErrorView, Params, Path, WebError, short};
use crate::web::{App, blocking};

/// Entries of one answer and of one page.
pub(crate) const PAGE: usize = 100;
/// Entries of one file.
const FILE: usize = 100_000;

/// What is looked for.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// Part of what was done to, of old and new value, reason or address.
    pub(crate) text: Option<String>,
    /// Part of an account or a name.
    pub(crate) who: Option<String>,
    /// What was done, such as `limits_approved`.
    pub(crate) what: Option<String>,
    /// Start, inclusive: RFC 3339 or UTC milliseconds.
    pub(crate) from: Option<String>,
    /// End, exclusive: RFC 3339 or UTC milliseconds.
    pub(crate) to: Option<String>,
    /// Only entries before this number: for the page that follows.
    pub(crate) before: Option<i64>,
}

impl Search {
    /// As the record understands it. Blanks ask for nothing.
    pub(crate) fn filter(&self) -> Result<Filter, WebError> {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let at = |name: &str, text: &Option<String>| {
            said(text).map(|text| moment(name, Some(&text), 0)).transpose()
        };
        let what = said(&self.what).map(|word| {
            What::from_word(&word).ok_or_else(|| {
                let known: Vec<&str> = What::ALL.iter().map(|what| what.word()).collect();
                WebError::unknown("what", &word, &known.join(", "))
            })
        });
        Ok(Filter {
            before: self.before,
            from_us: at("from", &self.from)?,
            to_us: at("to", &self.to)?,
            what: what.transpose()?,
            who: said(&self.who),
            text: said(&self.text),
        })
    }
}

/// Entries of the audit trail, and how its chain stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditView {
    /// Newest first.
    entries: Vec<AuditEntryView>,
    /// What `before` asks for the entries that follow; none where there are no more.
    next: Option<i64>,
    /// How the chain stands.
    chain: AuditChainView,
}

/// How far the chain was looked through.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditChainView {
    /// The last entry that was looked at.
    number: i64,
    /// Its hash: who keeps it can prove all entries up to it.
    hash: String,
    /// When, UTC milliseconds.
    at_ms: i64,
    /// What is not as it was; empty for a sound chain.
    findings: Vec<String>,
}

/// An entry of the audit trail.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditEntryView {
    /// From 1, without a gap.
    number: i64,
    /// When, UTC microseconds: as it is in the hash.
    at_us: i64,
    /// The same by the clocks of the plant with their offset, as it is in the hash; in UTC where their zone was not known
    /// yet.
    local: String,
    /// Account; empty where there are no users, and for the service itself.
    account: String,
    /// Printed name, or what was typed where there are no users.
    name: String,
    /// The address that it came from.
    from_where: String,
    /// What was done, a word.
    what: String,
    /// To what.
    subject: String,
    /// What it was before.
    old: String,
    /// What it is since.
    new: String,
    /// Why.
    reason: String,
    /// Hash of the entry before.
    prev_hash: String,
    /// Hash of this one.
    hash: String,
}

impl From<Entry> for AuditEntryView {
    fn from(entry: Entry) -> AuditEntryView {
        AuditEntryView {
            number: entry.number,
            at_us: entry.at_us,
            local: entry.local,
            account: entry.account,
            name: entry.name,
            from_where: entry.from,
            what: entry.what,
            subject: entry.subject,
            old: entry.old,
            new: entry.new,
            reason: entry.reason,
            prev_hash: entry.prev_hash,
            hash: entry.hash,
        }
    }
}

impl From<Looked> for AuditChainView {
    fn from(looked: Looked) -> AuditChainView {
        AuditChainView {
            number: looked.head.number,
            hash: looked.head.hash,
            at_ms: looked.at_us / 1_000,
            findings: looked.findings.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Entries that fit and how the chain stands.
pub(crate) async fn found(
    app: &App,
    search: &Search,
    most: usize,
) -> Result<(Vec<Entry>, Looked), WebError> {
    let (filter, trail) = (search.filter()?, app.parts().trail.clone());
    blocking(move || Ok((trail.entries(&filter, most)?, trail.looked()?))).await
}

/// Entries of the audit trail that fit, newest first, at most 100 in one answer; and how its chain stands.
#[utoipa::path(
    get, path = "/api/v1/audit", params(Search),
    responses(
        (status = 200, body = AuditView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView)
    )
)]
pub(super) async fn audit(
    State(app): State<App>,
    Params(search): Params<Search>,
) -> Result<Json<AuditView>, WebError> {
    let (entries, looked) = found(&app, &search, PAGE).await?;
    let next = (entries.len() == PAGE).then(|| entries.last().map(|entry| entry.number)).flatten();
    let entries = entries.into_iter().map(AuditEntryView::from).collect();
    Ok(Json(AuditView { entries, next, chain: looked.into() }))
}

/// Entries of the audit trail that fit, newest first, as a table for spreadsheets; at most 100,000 in one file.
#[utoipa::path(
    get, path = "/api/v1/audit.csv", params(Search),
    responses(
        (status = 200, content_type = "text/csv", body = String),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView)
    )
)]
pub(super) async fn audit_csv(
    State(app): State<App>,
    Params(search): Params<Search>,
) -> Result<Response, WebError> {
    let (filter, trail) = (search.filter()?, app.parts().trail.clone());
    // Some ten megabytes of table: neither read nor written where others wait for their turn.
    let file = blocking(move || {
        let entries = trail.entries(&filter, FILE)?;
        let now_us = app.present().now.utc_us;
        let rows = entries.iter().map(trail_table::cells);
        Ok(app.file_of("capline", "audit", now_us, &trail_table::columns(), rows))
    });
    file.await?
}

/// A configuration that was in force.
#[derive(Serialize, ToSchema)]
pub(super) struct ConfigurationUseView {
    /// SHA-256 of the configuration and its maps.
    sha256: String,
    /// Since when, UTC milliseconds.
    from_ms: i64,
    /// Until when another one was taken; none for the one that is in force.
    until_ms: Option<i64>,
    /// Under which build.
    build: String,
}

/// The files of a configuration.
#[derive(Serialize, ToSchema)]
pub(super) struct ConfigurationView {
    /// SHA-256 of their texts, each with its length before it as eight bytes, the lowest first.
    sha256: String,
    /// The files, the configuration first.
    files: Vec<ConfigurationFileView>,
}

/// A file of a configuration.
#[derive(Serialize, ToSchema)]
struct ConfigurationFileView {
    /// Its name as it was read.
    name: String,
    /// SHA-256 of its text.
    sha256: String,
    /// Its text.
    text: String,
}

/// Which configuration was in force from when to when, newest first.
#[utoipa::path(
    get, path = "/api/v1/configurations",
    responses((status = 200, body = Vec<ConfigurationUseView>), (status = 403, body = ErrorView))
)]
pub(super) async fn configurations(
    State(app): State<App>,
) -> Result<Json<Vec<ConfigurationUseView>>, WebError> {
    let trail = app.parts().trail.clone();
    let uses = blocking(move || trail.configurations()).await?;
    let later = [None].into_iter().chain(uses.iter().map(|later| Some(later.from_us / 1_000)));
    let view = |(of, until_ms): (&ConfigurationUse, Option<i64>)| ConfigurationUseView {
        sha256: of.sha256.clone(),
        from_ms: of.from_us / 1_000,
        until_ms,
        build: of.build.clone(),
    };
    Ok(Json(uses.iter().zip(later).map(view).collect()))
}

/// The files of a configuration that was in force, as they were read. Secrets are never in them.
#[utoipa::path(
    get, path = "/api/v1/configurations/{sha256}", params(("sha256" = String, Path)),
    responses(
        (status = 200, body = ConfigurationView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn configuration(
    State(app): State<App>,
    Path(wanted): Path<String>,
) -> Result<Json<ConfigurationView>, WebError> {
    let (trail, asked) = (app.parts().trail.clone(), wanted.clone());
    let found = blocking(move || trail.configuration(&asked)).await?;
    let found = found.ok_or_else(|| WebError::NoConfiguration(short(&wanted)))?;
    let file = |(name, text): (String, String)| ConfigurationFileView {
        name,
        sha256: sha256(&text),
        text,
    };
    let files = found.files.into_iter().map(file).collect();
    Ok(Json(ConfigurationView { sha256: found.sha256, files }))
}
