//! `format=csv`: what a route answers, as a file for a spreadsheet.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::table::{Cell, Column, sheet};
use crate::web::error::WebError;
use crate::web::pages::words::file_time;
use crate::web::{App, LineFeed};

/// In which form.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct Form {
    /// `json` (default), or `csv`: a table in UTF-8 with a byte order mark, times in UTC and as the plant's clocks show
    /// them.
    format: Option<String>,
}

impl Form {
    /// A form as named elsewhere than in a query.
    pub(in crate::web) fn of(format: Option<String>) -> Form {
        Form { format }
    }

    /// Whether a table is asked for.
    pub(in crate::web) fn is_csv(&self) -> Result<bool, WebError> {
        match self.format.as_deref() {
            None | Some("json") => Ok(false),
            Some("csv") => Ok(true),
            Some(other) => Err(WebError::unknown("format", other, "json or csv")),
        }
    }
}

impl App {
    /// A table as a file: `L1_minutes_20261124T0800.csv`.
    pub(in crate::web) fn csv(
        &self,
        line: &LineFeed,
        what: &str,
        from_us: i64,
        columns: &[Column],
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Result<Response, WebError> {
        self.file_of(line.config.id.as_str(), what, from_us, columns, rows)
    }

    /// The same of something else than a line.
    pub(in crate::web) fn file_of(
        &self,
        name: &str,
        what: &str,
        from_us: i64,
        columns: &[Column],
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Result<Response, WebError> {
        let text =
            sheet::whole(columns, rows).map_err(|error| WebError::Store(error.to_string()))?;
        let parts = self.parts();
        let from = file_time(&parts.zone, from_us);
        let sim = if parts.simulated { "_SIM" } else { "" };
        let file = format!("attachment; filename=\"{name}_{what}_{from}{sim}.csv\"");
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, file),
        ];
        Ok((headers, text).into_response())
    }
}
