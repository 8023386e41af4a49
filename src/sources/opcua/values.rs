//! OPC UA values → readings. Pure.

use domain::plc_map::Kind;
use domain::reading::{Quality, Reading, Value};
use opcua::types::{DataValue, DateTime, StatusCode, Variant};

/// A value as a server reported it, as the reading of the tag at position `tag`.
///
/// A bad value stays bad: repeating the last good one would show a number that nobody vouches for.
pub(super) fn reading(tag: u16, kind: Kind, value: &DataValue) -> Reading {
    let status = value.status.unwrap_or(StatusCode::Good);
    let decoded = value.value.as_ref().and_then(decode).filter(|v| fits(kind, v));
    let (quality, status) = match &decoded {
        _ if status.is_bad() => (Quality::Bad, status.bits()),
        // The server calls it good, but it is not what the map says, or no number.
        None => (Quality::Bad, StatusCode::BadTypeMismatch.bits()),
        Some(Value::Float(x)) if !x.is_finite() => (Quality::Bad, StatusCode::BadOutOfRange.bits()),
        // An overflow means that older values of the queue are gone, not that this one is wrong.
        Some(_) if status.is_uncertain() || status.overflow() => {
            (Quality::Uncertain, status.bits())
        }
        Some(_) => (Quality::Good, status.bits()),
    };
    let time = value.source_timestamp.or(value.server_timestamp);
    Reading {
        tag,
        value: decoded.unwrap_or_else(|| nothing(kind)),
        quality,
        status,
        source_us: time.and_then(utc_us),
    }
}

/// The reading of a tag whose node the server does not know or does not give.
pub(super) fn unavailable(tag: u16, kind: Kind, status: StatusCode) -> Reading {
    Reading {
        tag,
        value: nothing(kind),
        quality: Quality::Bad,
        status: status.bits(),
        source_us: None,
    }
}

/// Readings of one message in the order in which they happened, and in that of the map where that is unknown.
///
/// A server that queues values reports a tag several times in one message.
pub(super) fn in_order(readings: &mut [Reading]) {
    match readings.iter().all(|reading| reading.source_us.is_some()) {
        true => readings.sort_by_key(|reading| (reading.source_us, reading.tag)),
        false => readings.sort_by_key(|reading| reading.tag),
    }
}

fn nothing(kind: Kind) -> Value {
    match kind {
        Kind::Text(_) => Value::Text("".into()),
        _ => Value::Unsigned(0),
    }
}

fn decode(value: &Variant) -> Option<Value> {
    Some(match value {
        Variant::Boolean(b) => Value::Bool(*b),
        Variant::SByte(n) => Value::Signed(i64::from(*n)),
        Variant::Int16(n) => Value::Signed(i64::from(*n)),
        Variant::Int32(n) => Value::Signed(i64::from(*n)),
        Variant::Int64(n) => Value::Signed(*n),
        Variant::Byte(n) => Value::Unsigned(u64::from(*n)),
        Variant::UInt16(n) => Value::Unsigned(u64::from(*n)),
        Variant::UInt32(n) => Value::Unsigned(u64::from(*n)),
        Variant::UInt64(n) => Value::Unsigned(*n),
        Variant::Float(x) => Value::Float(f64::from(*x)),
        Variant::Double(x) => Value::Float(*x),
        Variant::String(s) => Value::Text(s.as_ref().trim_end().into()),
        Variant::LocalizedText(s) => Value::Text(s.text.as_ref().trim_end().into()),
        _ => return None,
    })
}

/// Whether a value can be of this kind. Widths and signs are the server's business; a number in place of a text,
/// or a text in place of a counter, is a mistake in the map.
fn fits(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Bit(_) => matches!(value, Value::Bool(_)),
        // A map does not let a node have it.
        Kind::Field(..) => false,
        Kind::Unsigned(_) | Kind::Signed(_) | Kind::Bcd(_) => {
            matches!(value, Value::Unsigned(_) | Value::Signed(_))
        }
        Kind::Float(_) => matches!(value, Value::Float(_) | Value::Unsigned(_) | Value::Signed(_)),
        Kind::Text(_) => matches!(value, Value::Text(_)),
    }
}

/// `None` for the null time, which servers send when they do not know.
fn utc_us(time: DateTime) -> Option<i64> {
    (!time.is_null()).then(|| time.as_chrono().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(value: impl Into<Variant>, status: StatusCode) -> DataValue {
        DataValue {
            value: Some(value.into()),
            status: Some(status),
            source_timestamp: Some(DateTime::ymd_hms(2026, 3, 1, 12, 0, 0)),
            server_timestamp: None,
            source_picoseconds: None,
            server_picoseconds: None,
        }
    }

    #[test]
    fn good_uncertain_and_bad_stay_apart() {
        let quality = |status| reading(0, Kind::Unsigned(32), &value(7_u32, status)).quality;
        assert_eq!(quality(StatusCode::Good), Quality::Good);
        assert_eq!(quality(StatusCode::GoodLocalOverride), Quality::Good);
        assert_eq!(quality(StatusCode::UncertainLastUsableValue), Quality::Uncertain);
        assert_eq!(quality(StatusCode::BadNoCommunication), Quality::Bad);
        let overflow = StatusCode::Good
            .set_info_type(opcua::types::status_code::StatusCodeInfoType::DataValue)
            .set_overflow(true);
        assert_eq!(quality(overflow), Quality::Uncertain);
    }

    #[test]
    fn the_source_time_is_the_device_s_and_a_null_time_is_none() {
        let mut given = value(7_u32, StatusCode::Good);
        // 2026-03-01T12:00:00Z.
        assert_eq!(reading(0, Kind::Unsigned(32), &given).source_us, Some(1_772_366_400_000_000));
        given.source_timestamp = Some(DateTime::null());
        assert_eq!(reading(0, Kind::Unsigned(32), &given).source_us, None);
        given.source_timestamp = None;
        assert_eq!(reading(0, Kind::Unsigned(32), &given).source_us, None);
    }

    #[test]
    fn what_the_map_does_not_say_is_bad() {
        let of = |kind, v: Variant| {
            let reading = reading(0, kind, &value(v, StatusCode::Good));
            (reading.quality, reading.value)
        };
        assert_eq!(of(Kind::Unsigned(32), Variant::from(-3_i32)).1, Value::Signed(-3));
        assert_eq!(of(Kind::Float(32), Variant::from(3_u16)).0, Quality::Good);
        assert_eq!(of(Kind::Unsigned(32), Variant::from("3")).0, Quality::Bad);
        assert_eq!(of(Kind::Bit(0), Variant::from(1_u8)).0, Quality::Bad);
        assert_eq!(of(Kind::Float(64), Variant::from(f64::NAN)).0, Quality::Bad);
        assert_eq!(
            of(Kind::Text(8), Variant::from("B-17 ")),
            (Quality::Good, Value::Text("B-17".into()))
        );
        assert_eq!(of(Kind::Unsigned(32), Variant::Empty).0, Quality::Bad);
    }

    #[test]
    fn a_tag_that_is_reported_twice_keeps_its_order() {
        let at = |tag, us| Reading {
            source_us: us,
            ..unavailable(tag, Kind::Unsigned(16), StatusCode::Bad)
        };
        let order = |mut readings: Vec<Reading>| {
            in_order(&mut readings);
            readings.iter().map(|r| (r.tag, r.source_us)).collect::<Vec<_>>()
        };
        assert_eq!(
            order(vec![at(1, Some(10)), at(1, Some(20)), at(0, Some(10)), at(0, Some(20))]),
            [(0, Some(10)), (1, Some(10)), (0, Some(20)), (1, Some(20))]
        );
        assert_eq!(order(vec![at(1, Some(9)), at(0, None)]), [(0, None), (1, Some(9))]);
    }
}
