//! What a screen missed: the id of an event says up to when it has seen, and event `missed` tells from there to now.

use std::fmt;

use domain::line::event::EventKind;
use domain::line::stop::revision::Part;
use domain::units::{HOUR_US, LineId, SECOND_US};
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::LineConfig;
use crate::web::api::{SeriesView, StopPartView, read};
use crate::web::view::EventView;
use crate::web::{App, History, LineFeed};

/// What is told again goes back this far: an hour, as the trend of the overview does.
const BACK_US: i64 = HOUR_US;
/// Seconds are told from so much earlier: one is stored a little after it is over, and may still change then.
const SETTLES_US: i64 = 15 * SECOND_US;
/// Most events that are told, the newest of them. How many there were is told too.
const EVENTS: usize = 50;
/// Largest number of an event: a browser counts exactly up to here.
const MOST: u64 = (1 << 53) - 1;

/// Id of an event: its number in the stream, and the moment that the screen has seen the line at, `57-1795507200250`.
/// A bare number is an id too: of a stream that has shown nothing yet, and of services before this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EventId {
    /// Number of the event in the stream.
    pub(super) seq: u64,
    /// What was seen, UTC milliseconds.
    pub(super) seen_ms: Option<i64>,
}

impl EventId {
    /// As a browser gives it back; none of what we never gave out.
    pub(super) fn parse(text: &str) -> Option<EventId> {
        let (seq, seen) = match text.split_once('-') {
            Some((seq, seen)) => (seq, Some(seen)),
            None => (text, None),
        };
        let seq = seq.parse::<u64>().ok().filter(|seq| *seq < MOST)?;
        let seen_ms = match seen {
            Some(seen) => Some(seen.parse::<i64>().ok().filter(|ms| *ms >= 0)?),
            None => None,
        };
        Some(EventId { seq, seen_ms })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.seen_ms {
            Some(ms) => write!(f, "{}-{ms}", self.seq),
            None => write!(f, "{}", self.seq),
        }
    }
}

/// Event `missed`: what happened between the last event that a screen heard and now, out of the record. It comes first,
/// and only on a stream that goes on after an id with a moment.
#[derive(Serialize, ToSchema)]
pub(crate) struct MissedView {
    /// Up to when the screen had seen the line, UTC milliseconds.
    from_ms: i64,
    /// Up to when it is told here, UTC milliseconds.
    to_ms: i64,
    /// Whether all of that is told. It is not where the screen was away for more than an hour, of which then the last is
    /// told, or where the record could not be read: history is to be asked for anew.
    whole: bool,
    /// What was made, in points as long as `step` says, from 15 seconds earlier on, because seconds may still change a
    /// little after they are over; null where no step was asked for.
    series: Option<SeriesView>,
    /// Stops that began or ended, as people see them, oldest first.
    stops: Vec<StopPartView>,
    /// What happened, oldest first: the newest 50.
    events: Vec<EventView>,
    /// How much happened in all.
    n_events: usize,
}

impl MissedView {
    /// Up to when it is told here, UTC milliseconds.
    pub(super) fn to_ms(&self) -> i64 {
        self.to_ms
    }
}

impl App {
    /// What a screen missed since `seen_ms`; none where that is not past.
    pub(super) async fn missed(
        &self,
        line: &LineFeed,
        seen_ms: i64,
        step_us: Option<i64>,
    ) -> Option<MissedView> {
        let to_us = self.present().now.utc_us;
        let seen_us = seen_ms.saturating_mul(1_000);
        if seen_us >= to_us {
            return None;
        }
        let from_us = seen_us.max(to_us - BACK_US);
        let config = line.config.clone();
        let told =
            read(self, move |history| told(history, &config, (from_us, to_us), step_us)).await;
        let span = |whole| (from_us / 1_000, to_us / 1_000, whole);
        Some(match told {
            Ok(told) => told.over(span(from_us == seen_us)),
            Err(error) => {
                tracing::warn!(%error, "what a screen missed could not be read");
                Told::default().over(span(false))
            }
        })
    }
}

/// What the record has of a span.
#[derive(Default)]
struct Told {
    series: Option<SeriesView>,
    stops: Vec<StopPartView>,
    events: Vec<EventView>,
    n_events: usize,
}

impl Told {
    fn over(self, (from_ms, to_ms, whole): (i64, i64, bool)) -> MissedView {
        let Told { series, stops, events, n_events } = self;
        MissedView { from_ms, to_ms, whole, series, stops, events, n_events }
    }
}

fn told(
    history: &dyn History,
    config: &LineConfig,
    (from_us, to_us): (i64, i64),
    step_us: Option<i64>,
) -> Result<Told, String> {
    let line: &LineId = &config.id;
    let series = step_us.map(|step_us| {
        // From the start of a point, or the first one would be a part of one.
        let first_us = (from_us - SETTLES_US).div_euclid(step_us) * step_us;
        SeriesView::read(history, line, &config.output, (first_us, to_us), step_us)
    });
    let turned = |part: &&Part| {
        let inside = |us: i64| (from_us..to_us).contains(&us);
        inside(part.from.utc_us) || part.to.is_some_and(|to| inside(to.utc_us))
    };
    let parts = history.stops(line, from_us, to_us)?.parts;
    let events = history.events(line, from_us, to_us, &EventKind::ALL)?;
    let newest = events.iter().skip(events.len().saturating_sub(EVENTS));
    Ok(Told {
        series: series.transpose()?,
        stops: parts.iter().filter(turned).map(StopPartView::of).collect(),
        n_events: events.len(),
        events: newest.map(|(_, event)| EventView::of(event).named(config)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_a_bare_number_is_one_too() {
        let id = |seq, seen_ms| Some(EventId { seq, seen_ms });
        let moment = 1_795_507_200_250;
        for (text, read) in [
            ("57-1795507200250", id(57, Some(moment))),
            ("41", id(41, None)),
            ("0-0", id(0, Some(0))),
            ("", None),
            ("-", None),
            ("57-", None),
            ("-5", None),
            ("57--1795507200250", None),
            ("57-1795507200250-1", None),
            ("57-99999999999999999999", None),
            // One more of it would be no number that a browser knows.
            ("9007199254740991", None),
            ("18446744073709551615-1", None),
        ] {
            assert_eq!(EventId::parse(text), read, "{text}");
            if let Some(read) = read {
                assert_eq!(read.to_string(), text);
            }
        }
    }
}
