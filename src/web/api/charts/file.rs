//! `format=csv` of a chart: its points, its weights, and the tables of the panels beside it.

use axum::Json;
use axum::response::{IntoResponse, Response};

use super::view::WorkbenchView;
use crate::web::App;
use crate::web::api::tables;
use crate::web::error::WebError;

/// Tables whose columns depend on the chart; those of [`tables::CHART`] do not.
const OWN: [&str; 2] = ["chart", "weights"];

/// Names of all tables of a chart, the first is what is meant without a name.
pub(super) fn names() -> Vec<&'static str> {
    OWN.into_iter().chain(tables::CHART.iter().map(|sheet| sheet.name)).collect()
}

/// The answer, or the table of it that is asked for.
pub(super) fn answer(
    app: &App,
    line: &str,
    characteristic: &str,
    from_us: i64,
    view: WorkbenchView,
    table: Option<&str>,
) -> Result<Response, WebError> {
    let Some(table) = table else { return Ok(Json(view).into_response()) };
    let name = format!("{line}_{}", characteristic.replace('.', "-"));
    if let Some(sheet) = tables::CHART.iter().find(|sheet| sheet.name == table) {
        return app.sheet_of(&name, sheet, from_us, &view);
    }
    let made = match table {
        "weights" => view.weights_file(),
        _ => view.chart_file(&app.parts().zone),
    };
    let (columns, rows) = made.finish();
    app.file_of(&name, table, from_us, &columns, rows)
}
