//! Reports that were made final, and what people said about the gaps in them.

use std::fmt;

use super::event::{Event, EventKind};
use super::rollup::PeriodKind;

/// A gap in the account of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapId {
    /// The event of this number.
    Event(i64),
    /// What was not recorded at all of the period that began then, UTC microseconds.
    Unrecorded(i64),
    /// No gap: what the period that began then leaves for who comes next. It is kept in the same way.
    Handover(i64),
}

impl GapId {
    /// Reads what [`GapId`] shows: `e17`, `u1795500000000000`, `h1795500000000000`.
    pub fn parse(text: &str) -> Option<GapId> {
        let (kind, number) = text.split_at_checked(1)?;
        let number = number.parse().ok()?;
        match kind {
            "e" => Some(GapId::Event(number)),
            "u" => Some(GapId::Unrecorded(number)),
            "h" => Some(GapId::Handover(number)),
            _ => None,
        }
    }
}

impl fmt::Display for GapId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GapId::Event(number) => write!(f, "e{number}"),
            GapId::Unrecorded(start_us) => write!(f, "u{start_us}"),
            GapId::Handover(start_us) => write!(f, "h{start_us}"),
        }
    }
}

/// Why a gap is there, as a person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapNote {
    /// Which gap.
    pub gap: GapId,
    /// When it was said, UTC microseconds.
    pub at_us: i64,
    /// Who said it.
    pub author: String,
    /// What was said.
    pub text: String,
}

/// A report that was made final. Its page is kept as it was and never changed; a later one is another version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalReport {
    /// Its number, given when it is stored.
    pub number: i64,
    /// Of a shift or of a batch.
    pub kind: PeriodKind,
    /// Start of the period, UTC microseconds.
    pub start_us: i64,
    /// From 1 for each period.
    pub version: u32,
    /// When it was made final, UTC microseconds.
    pub made_us: i64,
    /// Who made it final.
    pub author: String,
    /// Language of the page: `en`, `zh`, `both`.
    pub lang: String,
    /// SHA-256 of its figures, as hexadecimal.
    pub data_sha256: String,
    /// SHA-256 of its page, as hexadecimal.
    pub page_sha256: String,
}

/// Which events of a period are gaps that a person has to explain: counts in doubt, and connections that were lost. A
/// connection that is still lost counts as well as one that came back. `events` are in the order of time.
pub fn to_explain(events: &[(i64, Event)]) -> Vec<i64> {
    let comes_back = |from: usize, event: &Event| {
        events[from + 1..].iter().any(|(_, later)| {
            later.kind == EventKind::Link && later.word == "up" && later.station == event.station
        })
    };
    let is_one = |(i, (_, event)): &(usize, &(i64, Event))| match event.kind {
        EventKind::Count => is_in_doubt(event),
        EventKind::Link if event.word == "up" => event.from_us.is_some(),
        EventKind::Link => event.word == "down" && !comes_back(*i, event),
        _ => false,
    };
    events.iter().enumerate().filter(is_one).map(|(_, (number, _))| *number).collect()
}

/// Whether an event of the ledger stands for capsules that no reading saw: the first reading of all does not.
pub fn is_in_doubt(event: &Event) -> bool {
    event.word != "first" && event.count.is_some_and(|count| count.high() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Count, StationId};

    fn event(kind: EventKind, word: &'static str, station: &str, count: Option<Count>) -> Event {
        let from_us = (word == "up").then_some(3);
        Event {
            at_us: 5,
            from_us,
            kind,
            station: Some(StationId::new(station)),
            tag: None,
            word: word.into(),
            count,
            detail: String::new(),
        }
    }

    #[test]
    fn a_gap_is_named_so_that_it_can_be_found_again() {
        let us = 1_795_500_000_000_000;
        for gap in [GapId::Event(17), GapId::Event(-1), GapId::Unrecorded(us), GapId::Handover(us)]
        {
            assert_eq!(GapId::parse(&gap.to_string()), Some(gap));
        }
        for text in ["", "e", "x1", "e1.5", "u", "é1"] {
            assert_eq!(GapId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn counts_in_doubt_and_lost_connections_ask_for_a_word_and_nothing_else() {
        let gap = Some(Count::between(0, 40, 90));
        let events = [
            event(EventKind::Count, "gap", "CF01", gap),
            event(EventKind::Count, "first", "CF01", gap),
            event(EventKind::Count, "reset", "CF01", Some(Count::ZERO)),
            event(EventKind::Link, "down", "CF01", None),
            event(EventKind::Link, "up", "CF01", None),
            event(EventKind::Link, "down", "CF01", None),
            event(EventKind::Link, "up", "CW04", None),
            event(EventKind::Service, "started", "CF01", None),
            event(EventKind::Alarm, "source", "CF01", None),
        ];
        let numbered: Vec<(i64, Event)> = (1..).zip(events).collect();
        // The gap, the outage that ended, the outage that goes on, and the one of the other station.
        assert_eq!(to_explain(&numbered), [1, 5, 6, 7]);
    }
}
