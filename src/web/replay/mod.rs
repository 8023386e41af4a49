//! The time machine: a line as the record holds it at a past moment, in the shape of the present.
//!
//! Everything comes from stored minutes, events, stops and periods. What the record does not hold (measured values, the
//! speed that the PLC said, the last seconds) is left out and shown as not known. A minute is the finest that is shown:
//! a moment within one stands for its start.

mod spent;
mod status;
#[cfg(test)]
mod tests;

use domain::line::chronicle::StopRecord;
use domain::line::event::{Event, EventKind};
use domain::line::layout::counted;
use domain::line::minute::{Minute, Tally};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::stop::Stop;
use domain::line::stop::revision::apply;
use domain::units::{Count, HOUR_US, MINUTE_US};

use super::History;
use super::error::WebError;
use super::i18n::Key;
use crate::config::LineConfig;
use crate::web::api::moment;

/// How far back events and stops are read at least: for links and states that were told long before.
const LOOK_BACK_US: i64 = 30 * HOUR_US;
/// How far back minutes are read at least: for the trend of the screen.
const COUNTED_US: i64 = 2 * HOUR_US;
/// Nothing stored in so long a time before a moment: that lies before the record.
const SEARCH_US: i64 = 31 * 24 * HOUR_US;

use spent::{Spent, Told};
pub(crate) use status::{charts_at, present_at};

/// Why a moment is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoReplay {
    /// What was written is no moment.
    Unreadable,
    /// It has not come yet.
    Future,
    /// Nothing is recorded of the time before it.
    Before,
    /// The page shows the present only.
    Here,
}

impl NoReplay {
    /// What is said of it on a page.
    pub(crate) fn key(self) -> Key {
        match self {
            NoReplay::Unreadable => Key::ReplayUnreadable,
            NoReplay::Future => Key::ReplayFuture,
            NoReplay::Before => Key::ReplayBefore,
            NoReplay::Here => Key::ReplayHere,
        }
    }

    /// What is said of it to a program.
    pub(crate) fn refusal(self) -> WebError {
        WebError::Parameter(format!("at: {}", self.key().en()))
    }
}

/// The moment that an address asks for, down to the minute, in UTC microseconds.
///
/// # Errors
/// Unreadable, or not past.
pub(crate) fn moment_of(text: &str, now_us: i64) -> Result<i64, NoReplay> {
    let at_us = moment("at", Some(text), now_us).map_err(|_| NoReplay::Unreadable)?;
    let at_us = at_us.div_euclid(MINUTE_US) * MINUTE_US;
    if at_us >= now_us { Err(NoReplay::Future) } else { Ok(at_us) }
}

/// What is stored of a line until a moment.
struct Past<'a> {
    config: &'a LineConfig,
    at_us: i64,
    /// Whole minutes of the time before, oldest first.
    minutes: Vec<Minute>,
    /// Events of the time before, oldest first.
    events: Vec<Event>,
    /// Stops that were going on in the time before.
    stops: Vec<Stop>,
    /// Clock hours of the shift.
    hours: Vec<Rollup>,
    /// Batches of the shift.
    batches: Vec<Rollup>,
}

impl Past<'_> {
    /// Reads it.
    fn read<'a>(
        history: &dyn History,
        config: &'a LineConfig,
        at_us: i64,
    ) -> Result<Past<'a>, String> {
        let line = &config.id;
        let shift_us = config.calendar.shift_at(at_us - 1).map_or(at_us, |shift| shift.start_us);
        let from_us = shift_us.min(at_us - LOOK_BACK_US);
        let counted_us = config.calendar.this_hour(shift_us).min(at_us - COUNTED_US);
        let mut minutes = history.minutes(line, counted_us, at_us)?;
        minutes.retain(|minute| minute.start_us + MINUTE_US <= at_us);
        let events = history.events(line, from_us, at_us + 1, &EventKind::ALL)?;
        let stops = history.stops(line, from_us, at_us + 1)?;
        let hours = history.rollups(line, PeriodKind::Hour, shift_us, at_us)?;
        let batches =
            history.rollups(line, PeriodKind::Batch, shift_us.min(at_us - 1), at_us + 1)?;
        Ok(Past {
            config,
            at_us,
            minutes,
            events: events.into_iter().map(|(_, event)| event).collect(),
            stops: cut(stops, at_us)?.stops,
            hours,
            batches,
        })
    }

    /// The batch that was open.
    fn batch(&self) -> Option<&Rollup> {
        let is_open = |batch: &&Rollup| {
            batch.start_us <= self.at_us && batch.end_us.is_none_or(|end_us| end_us > self.at_us)
        };
        self.batches.iter().rfind(is_open)
    }

    /// How the time of a span was spent.
    fn spent(&self, span: (i64, i64)) -> Spent {
        let Past { config, hours, batches, events, stops, .. } = self;
        Told { config, hours, batches, events, stops }.spent(self.minutes_in(span), span)
    }

    /// Minutes that begin in a span.
    fn minutes_in(&self, (from_us, to_us): (i64, i64)) -> impl Iterator<Item = &Minute> {
        self.minutes.iter().filter(move |minute| (from_us..to_us).contains(&minute.start_us))
    }

    /// What was counted for gaps in a span and is in no minute. A gap that a border of the span cuts may lie in it with
    /// all or with nothing; the best value is its part by time.
    fn gaps(&self, span: (i64, i64)) -> Vec<Tally> {
        gaps(self.config, &self.events, span)
    }
}

/// Gaps of a span, from their events.
pub(crate) fn gaps(
    config: &LineConfig,
    events: &[Event],
    (from_us, to_us): (i64, i64),
) -> Vec<Tally> {
    let gap = |event: &Event| {
        let (start_us, count) = (event.from_us?, event.count?);
        let station = event.station.clone()?;
        let inside_us = event.at_us.min(to_us) - start_us.max(from_us);
        if event.kind != EventKind::Count || inside_us <= 0 {
            return None;
        }
        let maps = config.devices.iter().map(|device| &device.map);
        let map = maps.clone().find(|map| map.station == station)?;
        let tag = map.tags.iter().find(|tag| Some(&tag.id) == event.tag.as_ref())?;
        let whole_us = (event.at_us - start_us).max(1);
        let count = match inside_us >= whole_us {
            true => count,
            false => {
                let best = u128::from(count.best()) * inside_us.unsigned_abs() as u128
                    / whole_us.unsigned_abs() as u128;
                Count::between(0, u64::try_from(best).unwrap_or(u64::MAX), count.high())
            }
        };
        Some(Tally { station, counted: counted(&tag.role), count })
    };
    events.iter().filter_map(gap).collect()
}

/// Stops as they stood at a moment: what came of them and what people said of them later is not known yet.
///
/// # Errors
/// What was said until then does not fit to the stops.
pub(crate) fn cut(mut record: StopRecord, at_us: i64) -> Result<StopRecord, String> {
    record.stops.retain(|stop| stop.from.utc_us < at_us);
    for stop in &mut record.stops {
        stop.to = stop.to.filter(|to| to.utc_us <= at_us);
    }
    record.revisions.retain(|revision| revision.at_us <= at_us);
    let applied = apply(&record.stops, &record.revisions);
    record.parts = applied.map_err(|(number, refusal)| format!("revision {number}: {refusal}"))?;
    Ok(record)
}

/// Periods as they stood at a moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Periods {
    /// Oldest first.
    pub(crate) rollups: Vec<Rollup>,
    /// Whether it is known of all how much of their planned time was set-up. If not, KPIs that rest on it are not known.
    pub(crate) setup_known: bool,
}

impl Periods {
    /// As they are stored.
    pub(crate) fn stored(rollups: Vec<Rollup>) -> Periods {
        Periods { rollups, setup_known: true }
    }
}

/// Hours of a span; `past` says that it ends at a past moment in the middle of one.
pub(crate) fn hours(
    history: &dyn History,
    config: &LineConfig,
    span: (i64, i64),
    past: bool,
) -> Result<Periods, String> {
    match past {
        true => periods_at(history, config, PeriodKind::Hour, span, span.1),
        false => history.rollups(&config.id, PeriodKind::Hour, span.0, span.1).map(Periods::stored),
    }
}

/// Periods of a span as they stood at a past moment; what went on then is made of its hours and minutes.
///
/// # Errors
/// Why the record could not be read.
pub(crate) fn periods_at(
    history: &dyn History,
    config: &LineConfig,
    kind: PeriodKind,
    (from_us, to_us): (i64, i64),
    at_us: i64,
) -> Result<Periods, String> {
    let line = &config.id;
    let mut setup_known = true;
    let mut periods = history.rollups(line, kind, from_us, to_us.min(at_us))?;
    periods.retain(|period| period.start_us < at_us);
    for one in &mut periods {
        if one.end_us.is_some_and(|end_us| end_us <= at_us) {
            continue;
        }
        let span = (one.start_us, at_us);
        let minutes = history.minutes(line, span.0, span.1)?;
        let whole = minutes.iter().filter(|minute| minute.start_us + MINUTE_US <= at_us);
        let kinds = [EventKind::Count, EventKind::State];
        let events = history.events(line, span.0.min(span.1 - LOOK_BACK_US), span.1 + 1, &kinds)?;
        let events: Vec<Event> = events.into_iter().map(|(_, event)| event).collect();
        let hours = history.rollups(line, PeriodKind::Hour, span.0, span.1)?;
        let batches = history.rollups(line, PeriodKind::Batch, span.0, span.1)?;
        let stops = cut(history.stops(line, span.0, span.1)?, at_us)?.stops;
        let (hours, batches, events, stops) = (&*hours, &*batches, &*events, &*stops);
        let spent = Told { config, hours, batches, events, stops }.spent(whole.clone(), span);
        setup_known &= spent.setup_known;
        *one = Rollup {
            end_us: one.end_us,
            closed: false,
            estimated: false,
            ..period(one, whole, gaps(config, events, span), &spent)
        };
    }
    Ok(Periods { rollups: periods, setup_known })
}

/// A period with the counts of its minutes and gaps.
fn period<'a>(
    of: &Rollup,
    minutes: impl Iterator<Item = &'a Minute>,
    gaps: Vec<Tally>,
    spent: &Spent,
) -> Rollup {
    let mut counts: Vec<Tally> = gaps.clone();
    counts.extend(minutes.flat_map(|minute| &minute.tallies).cloned());
    Rollup { spending: spent.spending, counts, gaps, ..of.clone() }
}
