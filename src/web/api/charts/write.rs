//! What people do to charts: propose limits, decide about them, work on incidents. The name of who is
//! signed in is kept, or one that is asked for where nobody signs in; nothing is written without one.

use axum::Json;
use axum::extract::State;
use domain::audit::Meaning;
use domain::quality::characteristic::Characteristic;
use domain::quality::limits::{Decision, Excluded, Limits, PROVISIONAL_FROM, Verdict, fit};
use domain::quality::record::{Work, WorkKind};
use domain::quality::subgroup::Subgroup;
use domain::quality::workbench::{By, replay};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::{LimitsView, ReplayView};
use super::{Data, SPAN_US, off_thread, record, version_of};
use crate::web::api::written::{TEXT, Written, text};
use crate::web::api::{QUALITY_SPAN_US, Span};
use crate::web::error::{ErrorView, Path, WebError};
use crate::web::{App, Asker};

/// Most subgroups that one proposal leaves out.
const EXCLUSIONS: usize = 100;

/// Limits to be kept as a proposal.
#[derive(Deserialize, ToSchema)]
pub(super) struct Proposal {
    /// Who proposes; may be left out by who is signed in.
    #[serde(default)]
    author: String,
    /// Why.
    reason: String,
    /// Start of the baseline: RFC 3339 or UTC milliseconds. Default: 30 hours before the end.
    from: Option<String>,
    /// End of the baseline. Default: now.
    to: Option<String>,
    /// Subgroups to leave out, each with its assignable cause.
    #[serde(default)]
    exclude: Vec<Exclude>,
}

/// A subgroup to leave out.
#[derive(Deserialize, ToSchema)]
pub(super) struct Exclude {
    /// Its start, UTC milliseconds.
    t: i64,
    /// The assignable cause.
    reason: String,
}

/// A proposal as kept, and what it would change.
#[derive(Serialize, ToSchema)]
pub(super) struct Proposed {
    limits: LimitsView,
    replay: ReplayView,
}

/// A decision about proposed limits.
#[derive(Deserialize, ToSchema)]
pub(super) struct Verdicted {
    /// `approved` or `rejected`.
    verdict: String,
    /// Who decides: for an approval somebody else than the author. May be left out by who is signed in: no two accounts
    /// have one name, so that two names are two accounts.
    #[serde(default)]
    by: String,
    /// Why.
    reason: String,
    /// The password of who decides, where there are users: the decision is signed with it.
    #[serde(default)]
    password: Option<String>,
}

/// Something done about an incident.
#[derive(Deserialize, ToSchema)]
pub(super) struct Done {
    /// By whom; may be left out by who is signed in.
    #[serde(default)]
    author: String,
    /// `acknowledge`, `cause`, `action`, `owner` or `note`.
    kind: String,
    /// In words; may be empty for an acknowledgement.
    #[serde(default)]
    text: String,
}

/// Limits that the subgroups of a span give; none below 25 whole ones or without dispersion. Version 0 is a trial.
pub(super) fn limits_of(
    characteristic: &Characteristic,
    subgroups: &[Subgroup],
    span: (i64, i64),
    excluded: &[Excluded],
    version: u32,
) -> Option<Limits> {
    let fitted = fit(characteristic, subgroups, span, excluded);
    let enough = fitted.baseline.n_used >= PROVISIONAL_FROM;
    let limits = fitted.limits(characteristic).filter(|_| enough)?;
    Some(Limits { version, ..limits })
}

/// Keeps limits estimated from a baseline as a proposal, and tells what they would change. They judge nothing until
/// somebody else approves them.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/charts/{characteristic}/limits",
    params(("id" = String, Path), ("characteristic" = String, Path)), request_body = Proposal,
    responses(
        (status = 200, body = Proposed),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn propose(
    State(app): State<App>,
    Path((id, name)): Path<(String, String)>,
    asker: Asker,
    Written(proposal): Written<Proposal>,
) -> Result<Json<Proposed>, WebError> {
    let (line, characteristic) = app.characteristic(&id, &name)?;
    let now_us = app.present().now.utc_us;
    let span =
        Span::of(proposal.from, proposal.to).resolve_from(now_us, SPAN_US, QUALITY_SPAN_US)?;
    let by = asker.named("author", &proposal.author)?;
    let author = by.name.clone();
    let reason = text("reason", &proposal.reason, TEXT)?;
    if proposal.exclude.len() > EXCLUSIONS {
        let message = format!("more than {EXCLUSIONS} subgroups left out; choose another baseline");
        return Err(WebError::Parameter(message));
    }
    let excluded = |out: &Exclude| {
        let reason = text("the cause of a subgroup left out", &out.reason, TEXT)?;
        Ok(Excluded { start_us: out.t.saturating_mul(1_000), reason })
    };
    let excluded = proposal.exclude.iter().map(excluded).collect::<Result<Vec<_>, WebError>>()?;
    off_thread(&app, move |app| {
        let data = Data::read(app, &line, &characteristic, span)?;
        let versions = record(app).limits(&line, &characteristic.id).map_err(WebError::Store)?;
        let version = versions.iter().map(|limits| limits.version).max().unwrap_or(0) + 1;
        let made = limits_of(&characteristic, &data.subgroups, span, &excluded, version);
        let Some(made) = made else {
            let message = "the baseline has fewer than 25 whole subgroups or no variation; choose a longer one";
            return Err(WebError::Parameter(message.to_owned()));
        };
        if made.baseline.excluded.len() != excluded.len() {
            let message = "a subgroup left out is no whole subgroup of the baseline; use its start";
            return Err(WebError::Parameter(message.to_owned()));
        }
        let limits = Limits { author, reason, made_us: now_us, ..made };
        let found = replay(&characteristic, &data.subgroups, By::InForce(&versions), &limits);
        record(app).add_limits(&line, limits.clone(), &by).map_err(WebError::Store)?;
        Ok(Json(Proposed { limits: LimitsView::of(&limits), replay: ReplayView::of(&found) }))
    })
    .await
}

/// Approves or rejects proposed limits. Approved limits judge from now on; what was judged stays as it was.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/charts/{characteristic}/limits/{version}/decision",
    params(("id" = String, Path), ("characteristic" = String, Path), ("version" = u32, Path)),
    request_body = Verdicted,
    responses(
        (status = 200, body = LimitsView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn decide(
    State(app): State<App>,
    Path((id, name, version)): Path<(String, String, u32)>,
    asker: Asker,
    Written(verdict): Written<Verdicted>,
) -> Result<Json<LimitsView>, WebError> {
    let (line, characteristic) = app.characteristic(&id, &name)?;
    let (decided, meaning) = match verdict.verdict.as_str() {
        "approved" => (Verdict::Approved, Meaning::Approved),
        "rejected" => (Verdict::Rejected, Meaning::Rejected),
        _ => {
            return Err(WebError::Parameter("verdict must be approved or rejected".to_owned()));
        }
    };
    let by = asker.named("by", &verdict.by)?;
    let by = asker.signs(&app, by, (verdict.password.as_deref(), meaning)).await?;
    let decision = Decision {
        verdict: decided,
        by: by.name.clone(),
        reason: text("reason", &verdict.reason, TEXT)?,
        at_us: app.present().now.utc_us,
    };
    off_thread(&app, move |app| {
        let versions = record(app).limits(&line, &characteristic.id).map_err(WebError::Store)?;
        let limits = version_of(&versions, version)?;
        let decided =
            limits.decide(decision).map_err(|refusal| WebError::Parameter(refusal.to_string()))?;
        record(app).decide_limits(&line, decided.clone(), &by).map_err(WebError::Store)?;
        Ok(Json(LimitsView::of(&decided)))
    })
    .await
}

/// Keeps what a person did about an incident.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/incidents/{incident}/work",
    params(("id" = String, Path), ("incident" = i64, Path)), request_body = Done,
    responses(
        (status = 204),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn work(
    State(app): State<App>,
    Path((id, incident)): Path<(String, i64)>,
    asker: Asker,
    Written(done): Written<Done>,
) -> Result<axum::http::StatusCode, WebError> {
    let line = app.line(&id)?.config.id.clone();
    let kind = WorkKind::from_word(&done.kind).ok_or_else(|| {
        let known = WorkKind::ALL.map(WorkKind::word).join(", ");
        WebError::Parameter(format!("kind must be one of {known}"))
    })?;
    let words = match kind {
        WorkKind::Acknowledge if done.text.trim().is_empty() => String::new(),
        _ => text("text", &done.text, TEXT)?,
    };
    let by = asker.named("author", &done.author)?;
    let author = by.name.clone();
    let work = Work { at_us: app.present().now.utc_us, author, kind, text: words };
    off_thread(&app, move |app| {
        match record(app).add_work(&line, incident, work, &by).map_err(WebError::Store)? {
            true => Ok(axum::http::StatusCode::NO_CONTENT),
            false => Err(WebError::Parameter(format!("the line has no incident {incident}"))),
        }
    })
    .await
}
