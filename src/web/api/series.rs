//! `…/series`: what was made and how the time was spent, as fine as a screen can draw it.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::line::minute::{Counted, Minute, TimeSplit};
use domain::line::output::{Output, Stations};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::second::Seconds;
use domain::line::state::TimeClass;
use domain::units::{Count, HOUR_US, LineId, MINUTE_US, SECOND_US};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::table::Form;
use super::{EVENTS_SPAN_US, MINUTES_SPAN_US, Span, read};
use crate::table::{Cell, Column, Kind, local};
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::view::{CountView, share};
use crate::web::{App, History};

/// Most points of one answer: more than a screen has columns.
pub(super) const POINTS: i64 = 2_000;

/// Lengths of a point in seconds. Those below a minute divide a minute, the others an hour or are hours.
const STEPS_S: [i64; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800];

/// A span in points of equal length.
#[derive(Serialize, ToSchema)]
pub(crate) struct SeriesView {
    /// What the points are sums of: `second`, `minute` or `hour`. Counts of gaps are in hours only.
    of: &'static str,
    /// Length of a point, milliseconds.
    step_ms: i64,
    /// Points of which anything is recorded, oldest first; at most 2,000.
    points: Vec<SeriesPoint>,
}

/// How long a point is to be.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct Step {
    /// Shortest length of a point in seconds: 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900 or 1800. Default: what fits.
    pub(in crate::web) step: Option<i64>,
}

impl Step {
    /// In microseconds.
    pub(in crate::web) fn us(&self) -> Result<i64, WebError> {
        let Some(step) = self.step else { return Ok(SECOND_US) };
        if STEPS_S.contains(&step) {
            return Ok(step * SECOND_US);
        }
        let known = STEPS_S.map(|step| step.to_string()).join(", ");
        Err(WebError::unknown("step", &step.to_string(), &known))
    }
}

/// One point.
#[derive(Serialize, ToSchema)]
pub(crate) struct SeriesPoint {
    /// Start, UTC milliseconds.
    start_ms: i64,
    /// Good capsules of the counting stations together.
    good: CountView,
    /// Rejects of the counting stations together.
    rejected: CountView,
    /// Microseconds by class, in the order run, internal, external, planned, idle, unknown.
    time_us: [i64; 6],
    /// Good capsules a minute over the known time, whole; null without any.
    per_minute: Option<u64>,
    /// Share of the recorded time that is known, percent; null without any.
    known_percent: Option<f64>,
}

/// What is summed up in a point.
#[derive(Clone, Copy, Default)]
struct Sums {
    good: Count,
    rejected: Count,
    time: TimeSplit,
}

/// A span in at most 2,000 points: seconds where they are kept and fit, else minutes, beyond a week clock hours. What one
/// poll showed belongs to the second of its reading, so that between two seconds it may be one poll late; their sums are
/// exact.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/series",
    params(("id" = String, Path, description = "Line"), Span, Step, Form),
    responses(
        (status = 200, content((SeriesView = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn series(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(step): Params<Step>,
    Params(form): Params<Form>,
) -> Result<Response, WebError> {
    let line = app.line(&id)?;
    let (as_csv, least_us) = (form.is_csv()?, step.us()?);
    let span = span.resolve(app.present().now.utc_us, EVENTS_SPAN_US)?;
    let (id, output) = (line.config.id.clone(), line.config.output.clone());
    let view = read(&app, move |history| SeriesView::read(history, &id, &output, span, least_us));
    let view = view.await?;
    if !as_csv {
        return Ok(Json(view).into_response());
    }
    let zone = &app.parts().zone;
    let rows = view.points.iter().map(|point| point.cells(view.step_ms, zone));
    app.csv(line, "series", span.0, &SeriesPoint::columns(), rows)
}

/// The finest step of which no more than [`POINTS`] fit into a span.
pub(super) fn step_us(span_us: i64) -> i64 {
    let fits = |step_us: &i64| span_us.div_euclid(*step_us) < POINTS;
    STEPS_S.map(|s| s * SECOND_US).into_iter().find(fits).unwrap_or(HOUR_US)
}

impl SeriesView {
    /// What is recorded of a span, in points of at least this length.
    pub(in crate::web) fn read(
        history: &dyn History,
        line: &LineId,
        output: &Output,
        (from, to): (i64, i64),
        least_us: i64,
    ) -> Result<SeriesView, String> {
        let (span, step_us) = ((from, to), step_us(to - from).max(least_us));
        // The minute in which the span begins has a part in it too.
        let first = from.div_euclid(MINUTE_US) * MINUTE_US;
        if step_us < MINUTE_US {
            let seconds = history.seconds(line, first, to)?;
            if !seconds.is_empty() {
                return Ok(SeriesView::of("second", span, step_us, of_seconds(&seconds, output)));
            }
        }
        if to - from <= MINUTES_SPAN_US {
            let minutes = history.minutes(line, first, to)?;
            let step_us = step_us.max(MINUTE_US);
            return Ok(SeriesView::of("minute", span, step_us, of_minutes(&minutes, output)));
        }
        let hours = history.rollups(line, PeriodKind::Hour, from, to)?;
        Ok(SeriesView::of("hour", span, HOUR_US, of_hours(&hours, output)))
    }

    /// Adds up what lies in the span or across its start, step by step.
    fn of(
        of: &'static str,
        (from_us, to_us): (i64, i64),
        step_us: i64,
        parts: impl Iterator<Item = (i64, Sums)>,
    ) -> SeriesView {
        let mut points: Vec<(i64, Sums)> = Vec::new();
        // Hours of a zone need not be hours of UTC: they stand where they begin.
        let start = |us: i64| if step_us < HOUR_US { us.div_euclid(step_us) * step_us } else { us };
        // A minute or an hour in which the span begins has a part in it; of it there is only the whole.
        let whole_us = match of {
            "second" => SECOND_US,
            "minute" => MINUTE_US,
            _ => HOUR_US,
        };
        let inside = |us: i64| from_us - whole_us < us && us < to_us;
        for (at_us, sums) in parts.filter(|(us, _)| inside(*us)) {
            match points.last_mut() {
                Some((last, all)) if *last == start(at_us) => all.add(&sums),
                _ => points.push((start(at_us), sums)),
            }
        }
        let points = points.into_iter().map(|(start_us, sums)| SeriesPoint::of(start_us, &sums));
        SeriesView { of, step_ms: step_us / 1_000, points: points.collect() }
    }
}

impl SeriesPoint {
    fn of(start_us: i64, sums: &Sums) -> SeriesPoint {
        let total_us = sums.time.total();
        let known_us = total_us - sums.time.of(TimeClass::Unknown);
        SeriesPoint {
            start_ms: start_us / 1_000,
            good: sums.good.into(),
            rejected: sums.rejected.into(),
            time_us: sums.time.0,
            per_minute: (known_us > 0)
                .then(|| (sums.good.best() as f64 * 6e7 / known_us as f64).round() as u64),
            known_percent: (total_us > 0).then(|| share(known_us as f64 / total_us as f64)),
        }
    }
}

impl SeriesPoint {
    fn columns() -> Vec<Column> {
        let mut columns = vec![
            Column::new("utc", Kind::Time),
            Column::new("local", Kind::Text),
            Column::new("step_ms", Kind::Number),
            Column::new("coverage_percent", Kind::Real),
        ];
        let class = |class: TimeClass| Column::new(&format!("{}_us", class.word()), Kind::Number);
        columns.extend(TimeClass::ALL.map(class));
        for counted in ["good", "rejected"] {
            let bound = |bound| Column::new(&format!("{counted}{bound}_capsules"), Kind::Count);
            columns.extend(["", "_low", "_high"].map(bound));
        }
        columns
    }

    fn cells(&self, step_ms: i64, zone: &TimeZone) -> Vec<Cell> {
        let start_us = self.start_ms * 1_000;
        let mut cells = vec![
            Cell::Time(start_us),
            local(start_us, zone),
            Cell::Number(step_ms),
            self.known_percent.map_or(Cell::Empty, Cell::Real),
        ];
        cells.extend(self.time_us.map(Cell::Number));
        for count in [&self.good, &self.rejected] {
            cells.extend([count.best, count.low, count.high].map(Cell::Count));
        }
        cells
    }
}

impl Sums {
    fn add(&mut self, other: &Sums) {
        self.good += other.good;
        self.rejected += other.rejected;
        self.time.merge(&other.time);
    }

    fn is_nothing(&self) -> bool {
        self.time.total() == 0 && self.good.is_zero() && self.rejected.is_zero()
    }
}

fn of_seconds<'a>(
    blocks: &'a [Seconds],
    output: &'a Output,
) -> impl Iterator<Item = (i64, Sums)> + 'a {
    blocks.iter().flat_map(move |block| {
        let good = block.counts(|s, counted| output.has(s) && *counted == Counted::Good);
        let rejected = block.counts(|s, c| output.has(s) && matches!(c, Counted::Reject(_)));
        let seconds = block.time().into_iter().zip(good).zip(rejected).zip(0..);
        let second = move |(((time, good), rejected), n): (_, i64)| {
            (block.start_us + n * SECOND_US, Sums { good, rejected, time })
        };
        seconds.map(second).filter(|(_, sums)| !sums.is_nothing())
    })
}

fn of_minutes<'a>(
    minutes: &'a [Minute],
    output: &'a Output,
) -> impl Iterator<Item = (i64, Sums)> + 'a {
    minutes.iter().map(move |minute| {
        let good = minute.count(output, &Counted::Good);
        let sums = Sums { good, rejected: minute.rejected(output), time: minute.time };
        (minute.start_us, sums)
    })
}

fn of_hours<'a>(hours: &'a [Rollup], output: &'a Output) -> impl Iterator<Item = (i64, Sums)> + 'a {
    hours.iter().map(move |hour| {
        let good = hour.count(output, &Counted::Good);
        let sums = Sums { good, rejected: hour.rejected(output), time: hour.spending.time };
        (hour.start_us, sums)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_span_has_more_than_two_thousand_points() {
        for span_us in [1, SECOND_US, 2_000 * SECOND_US, HOUR_US, 17 * HOUR_US, 7 * 24 * HOUR_US] {
            let step_us = step_us(span_us);
            assert!(span_us / step_us < POINTS, "{span_us} in steps of {step_us}");
        }
        assert_eq!(step_us(1_999 * SECOND_US), SECOND_US);
        assert_eq!(step_us(2_000 * SECOND_US), 2 * SECOND_US);
        assert_eq!(step_us(31 * 24 * HOUR_US), 1_800 * SECOND_US);
    }

    #[test]
    fn a_step_is_one_of_those_that_are_known() {
        let step = |step| Step { step }.us();
        assert!(matches!(step(None), Ok(SECOND_US)));
        assert!(matches!(step(Some(10)), Ok(us) if us == 10 * SECOND_US));
        for wrong in [0, 7, -10, i64::MAX] {
            assert!(step(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_point_is_the_sum_of_what_begins_in_it() {
        let sums = |n: u64| Sums { good: Count::exact(n), ..Sums::default() };
        let parts = [(0, 1), (9, 2), (10, 4), (11, 8), (19, 16), (20, 32)];
        let parts = parts.map(|(second, n)| (second * SECOND_US, sums(n)));
        let span = (9 * SECOND_US, 20 * SECOND_US);
        let view = SeriesView::of("second", span, 5 * SECOND_US, parts.into_iter());
        let points: Vec<_> = view.points.iter().map(|p| (p.start_ms, p.good.best)).collect();
        assert_eq!(points, [(5_000, 2), (10_000, 12), (15_000, 16)]);
    }
}
