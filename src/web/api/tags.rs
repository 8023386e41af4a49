//! `…/tags`: what was read of each tag last before a moment, as far as readings are kept.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::plc_map::{PlcMap, Tag};
use domain::reading::Quality;
use domain::units::{SECOND_US, StationId, TagId};
use serde::Serialize;
use utoipa::ToSchema;

use super::picked::SheetForm;
use super::tag::{TagView, quality, scaled};
use super::{AsOf, read, tables};
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::record::TagReading;

/// How far back a value is looked for: what was not read for so long is not what it was then.
const BACK_US: i64 = 60 * SECOND_US;

/// Tags of a line with their last readings before a moment.
#[derive(Serialize, ToSchema)]
pub(crate) struct TagsView {
    /// The moment, UTC milliseconds.
    at_ms: i64,
    /// How many seconds before it were looked through.
    back_s: i64,
    /// Whether any reading of that time is kept: they are given up long before counts are.
    kept: bool,
    /// The tags, in the order of the maps.
    tags: Vec<ReadTagView>,
}

/// A tag and what was read of it.
#[derive(Serialize, ToSchema)]
struct ReadTagView {
    /// The tag. What it has counted since is not of that moment and left out.
    #[serde(flatten)]
    tag: TagView,
    /// When it was read, UTC milliseconds; null where nothing is kept.
    read_ms: Option<i64>,
    /// The value as read, before scale and offset; null where nothing is kept, and of a text.
    raw: Option<f64>,
    /// The value with scale and offset; null where it was bad.
    value: Option<f64>,
    /// The value of a text.
    text: Option<String>,
    /// `good`, `uncertain` or `bad`; empty where nothing is kept.
    quality: &'static str,
}

/// What was read of each tag last before a moment. A value that was not read within a minute before is null.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/tags", params(("id" = String, Path, description = "Line"), AsOf, SheetForm),
    responses(
        (status = 200, content((TagsView = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn tags(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(as_of): Params<AsOf>,
    Params(form): Params<SheetForm>,
) -> Result<Response, WebError> {
    let (line, sheet) = (app.line(&id)?, form.sheet(tables::TAGS_THEN)?);
    let (at_us, _) = as_of.resolve(app.present().now.utc_us)?;
    let id = line.config.id.clone();
    let readings =
        read(&app, move |history| history.readings(&id, (at_us - BACK_US, at_us))).await?;
    let last: HashMap<(StationId, TagId), TagReading> = readings
        .into_iter()
        .map(|reading| ((reading.station.clone(), reading.tag.clone()), reading))
        .collect();
    let maps = line.config.devices.iter().map(|device| &device.map);
    let tags = maps.flat_map(|map| map.tags.iter().map(move |tag| (map, tag)));
    let of = |(map, tag): (&std::sync::Arc<PlcMap>, &Tag)| {
        ReadTagView::of(map, tag, last.get(&(map.station.clone(), tag.id.clone())))
    };
    let view = TagsView {
        at_ms: at_us / 1_000,
        back_s: BACK_US / SECOND_US,
        kept: !last.is_empty(),
        tags: tags.map(of).collect(),
    };
    match sheet {
        None => Ok(Json(view).into_response()),
        Some(sheet) => app.sheet(line, sheet, at_us, &view),
    }
}

impl ReadTagView {
    fn of(map: &PlcMap, tag: &Tag, reading: Option<&TagReading>) -> ReadTagView {
        let number = reading.and_then(|reading| reading.value.as_f64());
        let usable = reading.is_some_and(|reading| reading.quality != Quality::Bad);
        let text = match reading.map(|reading| &reading.value) {
            Some(domain::reading::Value::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        ReadTagView {
            tag: TagView::of(map, tag, None),
            read_ms: reading.map(|reading| reading.at_us.div_euclid(1_000)),
            raw: number,
            value: reading.and_then(|reading| scaled(tag, &reading.value)).filter(|_| usable),
            text: text.filter(|_| usable),
            quality: reading.map_or("", |reading| quality(reading.quality)),
        }
    }
}
