//! `POST …/batches`: batches opened and closed by a person, where the machine tells none of its own.

use axum::Json;
use axum::extract::{Path, State};
use domain::line::batch::hand::{Act, Entry, Order};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::written::{Written, optional, text};
use crate::web::error::{ErrorView, WebError};
use crate::web::{App, Asker};

/// Longest id of a batch.
const ID: usize = 40;
/// Longest name of a product with its strength.
const PRODUCT: usize = 120;

/// A batch to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    /// Its id, at most 40 characters.
    id: String,
    /// Product and strength.
    #[serde(default)]
    product: String,
    /// Who opens it; may be left out by who is signed in.
    #[serde(default)]
    by: String,
}

/// A batch to be closed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Closing {
    /// The batch that is meant. Without it, whichever is open.
    #[serde(default)]
    id: Option<String>,
    /// Who closes it; may be left out by who is signed in.
    #[serde(default)]
    by: String,
}

/// What was done, durable.
#[derive(Serialize, ToSchema)]
pub(super) struct DoneView {
    /// `opened` or `closed`.
    did: &'static str,
    /// The batch.
    id: String,
    /// Its start, UTC milliseconds.
    start_ms: i64,
    /// The reading up to which everything was counted before, UTC milliseconds.
    at_ms: i64,
}

/// Opens a batch at the next reading; one that is open ends there. Refused while the machine tells a batch of its own,
/// whose id always wins, while the counting station is not read, and for the id that is open already.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/batches", operation_id = "open_batch",
    params(("id" = String, Path, description = "Line")),
    request_body = Opening,
    responses(
        (status = 200, body = DoneView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
pub(super) async fn open(
    State(app): State<App>,
    Path(line): Path<String>,
    asker: Asker,
    Written(given): Written<Opening>,
) -> Result<Json<DoneView>, WebError> {
    let product = optional("product", &given.product, PRODUCT)?;
    let act = Act::Open { id: text("id", &given.id, ID)?.into(), product: product.into() };
    order(&app, &line, act, (&asker, &given.by)).await
}

/// Closes the open batch at the next reading. Refused where the machine tells a batch of its own, where none is open,
/// or another one than is meant.
#[utoipa::path(
    post, path = "/api/v1/lines/{id}/batches/close", operation_id = "close_batch",
    params(("id" = String, Path, description = "Line")),
    request_body = Closing,
    responses(
        (status = 200, body = DoneView),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 409, body = ErrorView)
    )
)]
pub(super) async fn close(
    State(app): State<App>,
    Path(line): Path<String>,
    asker: Asker,
    Written(given): Written<Closing>,
) -> Result<Json<DoneView>, WebError> {
    let id = given.id.map(|id| text("id", &id, ID)).transpose()?;
    order(&app, &line, Act::Close { id: id.map(Into::into) }, (&asker, &given.by)).await
}

async fn order(
    app: &App,
    line: &str,
    act: Act,
    (asker, by): (&Asker, &str),
) -> Result<Json<DoneView>, WebError> {
    let line = &app.line(line)?.config.id;
    let by = asker.named("by", by)?;
    let order = Order { act, by: by.name.as_str().into() };
    let answer = app.parts().desk.order(line, order, by).await.map_err(WebError::Store)?;
    let Entry { did, id, start_us, at_us, .. } =
        answer.map_err(|refusal| WebError::Conflict(refusal.to_string()))?;
    let (start_ms, at_ms) = (start_us / 1_000, at_us / 1_000);
    Ok(Json(DoneView { did: did.word(), id: id.to_string(), start_ms, at_ms }))
}
