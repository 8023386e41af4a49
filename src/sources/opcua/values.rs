//! OPC UA values → readings. Pure.

use std::borrow::Cow;
use std::collections::HashSet;

use domain::plc_map::part::Step;
use domain::plc_map::{Address, Kind, Tag};
use domain::reading::{Quality, Reading, Value};
use opcua::types::custom::{DataTypeTree, DynamicStructure};
use opcua::types::{
    DataValue, DateTime, ExpandedMessageInfo, NodeId, StatusCode, StructureType, Variant,
};

/// Data types of the structures that a tag may be a field of. A union is none of them: the library gives the member
/// that is there under the name of the first.
#[derive(Default)]
pub(super) struct Structures(HashSet<NodeId>);

impl Structures {
    pub(super) fn of(types: &DataTypeTree) -> Structures {
        let is_plain = |id: &&NodeId| {
            types
                .get_struct_type(id)
                .is_some_and(|found| found.structure_type == StructureType::Structure)
        };
        Structures(types.encoding_to_data_type().values().filter(is_plain).cloned().collect())
    }
}

/// Whether older values were lost in the queue of the server.
pub(super) fn overflowed(value: &DataValue) -> bool {
    value.status.is_some_and(|status| status.overflow())
}

/// Longest text that is kept; no name of a batch comes near.
const LONGEST_TEXT: usize = 4_096;

/// A value as a server reported it, as the reading of the tag at position `tag`, which is `entry` of the map.
///
/// A bad value stays bad: repeating the last good one would show a number that nobody vouches for.
pub(super) fn reading(
    tag: u16,
    entry: &Tag,
    value: &DataValue,
    structures: &Structures,
) -> Reading {
    let part = match &entry.address {
        Address::Part { part, .. } => part.steps(),
        _ => &[],
    };
    read(tag, entry.encoding.kind, (part, structures), value)
}

fn read(
    tag: u16,
    kind: Kind,
    (part, structures): (&[Step], &Structures),
    value: &DataValue,
) -> Reading {
    let status = value.status.unwrap_or(StatusCode::Good);
    let found = value.value.as_ref().and_then(|value| select(value, part, structures));
    let decoded = found.as_deref().and_then(decode).filter(|v| fits(kind, v));
    let (quality, status) = match &decoded {
        _ if status.is_bad() => (Quality::Bad, status.bits()),
        // The server calls it good, but it is not what the map says, or no number.
        None => (Quality::Bad, StatusCode::BadTypeMismatch.bits()),
        Some(value) if !in_range(kind, value) => (Quality::Bad, StatusCode::BadOutOfRange.bits()),
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

/// The part of a value that the map names.
fn select<'a>(
    value: &'a Variant,
    part: &[Step],
    structures: &Structures,
) -> Option<Cow<'a, Variant>> {
    let mut at = value;
    let mut steps = part.iter();
    loop {
        while let Variant::Variant(inner) = at {
            at = inner;
        }
        let Some(step) = steps.next() else { return Some(Cow::Borrowed(at)) };
        at = match (step, at) {
            (Step::Element(index), Variant::Array(array)) => {
                array.values.get(usize::try_from(*index).ok()?)?
            }
            // An array of bytes may travel as one string of them.
            (Step::Element(index), Variant::ByteString(bytes)) => {
                let byte = *bytes.as_ref().get(usize::try_from(*index).ok()?)?;
                return steps.next().is_none().then_some(Cow::Owned(Variant::Byte(byte)));
            }
            (Step::Field(name), Variant::ExtensionObject(object)) => {
                let structure = object.inner_as::<DynamicStructure>()?;
                if !structures.0.contains(&structure.full_data_type_id().node_id) {
                    return None;
                }
                structure.get_field_by_name(name)?
            }
            _ => return None,
        };
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
        Variant::QualifiedName(s) => Value::Text(s.name.as_ref().trim_end().into()),
        Variant::Guid(id) => Value::Text(id.to_string().into()),
        Variant::StatusCode(code) => Value::Unsigned(u64::from(code.bits())),
        Variant::DateTime(time) => Value::Signed(utc_us(**time)?),
        Variant::LocalizedText(s) => Value::Text(s.text.as_ref().trim_end().into()),
        _ => return None,
    })
}

/// Whether a value can be of this kind. A number in place of a text, or a text in place of a counter, is a mistake in
/// the map.
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

/// Whether the width and the sign that the map gives can hold a value. A counter that is wider than the map says would
/// be taken to have wrapped.
fn in_range(kind: Kind, value: &Value) -> bool {
    let whole = match value {
        Value::Unsigned(n) => i128::from(*n),
        Value::Signed(n) => i128::from(*n),
        Value::Float(x) => return x.is_finite(),
        Value::Text(text) => return text.len() <= LONGEST_TEXT,
        Value::Bool(_) => return true,
    };
    match kind {
        Kind::Unsigned(bits) => (0..1_i128 << bits.min(64)).contains(&whole),
        Kind::Signed(bits) => {
            let half = 1_i128 << (bits.clamp(1, 64) - 1);
            (-half..half).contains(&whole)
        }
        Kind::Bcd(bits) => (0..10_i128.pow(bits.min(64) / 4)).contains(&whole),
        _ => true,
    }
}

/// `None` for the null time, which servers send when they do not know.
fn utc_us(time: DateTime) -> Option<i64> {
    (!time.is_null()).then(|| time.as_chrono().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        let quality =
            |status| read(0, Kind::Unsigned(32), (&[], &none()), &value(7_u32, status)).quality;
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
        assert_eq!(
            read(0, Kind::Unsigned(32), (&[], &none()), &given).source_us,
            Some(1_772_366_400_000_000)
        );
        given.source_timestamp = Some(DateTime::null());
        assert_eq!(read(0, Kind::Unsigned(32), (&[], &none()), &given).source_us, None);
        given.source_timestamp = None;
        assert_eq!(read(0, Kind::Unsigned(32), (&[], &none()), &given).source_us, None);
    }

    #[test]
    fn what_the_map_does_not_say_is_bad() {
        let of = |kind, v: Variant| {
            let reading = read(0, kind, (&[], &none()), &value(v, StatusCode::Good));
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

    fn none() -> Structures {
        Structures::default()
    }

    fn parts(text: &str) -> Vec<Step> {
        text.parse::<domain::plc_map::Part>().unwrap().steps().to_vec()
    }

    #[test]
    fn every_scalar_type_is_read_to_its_ends() {
        let time = DateTime::ymd_hms(2026, 3, 1, 12, 0, 0);
        for (variant, kind, wanted) in [
            (Variant::from(true), Kind::Bit(0), Value::Bool(true)),
            (Variant::from(i8::MIN), Kind::Signed(16), Value::Signed(-128)),
            (Variant::from(u8::MAX), Kind::Unsigned(16), Value::Unsigned(255)),
            (Variant::from(i16::MIN), Kind::Signed(16), Value::Signed(-32_768)),
            (Variant::from(u16::MAX), Kind::Unsigned(16), Value::Unsigned(65_535)),
            (Variant::from(i32::MIN), Kind::Signed(32), Value::Signed(-2_147_483_648)),
            (Variant::from(u32::MAX), Kind::Unsigned(32), Value::Unsigned(4_294_967_295)),
            (Variant::from(i64::MIN), Kind::Signed(64), Value::Signed(i64::MIN)),
            (Variant::from(u64::MAX), Kind::Unsigned(64), Value::Unsigned(u64::MAX)),
            (Variant::from(1.5_f32), Kind::Float(32), Value::Float(1.5)),
            (Variant::from(-0.1_f64), Kind::Float(64), Value::Float(-0.1)),
            (Variant::from(time), Kind::Signed(64), Value::Signed(1_772_366_400_000_000)),
            (
                Variant::from(StatusCode::BadTimeout),
                Kind::Unsigned(32),
                Value::Unsigned(0x800A_0000),
            ),
            (Variant::Variant(Box::new(7_u16.into())), Kind::Unsigned(16), Value::Unsigned(7)),
        ] {
            let read = read(0, kind, (&[], &none()), &value(variant.clone(), StatusCode::Good));
            assert_eq!((read.value, read.quality), (wanted, Quality::Good), "{variant:?}");
        }
    }

    #[test]
    fn what_is_wider_than_the_map_says_is_no_value() {
        for (variant, kind) in [
            (Variant::from(65_536_u32), Kind::Unsigned(16)),
            (Variant::from(-1_i16), Kind::Unsigned(16)),
            (Variant::from(u64::MAX), Kind::Signed(64)),
            (Variant::from(32_768_u16), Kind::Signed(16)),
            (Variant::from(10_000_u16), Kind::Bcd(16)),
            (Variant::from(f64::INFINITY), Kind::Float(64)),
        ] {
            let read = read(0, kind, (&[], &none()), &value(variant.clone(), StatusCode::Good));
            let wanted = (Quality::Bad, StatusCode::BadOutOfRange.bits());
            assert_eq!((read.quality, read.status), wanted, "{variant:?} as {kind:?}");
        }
    }

    #[test]
    fn an_element_is_read_where_it_is_and_nothing_where_it_is_not() {
        let array = Variant::from(vec![7_u32, 8, 9]);
        let of = |variant: &Variant, part: &str| {
            let value = value(variant.clone(), StatusCode::Good);
            let read = read(0, Kind::Unsigned(32), (&parts(part), &none()), &value);
            (read.quality == Quality::Good).then_some(read.value)
        };
        assert_eq!(of(&array, "[2]"), Some(Value::Unsigned(9)));
        for part in ["[3]", "[4294967295]", "[0][0]", "Good", "[0].Good"] {
            assert_eq!(of(&array, part), None, "{part}");
        }
        let bytes = Variant::from(opcua::types::ByteString::from(vec![1_u8, 2]));
        assert_eq!(of(&bytes, "[1]"), Some(Value::Unsigned(2)));
        assert_eq!(of(&bytes, "[2]"), None);
        assert_eq!(of(&Variant::from(7_u32), "[0]"), None);
        // A whole array is no number.
        assert_eq!(
            read(0, Kind::Unsigned(32), (&[], &none()), &value(array, StatusCode::Good)).quality,
            Quality::Bad
        );
    }

    fn number() -> impl Strategy<Value = (Variant, i128)> {
        prop_oneof![
            any::<i8>().prop_map(|n| (n.into(), n.into())),
            any::<u8>().prop_map(|n| (n.into(), n.into())),
            any::<i16>().prop_map(|n| (n.into(), n.into())),
            any::<u16>().prop_map(|n| (n.into(), n.into())),
            any::<i32>().prop_map(|n| (n.into(), n.into())),
            any::<u32>().prop_map(|n| (n.into(), n.into())),
            any::<i64>().prop_map(|n| (n.into(), n.into())),
            any::<u64>().prop_map(|n| (n.into(), n.into())),
        ]
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop_oneof![
            (0..=15_u8).prop_map(Kind::Bit),
            prop_oneof![Just(16_u32), Just(32), Just(64), any::<u32>()].prop_flat_map(|bits| {
                prop_oneof![
                    Just(Kind::Unsigned(bits)),
                    Just(Kind::Signed(bits)),
                    Just(Kind::Float(bits)),
                    Just(Kind::Bcd(bits)),
                ]
            }),
            any::<u16>().prop_map(Kind::Text),
        ]
    }

    proptest! {
        #[test]
        fn a_good_whole_number_is_the_number_that_was_sent(
            (variant, sent) in number(), kind in kind(), bits in any::<u32>(),
        ) {
            let status = StatusCode::from(bits);
            let read = read(0, kind, (&[], &none()), &value(variant, status));
            let got = match read.value {
                Value::Unsigned(n) => i128::from(n),
                Value::Signed(n) => i128::from(n),
                _ => sent,
            };
            if read.quality != Quality::Bad {
                prop_assert_eq!(got, sent);
                prop_assert!(!status.is_bad());
                prop_assert!(!matches!(kind, Kind::Bit(_) | Kind::Text(_)));
            }
            if status.is_bad() {
                prop_assert_eq!((read.quality, read.status), (Quality::Bad, bits));
            }
        }
    }

    /// What the conversion makes of these bytes as a value of a server, for several kinds and parts.
    fn convert(bytes: &[u8], kind: Kind) {
        use opcua::types::BinaryDecodable;
        let context = opcua::types::ContextOwned::default();
        let Ok(value) = DataValue::decode(&mut &bytes[..], &context.context()) else { return };
        for part in [vec![], parts("[0]"), parts("A[1].B"), parts("[4294967295]")] {
            let read = read(7, kind, (&part, &none()), &value);
            assert_eq!(read.tag, 7);
            let told = value.status.unwrap_or(StatusCode::Good);
            if read.quality != Quality::Bad {
                assert!(!told.is_bad() && value.value.is_some(), "{value:?} became {read:?}");
                assert!(
                    fits(kind, &read.value) && in_range(kind, &read.value),
                    "{value:?} became {read:?}"
                );
            }
            if read.quality == Quality::Good {
                assert!(!told.is_uncertain() && !told.overflow(), "{value:?} became {read:?}");
            }
        }
    }

    const KINDS: [Kind; 8] = [
        Kind::Bit(0),
        Kind::Unsigned(16),
        Kind::Unsigned(64),
        Kind::Signed(32),
        Kind::Float(32),
        Kind::Float(64),
        Kind::Bcd(16),
        Kind::Text(4),
    ];

    /// Shows: EVI-07
    #[test]
    fn fuzz_values() {
        use opcua::types::BinaryEncodable;
        let right: Vec<Vec<u8>> = [
            value(7_u32, StatusCode::Good),
            value(-1.5_f64, StatusCode::UncertainLastUsableValue),
            value("B-17", StatusCode::Good),
            value(vec![1_i16, 2, 3], StatusCode::Good),
            value(Variant::Variant(Box::new(true.into())), StatusCode::BadNoCommunication),
        ]
        .iter()
        .map(|value| value.encode_to_vec(&opcua::types::ContextOwned::default().context()))
        .collect();
        let target = bolero::check!().with_test_time(crate::sources::tests::fuzz_time());
        let target = target.with_iterations(usize::MAX);
        target.with_type::<(u8, u8, u8, u8, Vec<u8>)>().for_each(|(from, kind, at, cut, graft)| {
            let kind = KINDS[usize::from(*kind) % KINDS.len()];
            // Noise alone, or a right value with some of its bytes replaced.
            let whole = match right.get(usize::from(*from) % 8) {
                Some(right) => {
                    let start = usize::from(*at) % right.len();
                    let end = (start + usize::from(cut % 8)).min(right.len());
                    [&right[..start], graft, &right[end..]].concat()
                }
                None => graft.clone(),
            };
            convert(&whole, kind);
        });
    }

    /// A file a case, each line hexadecimal: values that once failed or found a corner.
    #[test]
    fn kept_values_are_converted_or_refused() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/fuzz/opcua");
        let mut n = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
                let bytes: Vec<u8> = line
                    .split_whitespace()
                    .map(|byte| u8::from_str_radix(byte, 16).unwrap())
                    .collect();
                KINDS.iter().for_each(|kind| convert(&bytes, *kind));
                n += 1;
            }
        }
        assert!(n >= 10, "{n} cases");
    }
}
