//! `…/minutes.csv`: stored minutes as rows, and beside them what is known for gaps only as a whole.

use std::fmt::Write;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::line::minute::{Minute, Tally, TimeSplit};
use domain::line::rollup::PeriodKind;
use domain::units::{HOUR_US, MINUTE_US, StationId};
use jiff::tz::TimeZone;
use serde::Deserialize;
use utoipa::IntoParams;

use super::count::Pick;
use super::figures::Figure;
use super::{Facts, RowsView, station_of};
use crate::web::App;
use crate::web::api::{EVENTS_SPAN_US, Span, read};
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::pages::words::{file_time, iso};
use crate::web::view::share;

/// Columns after time, kind and station: counters, each best, low and high.
const PICKS: [(Pick, &str); 4] = [
    (Pick::Good, "good"),
    (Pick::Rejected, "rejected"),
    (Pick::Infeed, "infeed"),
    (Pick::Samples, "samples"),
];

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RowsChoice {
    /// Whose counters. Default: the counting station.
    station: Option<String>,
    /// `hour`, `shift` or `batch`: a last row with what the periods of that kind that begin in the span hold of gaps, which
    /// are in no minute.
    gaps: Option<String>,
}

/// Stored minutes that begin in a span, as a table for spreadsheets; at most a month in one request.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/minutes.csv",
    params(("id" = String, Path, description = "Line"), Span, RowsChoice),
    responses(
        (status = 200, content_type = "text/csv", body = String),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(crate) async fn minutes_csv(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(choice): Params<RowsChoice>,
) -> Result<Response, WebError> {
    let config = &app.line(&id)?.config;
    let span = span.resolve_from(app.present().now.utc_us, HOUR_US, EVENTS_SPAN_US)?;
    let kind = choice.gaps.as_deref().map(|word| {
        let unknown = || WebError::Parameter("gaps is hour, shift or batch".to_owned());
        PeriodKind::from_word(word).ok_or_else(unknown)
    });
    let kind = kind.transpose()?;
    let station = station_of(config, choice.station.as_deref())?;
    let line = config.id.clone();
    let stored = read(&app, move |history| {
        let minutes = history.minutes(&line, span.0, span.1)?;
        let periods = kind.map(|kind| history.rollups(&line, kind, span.0, span.1)).transpose()?;
        Ok((minutes, periods))
    });
    let (minutes, periods) = stored.await?;
    let begun = periods.map(|periods| {
        let begins = |start_us: i64| (span.0..span.1).contains(&start_us);
        let begun = periods.into_iter().filter(|period| begins(period.start_us));
        begun.flat_map(|period| period.gaps).collect::<Vec<Tally>>()
    });
    let parts = app.parts();
    let text = table(&minutes, begun.as_deref(), &station, span, &parts.zone);
    let simulated = if parts.simulated { "_SIM" } else { "" };
    let name = format!("{}_minutes_{}{simulated}.csv", config.id, file_time(&parts.zone, span.0));
    let labels = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((labels, text).into_response())
}

/// The table. With a byte order mark, or a Chinese Excel takes it for GBK.
pub(super) fn table(
    minutes: &[Minute],
    gaps: Option<&[Tally]>,
    station: &StationId,
    span: (i64, i64),
    zone: &TimeZone,
) -> String {
    let mut text = String::from("\u{feff}row,start,end,station,closed,known_percent");
    for (_, name) in PICKS {
        let _ = write!(text, ",{name},{name}_low,{name}_high");
    }
    text.push_str(",run_us,internal_us,external_us,planned_us,idle_us,unknown_us,polls,missed\r\n");
    for minute in minutes {
        let times = (minute.start_us, minute.start_us + MINUTE_US);
        text.push_str(&begin("minute", times, station, zone));
        let _ = write!(text, ",{},{}", minute.closed, share(minute.coverage()));
        text.push_str(&counts(station, &minute.tallies));
        let TimeSplit(classes) = minute.time;
        classes.iter().chain(&[minute.polls as i64, minute.missed as i64]).for_each(|n| {
            let _ = write!(text, ",{n}");
        });
        text.push_str("\r\n");
    }
    if let Some(gaps) = gaps {
        let (start, counted) = (begin("gap", span, station, zone), counts(station, gaps));
        let _ = write!(text, "{start},,{counted},,,,,,,,\r\n");
    }
    text
}

fn begin(row: &str, (from, to): (i64, i64), station: &StationId, zone: &TimeZone) -> String {
    format!("{row},{},{},{}", iso(zone, from), iso(zone, to), cell(station.as_str()))
}

fn counts(station: &StationId, tallies: &[Tally]) -> String {
    let of = |(pick, _): (Pick, &str)| {
        let n = pick.of(station, tallies);
        format!(",{},{},{}", n.best(), n.low(), n.high())
    };
    PICKS.map(of).concat()
}

/// A cell after RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe.
fn cell(text: &str) -> String {
    let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    match text.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{mark}{}\"", text.replace('"', "\"\"")),
        false => format!("{mark}{text}"),
    }
}

impl Facts {
    /// Where the rows are: those of the whole minutes, and of gaps.
    pub(super) fn rows(&self, figure: &Figure) -> RowsView {
        let going = self.minutes.iter().find(|minute| !minute.closed);
        let (from, end) = self.span;
        let to = going.map_or(end, |minute| minute.start_us).max(from + 1);
        let (from_ms, to_ms) =
            (from.div_euclid(1_000), to.div_euclid(1_000).max(from.div_euclid(1_000) + 1));
        let gaps = self.wanted.kind.word();
        let href = format!(
            "/api/v1/lines/{}/minutes.csv?from={from_ms}&to={to_ms}&gaps={gaps}&station={}",
            self.config.id, self.wanted.station
        );
        RowsView { href, from_ms, to_ms, exact: figure.exact }
    }
}
