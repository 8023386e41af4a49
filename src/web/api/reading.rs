//! What was read last of each tag, how old that is, and what the clocks of the devices say beside ours.

use domain::line::status::{LastReading, LineStatus, StationStatus};
use domain::plc_map::{PlcMap, Tag};
use domain::reading::{Quality, Value};
use domain::units::{MINUTE_US, SECOND_US, TagId};
use serde::Serialize;
use utoipa::ToSchema;

use super::tag::{quality, scaled};
use crate::web::view::Present;

/// A device's times are compared with ours over so long.
const CLOCKS_US: i64 = MINUTE_US;

/// So far clocks may be apart and still show the same time to people.
const CLOSE_US: i64 = SECOND_US;

/// What was read last of a tag.
#[derive(Serialize, ToSchema)]
pub(super) struct ReadingView {
    /// When, UTC milliseconds.
    at_ms: i64,
    /// How long ago, real milliseconds.
    age_ms: i64,
    /// The value with scale and offset, four decimals; null of a text and where it was bad.
    value: Option<f64>,
    /// What the value is called, of an enumeration; the text of a text.
    text: Option<String>,
    /// `good`, `uncertain` or `bad`.
    quality: &'static str,
}

/// What the clock of a device says beside ours.
#[derive(Serialize, ToSchema)]
pub(super) struct ClockView {
    /// The machine.
    station: String,
    /// `modbus` or `opcua`.
    protocol: &'static str,
    /// By how much its clock is ahead of ours, milliseconds; null where it told no time within the last minute. What a
    /// message is late makes it less.
    ahead_ms: Option<i64>,
    /// `close` to ours, `ahead` or `behind` by more than a second; `none` where it told no time, `fast` where the line's
    /// clock runs faster than real time, so that what a message is late counts many times.
    verdict: &'static str,
    /// The tag whose time was the least late.
    tag: Option<String>,
}

impl ReadingView {
    pub(super) fn of(tag: &Tag, last: &LastReading, present: &Present) -> ReadingView {
        let usable = last.quality != Quality::Bad;
        let value = scaled(tag, &last.value).filter(|_| usable);
        let word = value.and_then(|value| tag.word(value)).map(|word| word.to_string());
        ReadingView {
            at_ms: last.at.utc_us.div_euclid(1_000),
            age_ms: present.age_ms(last.at),
            value: value.map(|value| (value * 1e4).round() / 1e4),
            text: match &last.value {
                Value::Text(text) if usable => Some(text.to_string()),
                _ => word,
            },
            quality: quality(last.quality),
        }
    }
}

/// The tag of a station as it was read last.
pub(super) fn last<'a>(
    status: Option<&'a LineStatus>,
    map: &PlcMap,
    tag: &TagId,
) -> Option<&'a LastReading> {
    let at = map.tags.iter().position(|known| known.id == *tag)?;
    station(status, map)?.readings.get(at)?.as_ref()
}

/// Whether what is shown of a tag can be trusted: empty, or `offline`, `never`, `bad`, `uncertain`.
pub(super) fn doubt(
    status: Option<&LineStatus>,
    map: &PlcMap,
    last: Option<&LastReading>,
) -> &'static str {
    match last.map(|last| last.quality) {
        _ if station(status, map).is_none_or(|station| !station.link.up) => "offline",
        None => "never",
        Some(Quality::Good) => "",
        Some(other) => quality(other),
    }
}

fn station<'a>(status: Option<&'a LineStatus>, map: &PlcMap) -> Option<&'a StationStatus> {
    status?.stations.iter().find(|station| station.id == map.station)
}

/// The clocks of the devices, in the order of the line.
pub(super) fn clocks<'a>(
    status: Option<&LineStatus>,
    maps: impl Iterator<Item = &'a PlcMap>,
    present: &Present,
) -> Vec<ClockView> {
    let clock = |map: &PlcMap| {
        let readings = station(status, map).map_or(&[][..], |station| &station.readings);
        let is_new = |last: &LastReading| present.age_ms(last.at) < CLOCKS_US / 1_000;
        let told = readings.iter().enumerate().filter_map(|(i, last)| {
            let last = last.as_ref().filter(|last| is_new(last))?;
            Some((last.ahead_us()?, i))
        });
        // Delays only make a device look behind, so that the most that it is ahead is nearest to the truth.
        let nearest = told.max();
        ClockView {
            station: map.station.to_string(),
            protocol: map.protocol.word(),
            ahead_ms: nearest.map(|(us, _)| us.div_euclid(1_000)),
            verdict: match nearest {
                None => "none",
                Some(_) if present.speed > 1.0 => "fast",
                Some((us, _)) if us > CLOSE_US => "ahead",
                Some((us, _)) if us < -CLOSE_US => "behind",
                Some(_) => "close",
            },
            tag: nearest.and_then(|(_, i)| map.tags.get(i)).map(|tag| tag.id.to_string()),
        }
    };
    maps.map(clock).collect()
}
