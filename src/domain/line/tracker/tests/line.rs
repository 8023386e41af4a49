//! A line of given maps, and what one poll of its first machine brings.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::script::moment;
use crate::line::calendar::Calendar;
use crate::line::tracker::LineModel;
use crate::plc_map::PlcMap;
use crate::reading::{Outcome, Quality, Reading, Snapshot, Value};
use crate::units::LineId;

/// A line of machines with these maps, of which the first counts.
pub(super) fn line_of(maps: &[&str]) -> LineModel {
    let map = |text: &&str| {
        Arc::new(PlcMap::parse("case", text).unwrap_or_else(|problems| panic!("{problems:?}")))
    };
    LineModel {
        id: LineId::new("L1"),
        stations: maps.iter().map(map).collect(),
        counting: 0..1,
        target_per_minute: 6_500,
        calendar: Calendar::new(TimeZone::UTC, Vec::new()),
        micro_stop_us: 10_000_000,
        time_scale: 1.0,
    }
}

/// A poll at a second with good values of the first tags.
pub(super) fn poll(seconds: f64, values: &[u64]) -> Snapshot {
    let reading = |(tag, value): (u16, &u64)| Reading {
        tag,
        value: Value::Unsigned(*value),
        quality: Quality::Good,
        status: 0,
        source_us: None,
    };
    Snapshot {
        device: 0,
        group: 0,
        taken_at: moment(seconds),
        round_trip_us: 1_000,
        polls: 1,
        outcome: Outcome::Taken((0..).zip(values).map(reading).collect()),
    }
}
