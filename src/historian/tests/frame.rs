//! Laws of the codec: what goes in comes out bit by bit, and no bytes make the decoder panic.

use domain::reading::Miss;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::historian::frame::{FrameError, MAX_SPAN_US, decode, decode_body, encode, parts};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::Unsigned),
        (0_u64..500).prop_map(Value::Unsigned),
        any::<i64>().prop_map(Value::Signed),
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        any::<f32>().prop_map(|x| Value::Float(x.into())),
        prop_oneof![Just(0.0), Just(-0.0), Just(f64::NAN)].prop_map(Value::Float),
        ".{0,12}".prop_map(|text: String| Value::Text(text.into())),
    ]
}

fn quality() -> impl Strategy<Value = Quality> {
    prop_oneof![Just(Quality::Good), Just(Quality::Uncertain), Just(Quality::Bad)]
}

fn reading(tag: impl Strategy<Value = u16>) -> impl Strategy<Value = Reading> {
    let status = prop_oneof![Just(0), any::<u32>()];
    let source = prop_oneof![Just(None), Just(Some(T0_US)), any::<Option<i64>>()];
    (tag, value(), quality(), status, source).prop_map(
        |(tag, value, quality, status, source_us)| Reading {
            tag,
            value,
            quality,
            status,
            source_us,
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let misses = prop_oneof![
        Just(Miss::Skipped),
        Just(Miss::Disconnected),
        Just(Miss::ConnectFailed),
        Just(Miss::Timeout),
        Just(Miss::Broken),
        Just(Miss::Mismatch),
        any::<u32>().prop_map(|code| Miss::Refused { code }),
        Just(Miss::Torn),
        Just(Miss::Frozen),
    ];
    // The same tags in a row, as Modbus has them; any tags in any order, as OPC UA may; and misses.
    let poll = vec(reading(Just(0)), 5).prop_map(|mut readings| {
        for (tag, reading) in (0..).zip(&mut readings) {
            reading.tag = tag;
        }
        Outcome::Taken(readings)
    });
    prop_oneof![
        4 => poll,
        2 => vec(reading(any::<u16>()), 0..6).prop_map(Outcome::Taken),
        2 => vec(reading(0_u16..4), 0..6).prop_map(Outcome::Taken),
        1 => misses.prop_map(Outcome::Missed),
    ]
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let moment = prop_oneof![
        3 => (0_i64..MINUTE_US, -9_i64..9).prop_map(|(passed, drift)| Moment {
            utc_us: T0_US + passed + drift,
            mono_us: passed,
        }),
        1 => any::<(i64, i64)>().prop_map(|(utc_us, mono_us)| Moment { utc_us, mono_us }),
    ];
    let polls = prop_oneof![Just(1), any::<u32>()];
    (0_u16..3, 0_u16..2, moment, any::<u32>(), polls, outcome()).prop_map(
        |(device, group, taken_at, round_trip_us, polls, outcome)| Snapshot {
            device,
            group,
            taken_at,
            round_trip_us,
            polls,
            outcome,
        },
    )
}

/// Snapshots with floats as bits, because NaN is not equal to itself.
fn bits(snapshots: &[Snapshot]) -> Vec<String> {
    let float = |value: &Value| match value {
        Value::Float(x) => Some(x.to_bits()),
        _ => None,
    };
    snapshots
        .iter()
        .map(|snapshot| match &snapshot.outcome {
            Outcome::Taken(readings) => {
                let floats: Vec<_> = readings.iter().map(|r| float(&r.value)).collect();
                format!("{snapshot:?} {floats:?}")
            }
            Outcome::Missed(_) => format!("{snapshot:?}"),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_goes_in_comes_out(snapshots in vec(snapshot(), 0..40)) {
        prop_assert_eq!(bits(&decode(&encode(&snapshots)).unwrap()), bits(&snapshots));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
        let _ = decode_body(&bytes);
        let mut versioned = bytes;
        versioned.insert(0, 1);
        let _ = decode_body(&versioned);
    }

    /// Damage near the truth reaches deeper than noise does.
    #[test]
    fn a_flipped_bit_is_found_and_makes_nothing_panic(
        snapshots in vec(snapshot(), 1..20),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let mut blob = encode(&snapshots);
        let at = at.index(blob.len());
        blob[at] ^= 1 << bit;
        prop_assert_eq!(decode(&blob).unwrap_err(), FrameError::Checksum);
        let _ = decode_body(&blob[..blob.len() - 4]);
    }

    #[test]
    fn parts_lose_nothing_and_span_a_minute_at_most(snapshots in vec(snapshot(), 0..60)) {
        let parts = parts(&snapshots);
        prop_assert_eq!(bits(&parts.concat()), bits(&snapshots));
        for part in parts {
            let times = part.iter().map(|snapshot| snapshot.taken_at.utc_us);
            let (from, to) = (times.clone().min().unwrap(), times.max().unwrap());
            prop_assert!(to.saturating_sub(from) <= MAX_SPAN_US);
        }
    }
}

#[test]
fn a_claim_of_endless_readings_is_refused() {
    // One snapshot with 65,000 tags and then thousands that repeat them at two bytes each.
    let readings = (0..65_000).map(|tag| Reading {
        tag,
        value: Value::Bool(true),
        quality: Quality::Good,
        status: 0,
        source_us: None,
    });
    let snapshot = Snapshot { outcome: Outcome::Taken(readings.collect()), ..super::snapshot(1) };
    let many = vec![snapshot; 40];
    assert_eq!(decode(&encode(&many)), Err(FrameError::TooLarge));
    let parts = parts(&many);
    assert_eq!(parts.len(), 3);
    assert!(parts.iter().all(|part| decode(&encode(part)).is_ok()));
}

/// The bytes of form 1. If this fails, old journals cannot be read any more: add a form, keep this one.
#[test]
fn the_stored_form_does_not_change() {
    let missed =
        Snapshot { polls: 10, outcome: Outcome::Missed(Miss::Timeout), ..super::snapshot(3) };
    let blob = encode(&[super::snapshot(1), super::snapshot(2), missed]);
    let hex = domain::digest::hex(blob);
    expect_test::expect!["0103000000a0ef800580b3bacab8e7a306f80a0103008302ef2e02852bf19c20ef2e028606422d32303431ef2e00a0c21e000000078302a0c21e80a0c21e80a0c21e00a0c21e0000850a6b0ef532"].assert_eq(&hex);
}
