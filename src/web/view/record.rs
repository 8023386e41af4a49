//! What was kept: events and minutes.

use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, Minute, Tally};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CountView, ms, share};
use crate::config::LineConfig;
use crate::web::details;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventView {
    /// When, UTC milliseconds; for a span, its end.
    pub at_ms: i64,
    /// Where a span began, UTC milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    /// How long that lasted, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasted_ms: Option<i64>,
    /// Kind of event.
    pub kind: &'static str,
    /// The machine, where it belongs to one.
    pub station: Option<String>,
    /// The tag, where it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// What of that kind, in one word.
    pub word: String,
    /// Capsules that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<CountView>,
    /// The rest in one English sentence.
    pub detail: String,
    /// The same in Chinese; left out where there is none, and of what a report is the digest of.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail_zh: String,
}

impl EventView {
    /// The view of an event.
    pub fn of(event: &Event) -> EventView {
        EventView {
            at_ms: ms(event.at_us),
            from_ms: event.from_us.map(ms),
            lasted_ms: event.from_us.map(|from_us| ms(event.at_us - from_us)),
            kind: event.kind.word(),
            station: event.station.as_ref().map(|station| station.to_string()),
            tag: event.tag.as_ref().map(|tag| tag.to_string()),
            word: event.word.clone(),
            count: event.count.map(CountView::from),
            detail: details::in_english(&event.detail),
            // Nobody writes an alarm by hand: what is not known is the words of somebody else's program.
            detail_zh: match event.kind {
                EventKind::Alarm => details::chinese_or_log(&event.detail),
                _ => details::chinese(&event.detail),
            },
        }
    }

    /// The same with the plant's own name of a reason, which the maps have in both languages.
    pub fn named(self, config: &LineConfig) -> EventView {
        let reasons = config.devices.iter().flat_map(|device| device.map.stop_reasons.values());
        let mut known = reasons.filter(|title| *title.en == *self.detail);
        match known.next() {
            Some(title) if self.kind == "stop" => {
                EventView { detail_zh: title.zh.to_string(), ..self }
            }
            _ => self,
        }
    }
}

/// A stored minute.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MinuteView {
    /// Start, UTC milliseconds.
    pub start_ms: i64,
    /// Raised whenever the stored minute changed.
    pub rev: u32,
    /// Whether it is over.
    pub closed: bool,
    /// Share of its passed time that is known, percent, one decimal.
    pub known_percent: f64,
    /// Good capsules of the counting station.
    pub good: CountView,
    /// Rejects of the counting station.
    pub rejected: CountView,
    /// Milliseconds by class, in the order run, internal, external, planned, idle, unknown.
    pub time_ms: [i64; 6],
    /// Polls that brought readings.
    pub polls: u64,
    /// Polls that brought none.
    pub missed: u64,
    /// All counters of the line.
    pub tallies: Vec<TallyView>,
}

impl MinuteView {
    /// The view of a stored minute of a line.
    pub fn of(minute: &Minute, config: &LineConfig) -> MinuteView {
        let station = &config.output;
        MinuteView {
            start_ms: ms(minute.start_us),
            rev: minute.rev,
            closed: minute.closed,
            known_percent: share(minute.coverage()),
            good: minute.count(station, &Counted::Good).into(),
            rejected: minute.rejected(station).into(),
            time_ms: minute.time.0.map(ms),
            polls: minute.polls,
            missed: minute.missed,
            tallies: minute.tallies.iter().map(TallyView::of).collect(),
        }
    }
}

/// What one counter counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TallyView {
    /// Where.
    pub station: String,
    /// `infeed`, `good`, `reject`, `sample` or `void`.
    pub counted: &'static str,
    /// Reason of a reject.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How many.
    pub count: CountView,
}

impl TallyView {
    pub(crate) fn of(tally: &Tally) -> TallyView {
        TallyView {
            station: tally.station.to_string(),
            counted: tally.counted.word(),
            reason: tally.counted.reason().to_owned(),
            count: tally.count.into(),
        }
    }
}
