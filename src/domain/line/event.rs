//! What happened on a line and is worth a row: everything but the ordinary step of a counter.

use crate::units::{Count, StationId, TagId};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in UTC microseconds; for a span, its end.
    pub at_us: i64,
    /// Where a span began, in UTC microseconds: the last sample before a gap, the start of a stop.
    pub from_us: Option<i64>,
    /// What kind of thing.
    pub kind: EventKind,
    /// The machine, where it belongs to one.
    pub station: Option<StationId>,
    /// The tag, where it belongs to one.
    pub tag: Option<TagId>,
    /// What of that kind, in one word: the cause of a count, the new state, `up` or `down` of a link, the batch.
    pub word: String,
    /// Capsules that the event stands for.
    pub count: Option<Count>,
    /// The rest in one English sentence: hypotheses of a count, the former state, the reason of a miss.
    pub detail: String,
}

/// Kinds of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// The ledger booked something else than an ordinary step: wrap, reset, preset, gap, torn, …
    Count,
    /// A machine changed its state.
    State,
    /// A stop of the line ended; `from_us` to `at_us` is its span.
    Stop,
    /// A device was lost or came back.
    Link,
    /// The batch changed.
    Batch,
    /// This service started or stopped.
    Service,
    /// The wall clock stepped against the boot clock.
    Clock,
    /// Something that a person should look at.
    Alarm,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [EventKind; 8] = [
        EventKind::Count,
        EventKind::State,
        EventKind::Stop,
        EventKind::Link,
        EventKind::Batch,
        EventKind::Service,
        EventKind::Clock,
        EventKind::Alarm,
    ];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            EventKind::Count => "count",
            EventKind::State => "state",
            EventKind::Stop => "stop",
            EventKind::Link => "link",
            EventKind::Batch => "batch",
            EventKind::Service => "service",
            EventKind::Clock => "clock",
            EventKind::Alarm => "alarm",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}
