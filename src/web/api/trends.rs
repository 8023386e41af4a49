//! `…/trends`: the course of up to three tags side by side. Counters as capsules a minute, from the ledger; measured values
//! from their readings, as far as these are kept.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::line::layout::counted;
use domain::line::minute::{Counted, Minute};
use domain::line::output::{Output, Stations};
use domain::line::second::Seconds;
use domain::line::trend::TagTrend;
use domain::plc_map::{PlcMap, Tag};
use domain::reading::Quality;
use domain::units::{Count, HOUR_US, MINUTE_US, SECOND_US};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::reading::last;
use super::series::{Step, step_us};
use super::table::Form;
use super::tag::{reason, role, scaled, trend};
use super::{Span, read};
use crate::table::{Cell, Column, Kind, local};
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::view::share;
use crate::web::{App, History, LineFeed, TrendOf};

/// Tags of one answer: more cannot be compared by eye, and each is read anew.
const TAGS: usize = 3;

/// Longest span of one answer: its readings are read one by one.
const SPAN_US: i64 = 8 * HOUR_US;

/// After so long a silence, and some polls, a device counts as silent; real time.
const PATIENCE_US: i64 = 2 * SECOND_US;

/// Which tags.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TrendTags {
    /// Up to three tags, separated by commas: counters and measured values; an unknown one is answered with the list.
    tags: String,
}

/// Courses of some tags in points of equal length.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrendsView {
    /// Start of the first point, UTC milliseconds.
    from_ms: i64,
    /// End of the span, UTC milliseconds.
    to_ms: i64,
    /// Length of a point, milliseconds.
    step_ms: i64,
    /// The tags in the order in which they were asked for.
    tags: Vec<TagTrendView>,
}

/// The course of a tag. Lists have one entry for each point.
#[derive(Serialize, ToSchema)]
struct TagTrendView {
    /// The machine.
    station: String,
    /// Tag.
    tag: String,
    /// What it means to the line.
    role: &'static str,
    /// Reason, of a reject counter.
    reason: String,
    /// `rate`: what a counter counted, per minute of the time in which it was read; `value`: a measured value.
    kind: &'static str,
    /// Unit.
    unit: String,
    /// Whether any reading of the span is kept: they are given up long before counts are.
    kept: bool,
    /// Starts, UTC milliseconds.
    start_ms: Vec<i64>,
    /// Mean over the time in which it was read, or best supported rate; null where it was not read, and of a rate where it
    /// was read less than half of the point or its counts are no longer kept.
    best: Vec<Option<f64>>,
    /// Least value read, or the least that the rate can be.
    low: Vec<Option<f64>>,
    /// Greatest value read, or the most that the rate can be.
    high: Vec<Option<f64>>,
    /// Share of the point in which it was read, percent.
    known_percent: Vec<f64>,
    /// Spells of a second and more in which it was not read: start and end, UTC milliseconds.
    gaps_ms: Vec<[i64; 2]>,
}

/// A tag that was asked for.
struct Asked<'a> {
    map: &'a PlcMap,
    tag: &'a Tag,
    kind: &'static str,
}

/// Courses of up to three tags: what counters of that meaning counted at that machine as capsules a minute, and measured
/// values with mean, least and greatest value of each point. At most 8 hours in one request.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/trends",
    params(("id" = String, Path, description = "Line"), TrendTags, Span, Step, Form),
    responses(
        (status = 200, content((TrendsView = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn trends(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(given): Params<TrendTags>,
    Params(span): Params<Span>,
    Params(step): Params<Step>,
    Params(form): Params<Form>,
) -> Result<Response, WebError> {
    let line = app.line(&id)?;
    let asked = asked(line, &given.tags)?;
    let (as_csv, least_us) = (form.is_csv()?, step.us()?);
    let (from_us, to_us) = span.resolve(app.present().now.utc_us, i64::MAX)?;
    if to_us - from_us > SPAN_US {
        let message = "trends are of 8 hours at most; ask for parts of the span";
        return Err(WebError::Parameter(message.to_owned()));
    }
    let wish_us = step_us(to_us - from_us).max(least_us);
    let of: Vec<TrendOf> = asked.iter().map(|asked| of(&app, line, asked)).collect();
    let counters: Vec<Option<(Output, Counted)>> = asked.iter().map(Asked::counter).collect();
    let name = line.config.id.clone();
    let stored = read(&app, move |history| {
        let ledger = Ledger::read(history, &name, (from_us, to_us), wish_us, &counters)?;
        // The first point is a whole one, as those of the ledger are.
        let step_us = ledger.step_us;
        let span = (from_us.div_euclid(step_us) * step_us, to_us);
        let trends = history.trends(&name, &of, span, step_us)?;
        Ok((span, trends, ledger))
    });
    let (span, trends, Ledger { step_us, told_us, counts }) = stored.await?;
    let courses = asked.iter().zip(trends.iter().zip(&counts));
    let tags = courses.map(|(asked, (trend, counts))| {
        TagTrendView::of(
            asked,
            trend,
            counts.as_ref().map(|steps| (steps, told_us)),
            (span.1, step_us),
        )
    });
    let view = TrendsView {
        from_ms: span.0 / 1_000,
        to_ms: span.1.div_euclid(1_000),
        step_ms: step_us / 1_000,
        tags: tags.collect(),
    };
    if !as_csv {
        return Ok(Json(view).into_response());
    }
    let zone = &app.parts().zone;
    let rows = view.tags.iter().flat_map(|tag| tag.rows(view.step_ms, zone));
    app.csv(line, "trends", span.0, &columns(), rows)
}

/// The tags of that list, each once.
fn asked<'a>(line: &'a LineFeed, given: &str) -> Result<Vec<Asked<'a>>, WebError> {
    let maps = line.config.devices.iter().map(|device| &device.map);
    let known = maps.flat_map(|map| {
        let of = |tag: &'a Tag| trend(tag).map(|kind| Asked { map, tag, kind });
        map.tags.iter().filter_map(of)
    });
    let known: Vec<Asked<'a>> = known.collect();
    let mut asked: Vec<Asked<'a>> = Vec::new();
    for name in given.split(',') {
        let found = known.iter().find(|known| known.tag.id.as_str() == name);
        let Some(Asked { map, tag, kind }) = found else {
            let known: Vec<&str> = known.iter().map(|known| known.tag.id.as_str()).collect();
            return Err(WebError::unknown("tag", name, &known.join(", ")));
        };
        if asked.iter().all(|asked| asked.tag.id != tag.id) {
            asked.push(Asked { map, tag, kind });
        }
    }
    if asked.len() > TAGS {
        let message = format!("{} tags are too many; {TAGS} can be compared", asked.len());
        return Err(WebError::Parameter(message));
    }
    Ok(asked)
}

impl Asked<'_> {
    /// What it counts and where, of a counter.
    fn counter(&self) -> Option<(Output, Counted)> {
        let station = Output::one(self.map.station.clone());
        self.tag.counter.is_some().then(|| (station, counted(&self.tag.role)))
    }
}

/// What the record is asked for.
fn of(app: &App, line: &LineFeed, asked: &Asked) -> TrendOf {
    let Asked { map, tag, .. } = asked;
    let period_us = map.groups.get(usize::from(tag.group)).map_or(SECOND_US, |g| g.period_us);
    let told = || {
        let present = app.present();
        let status = line.current(&present);
        let last = last(status.as_deref(), map, &tag.id)?;
        let value = scaled(tag, &last.value).filter(|_| last.quality != Quality::Bad)?;
        Some((last.at.utc_us, value))
    };
    let slowed = |us: i64| (us as f64 * app.parts().clock.speed().max(1.0)) as i64;
    TrendOf {
        station: map.station.clone(),
        tag: tag.id.clone(),
        group: tag.group,
        rhythm_us: (slowed(period_us), slowed(PATIENCE_US)),
        scale: tag.scale,
        offset: tag.offset,
        // What a counter stands at is not asked, only whether it was read; its ledger has the counts.
        held: if tag.counter.is_some() { Some((i64::MIN, 0.0)) } else { told() },
    }
}

/// What was counted, by the start of the step in UTC microseconds.
type Steps = BTreeMap<i64, Count>;

/// Counts of counters step by step.
struct Ledger {
    step_us: i64,
    /// Up to when it tells, UTC microseconds: what is counted at this moment is written down a little later.
    told_us: i64,
    counts: Vec<Option<Steps>>,
}

impl Ledger {
    /// Seconds where they are kept and wanted, else minutes.
    fn read(
        history: &dyn History,
        line: &domain::units::LineId,
        (from_us, to_us): (i64, i64),
        step_us: i64,
        counters: &[Option<(Output, Counted)>],
    ) -> Result<Ledger, String> {
        if counters.iter().all(Option::is_none) {
            return Ok(Ledger { step_us, told_us: to_us, counts: vec![None; counters.len()] });
        }
        let first_us = from_us.div_euclid(MINUTE_US) * MINUTE_US;
        if step_us < MINUTE_US {
            let blocks = history.seconds(line, first_us, to_us)?;
            if !blocks.is_empty() {
                let of = |which: &(Output, Counted)| of_seconds(&blocks, which, step_us);
                let counts = counters.iter().map(|which| which.as_ref().map(of)).collect();
                let told_us = blocks.iter().map(told_by_seconds).max().unwrap_or(to_us);
                return Ok(Ledger { step_us, told_us, counts });
            }
        }
        let step_us = step_us.max(MINUTE_US);
        let minutes = history.minutes(line, first_us.div_euclid(step_us) * step_us, to_us)?;
        let of = |which: &(Output, Counted)| of_minutes(&minutes, which, step_us);
        let counts = counters.iter().map(|which| which.as_ref().map(of)).collect();
        let told = |minute: &Minute| match minute.closed {
            true => minute.start_us + MINUTE_US,
            false => minute.start_us + minute.time.total(),
        };
        let told_us = minutes.iter().map(told).max().unwrap_or(to_us);
        Ok(Ledger { step_us, told_us, counts })
    }
}

/// Up to when the seconds of a minute tell.
fn told_by_seconds(block: &Seconds) -> i64 {
    let spells = block.spells.iter().map(|spell| spell.offset_us + spell.us);
    block.start_us + if block.closed { MINUTE_US } else { spells.max().unwrap_or(0) }
}

fn of_seconds(blocks: &[Seconds], (station, counted): &(Output, Counted), step_us: i64) -> Steps {
    let picks = |s: &domain::units::StationId, c: &Counted| station.has(s) && c == counted;
    let parts = blocks.iter().flat_map(|block| {
        let seconds = (0i64..).zip(block.counts(picks));
        seconds.map(|(second, count)| (block.start_us + second * SECOND_US, count))
    });
    by_step(parts, step_us)
}

fn of_minutes(minutes: &[Minute], (station, counted): &(Output, Counted), step_us: i64) -> Steps {
    by_step(minutes.iter().map(|minute| (minute.start_us, minute.count(station, counted))), step_us)
}

fn by_step(parts: impl Iterator<Item = (i64, Count)>, step_us: i64) -> Steps {
    let mut steps = Steps::new();
    for (at_us, count) in parts {
        *steps.entry(at_us.div_euclid(step_us) * step_us).or_insert(Count::ZERO) += count;
    }
    steps
}

impl TagTrendView {
    /// `counts` are those of a counter, with up to when they tell; its rate is what was counted over the time in which it was
    /// read.
    fn of(
        asked: &Asked,
        trend: &TagTrend,
        counts: Option<(&Steps, i64)>,
        (to_us, step_us): (i64, i64),
    ) -> TagTrendView {
        let mut view = TagTrendView {
            station: asked.map.station.to_string(),
            tag: asked.tag.id.to_string(),
            role: role(&asked.tag.role),
            reason: reason(&asked.tag.role),
            kind: asked.kind,
            unit: asked.tag.unit.to_string(),
            kept: trend.was_heard(),
            start_ms: Vec::new(),
            best: Vec::new(),
            low: Vec::new(),
            high: Vec::new(),
            known_percent: Vec::new(),
            gaps_ms: Vec::new(),
        };
        let ms = |us: i64| us.div_euclid(1_000);
        view.gaps_ms = trend.gaps().into_iter().map(|(from, to)| [ms(from), ms(to)]).collect();
        for step in trend.steps() {
            let passed_us = step_us.min(to_us - step.start_us).max(1);
            view.start_ms.push(ms(step.start_us));
            view.known_percent.push(share(step.known_us as f64 / passed_us as f64));
            let bounds = match counts {
                None => [step.mean, step.low, step.high],
                Some((counts, told_us)) => {
                    // What goes on is read, and not all in the ledger yet: without this it would end in a fall to nothing.
                    let counted_us = (told_us - step.start_us).clamp(0, step.known_us);
                    // Where a reading begins it brings what was counted before it: over that short time it is no rate.
                    let is_read = counted_us * 2 >= passed_us;
                    // Readings may be kept for longer than seconds: what is not in the ledger is unknown, and not nothing.
                    let count = counts.get(&step.start_us).copied().filter(|_| is_read);
                    let rate = |n: u64| (n as f64 * 6e7 / counted_us as f64).round();
                    let bounds: [fn(Count) -> u64; 3] = [Count::best, Count::low, Count::high];
                    bounds.map(|bound| count.map(bound).map(rate))
                }
            };
            let [best, low, high] = bounds.map(|bound| bound.and_then(four_decimals));
            view.best.push(best);
            view.low.push(low);
            view.high.push(high);
        }
        view
    }

    fn rows(
        &self,
        step_ms: i64,
        zone: &jiff::tz::TimeZone,
    ) -> impl Iterator<Item = Vec<Cell>> + use<'_> {
        let zone = zone.clone();
        let real = |x: Option<f64>| x.map_or(Cell::Empty, Cell::Real);
        (0..self.start_ms.len()).map(move |i| {
            let start_us = self.start_ms[i] * 1_000;
            vec![
                Cell::Time(start_us),
                local(start_us, &zone),
                Cell::Number(step_ms),
                Cell::Text(self.station.clone()),
                Cell::Text(self.tag.clone()),
                Cell::Text(self.kind.to_owned()),
                Cell::Text(if self.kind == "rate" {
                    "1/min".to_owned()
                } else {
                    self.unit.clone()
                }),
                real(self.best[i]),
                real(self.low[i]),
                real(self.high[i]),
                Cell::Real(self.known_percent[i]),
            ]
        })
    }
}

fn columns() -> Vec<Column> {
    let columns = [
        ("utc", Kind::Time),
        ("local", Kind::Text),
        ("step_ms", Kind::Number),
        ("station", Kind::Text),
        ("tag", Kind::Text),
        ("kind", Kind::Text),
        ("unit", Kind::Text),
        ("best", Kind::Real),
        ("low", Kind::Real),
        ("high", Kind::Real),
        ("coverage_percent", Kind::Real),
    ];
    columns.map(|(name, kind)| Column::new(name, kind)).into()
}

/// A value as a screen shows it; what is no number is none.
fn four_decimals(x: f64) -> Option<f64> {
    x.is_finite().then(|| (x * 1e4).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use domain::reading::{Outcome, Snapshot};
    use domain::units::Moment;

    use super::*;
    use crate::web::fixture::kept;

    /// Readings are kept for longer than the counts of seconds.
    #[test]
    fn a_rate_whose_counts_are_no_longer_kept_is_unknown_and_not_nothing() {
        let config = kept::line();
        let map = &config.devices[0].map;
        let tag = map.tags.iter().find(|tag| tag.counter.is_some()).expect("a counter");
        let asked = Asked { map, tag, kind: "rate" };
        let mut trend =
            TagTrend::new((0, 30 * SECOND_US), 10 * SECOND_US, (SECOND_US, 0), Some(0.0));
        for second in 0..=30 {
            let at_us = second * SECOND_US;
            let taken_at = Moment { utc_us: at_us, mono_us: at_us };
            let outcome = Outcome::Taken(Vec::new());
            trend.take(
                &Snapshot { device: 0, group: 0, taken_at, round_trip_us: 0, polls: 1, outcome },
                0,
                |raw| raw,
            );
        }
        // Of the second step the ledger says that nothing was counted, of the first it says nothing.
        let counts =
            Steps::from([(10 * SECOND_US, Count::ZERO), (20 * SECOND_US, Count::exact(1_000))]);
        let (to_us, step_us) = (30 * SECOND_US, 10 * SECOND_US);
        let view = TagTrendView::of(&asked, &trend, Some((&counts, to_us)), (to_us, step_us));
        assert_eq!(view.best, [None, Some(0.0), Some(6_000.0)]);
        assert_eq!((&view.low, &view.high), (&view.best, &view.best));
        assert_eq!(view.known_percent, [100.0; 3], "it was read all the time");
    }
}
