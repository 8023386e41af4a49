//! `…/minutes.csv`: stored minutes as rows, and beside them what is known for gaps only as a whole.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::line::minute::{Minute, Tally};
use domain::line::output::Output;
use domain::line::rollup::PeriodKind;
use domain::line::state::TimeClass;
use domain::units::{HOUR_US, MINUTE_US};
use jiff::tz::TimeZone;
use serde::Deserialize;
use utoipa::IntoParams;

use super::count::{Pick, Whose};
use super::figures::Figure;
use super::{Explained, Facts, RowsView, reason_of, stations_of};
use crate::table::{Cell, Column, Kind};
use crate::web::App;
use crate::web::api::{AsOf, EVENTS_SPAN_US, Span, read};
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::pages::words::iso;
use crate::web::replay;
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
    /// Whose counters. Default: the counting stations together.
    station: Option<String>,
    /// Rejects of this reason only. Default: all.
    reason: Option<String>,
    /// `hour`, `shift` or `batch`: a last row with what the periods of that kind that begin in the span hold of gaps, which
    /// are in no minute.
    gaps: Option<String>,
}

/// Stored minutes that begin in a span, as a table for spreadsheets; at most a month in one request.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/minutes.csv",
    params(("id" = String, Path, description = "Line"), Span, RowsChoice, AsOf),
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
    Params(as_of): Params<AsOf>,
) -> Result<Response, WebError> {
    let line = app.line(&id)?;
    let (now_us, past) = as_of.resolve(app.present().now.utc_us)?;
    let span = span.resolve_from(now_us, HOUR_US, EVENTS_SPAN_US)?;
    let span = (span.0, if past { span.1.min(now_us) } else { span.1 });
    let kind = choice.gaps.as_deref().map(|word| {
        let unknown = || WebError::Parameter("gaps is hour, shift or batch".to_owned());
        PeriodKind::from_word(word).ok_or_else(unknown)
    });
    let kind = kind.transpose()?;
    let stations = stations_of(&line.config, choice.station.as_deref())?;
    let reason = reason_of(&line.config, &stations, choice.reason.as_deref())?;
    let config = line.config.clone();
    let stored = read(&app, move |history| {
        let minutes = history.minutes(&config.id, span.0, span.1)?;
        let of = |kind| match past {
            true => replay::periods_at(history, &config, kind, span, now_us).map(|at| at.rollups),
            false => history.rollups(&config.id, kind, span.0, span.1),
        };
        let periods = kind.map(of).transpose()?;
        Ok((minutes, periods))
    });
    let (minutes, periods) = stored.await?;
    let begun = periods.map(|periods| {
        let begins = |start_us: i64| (span.0..span.1).contains(&start_us);
        let begun = periods.into_iter().filter(|period| begins(period.start_us));
        begun.flat_map(|period| period.gaps).collect::<Vec<Tally>>()
    });
    let zone = &app.parts().zone;
    let whose = Whose { stations: &stations, reason: reason.as_ref() };
    let mut rows: Vec<Vec<Cell>> =
        minutes.iter().map(|minute| of_minute(minute, whose, zone)).collect();
    rows.extend(begun.map(|gaps| of_gaps(&gaps, whose, span, zone)));
    app.csv(line, "minutes", span.0, &columns(), rows)
}

fn columns() -> Vec<Column> {
    let texts = ["row", "start", "end", "station"].map(|name| Column::new(name, Kind::Text));
    let mut columns = Vec::from(texts);
    columns.push(Column::new("closed", Kind::Flag));
    columns.push(Column::new("known_percent", Kind::Real));
    for (_, name) in PICKS {
        let bound = |bound| Column::new(&format!("{name}{bound}"), Kind::Count);
        columns.extend(["", "_low", "_high"].map(bound));
    }
    let class = |class: TimeClass| Column::new(&format!("{}_us", class.word()), Kind::Number);
    columns.extend(TimeClass::ALL.map(class));
    columns.extend(["polls", "missed"].map(|name| Column::new(name, Kind::Count)));
    columns
}

fn of_minute(minute: &Minute, whose: Whose, zone: &TimeZone) -> Vec<Cell> {
    let mut cells =
        begin("minute", (minute.start_us, minute.start_us + MINUTE_US), whose.stations, zone);
    cells.extend([Cell::Flag(minute.closed), Cell::Real(share(minute.coverage()))]);
    cells.extend(counts(whose, &minute.tallies));
    cells.extend(TimeClass::ALL.map(|class| Cell::Number(minute.time.of(class))));
    cells.extend([Cell::Count(minute.polls), Cell::Count(minute.missed)]);
    cells
}

fn of_gaps(gaps: &[Tally], whose: Whose, span: (i64, i64), zone: &TimeZone) -> Vec<Cell> {
    let mut cells = begin("gap", span, whose.stations, zone);
    cells.extend([Cell::Empty, Cell::Empty]);
    cells.extend(counts(whose, gaps));
    cells.resize(columns().len(), Cell::Empty);
    cells
}

fn begin(row: &str, (from, to): (i64, i64), stations: &Output, zone: &TimeZone) -> Vec<Cell> {
    let texts = [row.to_owned(), iso(zone, from), iso(zone, to), stations.to_string()];
    texts.map(Cell::Text).into()
}

fn counts(whose: Whose, tallies: &[Tally]) -> impl Iterator<Item = Cell> {
    PICKS.into_iter().flat_map(move |(pick, _)| {
        let n = pick.of(whose, tallies);
        [n.best(), n.low(), n.high()].map(Cell::Count)
    })
}

impl Facts {
    /// Where the rows are: those of the whole minutes, and of gaps.
    pub(super) fn rows(&self, value: Explained, figure: &Figure) -> RowsView {
        if let Some(stops) = self.stops_of(value) {
            return stops;
        }
        let going = self.minutes.iter().find(|minute| !minute.closed);
        let (from, end) = self.span;
        let to = going.map_or(end, |minute| minute.start_us).max(from + 1);
        let (from_ms, to_ms) =
            (from.div_euclid(1_000), to.div_euclid(1_000).max(from.div_euclid(1_000) + 1));
        let gaps = self.wanted.kind.word();
        let mut href = format!(
            "/api/v1/lines/{}/minutes.csv?from={from_ms}&to={to_ms}&gaps={gaps}",
            self.config.id
        );
        // Those that count together are the rows of a line that names none.
        if !self.wanted.stations.is_group() {
            href = format!("{href}&station={}", self.wanted.stations);
        }
        if self.wanted.past {
            href = format!("{href}&at={}", self.wanted.now_us.div_euclid(1_000));
        }
        if let Some(reason) = &self.wanted.reason {
            href = format!("{href}&reason={reason}");
        }
        let sum = if figure.exact { "exact" } else { "beside" };
        RowsView { href, from_ms, to_ms, exact: figure.exact, file: "minutes.csv", sum }
    }

    /// The stops that a time of stops is the sum of.
    fn stops_of(&self, value: Explained) -> Option<RowsView> {
        let (window, limit) = self.wanted.window.as_ref().zip(self.wanted.micro_s)?;
        let mut href = format!(
            "/api/v1/lines/{}/losses?window={}&micro_s={limit}&format=csv&table=stops",
            self.config.id,
            window.word()
        );
        if self.wanted.past {
            href = format!("{href}&at={}", self.wanted.now_us.div_euclid(1_000));
        }
        let (from_ms, to_ms) = (window.from_ms, window.to_ms);
        let (exact, file) = (true, "stops.csv");
        Some(RowsView { href, from_ms, to_ms, exact, file, sum: value.word() })
    }
}
