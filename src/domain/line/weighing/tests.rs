//! See `tracker/tests/weights.rs` for records through a whole line; here, what a block over Modbus does differently.

use super::{Reader, Record};
use crate::line::weight::{Moments, Series};
use crate::plc_map::PlcMap;
use crate::reading::{Quality, Reading, Value};

const MAP: &str = r#"
[machine]
station = "CW04"
title = { en = "Weigher", zh = "检重秤" }
protocol = "modbus"
max_per_minute = 6500
[modbus]
unit = 4
[groups]
fast = "100ms"
[[tag]]
id = "head"
register = "holding 0"
type = "u16"
role = "interval:sequence"
[[tag]]
id = "n"
register = "holding 1"
type = "u32"
role = "interval:count"
[[tag]]
id = "mean"
register = "holding 3"
type = "f32"
role = "interval:mean"
[[tag]]
id = "sd"
register = "holding 5"
type = "f32"
role = "interval:deviation"
[[tag]]
id = "tail"
register = "holding 7"
type = "u16"
role = "interval:sequence_tail"
"#;

fn reader(map: &str) -> Reader {
    let map = PlcMap::parse("case", map).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut readers = Reader::all(&map);
    assert_eq!(readers.len(), 1);
    readers.remove(0)
}

fn block(head: u64, n: u64, mean: f64, sd: f64, tail: u64) -> Vec<Reading> {
    let values = [
        Value::Unsigned(head),
        Value::Unsigned(n),
        Value::Float(mean),
        Value::Float(sd),
        Value::Unsigned(tail),
    ];
    let reading =
        |(tag, value)| Reading { tag, value, quality: Quality::Good, status: 0, source_us: None };
    (0..).zip(values).map(reading).collect()
}

fn weights(record: &Record) -> Moments {
    record.tallies.iter().map(|tally| tally.moments).sum()
}

#[test]
fn a_block_whose_ends_agree_is_taken_at_once() {
    let mut reader = reader(MAP);
    assert_eq!(reader.series(), Series::Interval);
    assert_eq!(reader.take(0, &block(4, 6_480, 596.0, 9.4, 4)), None, "the beginning");
    let record = reader.take(0, &block(5, 6_481, 595.5, 9.5, 5)).unwrap();
    assert_eq!(Some(weights(&record)), Moments::of_statistics(6_481, 595.5, 9.5));
    assert_eq!(reader.take(0, &block(5, 6_481, 595.5, 9.5, 5)), None, "the same again");
}

#[test]
fn a_torn_block_is_read_again() {
    let mut reader = reader(MAP);
    reader.take(0, &block(4, 6_480, 596.0, 9.4, 4));
    assert_eq!(reader.take(0, &block(5, 6_481, 596.0, 9.4, 4)), None);
    let record = reader.take(0, &block(5, 6_481, 595.5, 9.5, 5)).unwrap();
    assert_eq!(Some(weights(&record)), Moments::of_statistics(6_481, 595.5, 9.5));
}

/// Negative control: without the number behind the block the torn reading is taken for the record, unless the next one
/// shows otherwise; so it waits for the next.
#[test]
fn without_a_tail_a_record_waits_for_a_second_reading() {
    let (head, _) = MAP.split_once("[[tag]]\nid = \"tail\"").unwrap();
    let mut reader = reader(head);
    let read =
        |reader: &mut Reader, sequence, n| reader.take(0, &block(sequence, n, 595.5, 9.5, 0)[..4]);
    read(&mut reader, 4, 6_480);
    assert_eq!(read(&mut reader, 5, 6_480), None);
    assert_eq!(weights(&read(&mut reader, 5, 6_481).unwrap()).n(), 6_481);
}

#[test]
fn statistics_that_are_no_weights_are_refused_with_a_cause() {
    for (n, mean, sd, cause) in [
        (6_480, f64::NAN, 9.4, "mean: no number"),
        (6_480, 596.0, f64::INFINITY, "deviation: no number"),
        (6_480, -596.0, 9.4, "6480 capsules of -596 ± 9.4 mg: no weights"),
        (6_480, 5e7, 9.4, "6480 capsules of 50000000 ± 9.4 mg: no weights"),
    ] {
        let mut reader = reader(MAP);
        reader.take(0, &block(4, 6_480, 596.0, 9.4, 4));
        let record = reader.take(0, &block(5, n, mean, sd, 5)).unwrap();
        assert_eq!((weights(&record), &*record.causes), (Moments::ZERO, cause));
        assert_eq!(record.tallies[0].account.refused, 1);
    }
}

#[test]
fn an_interval_in_which_nothing_was_weighed_is_a_record_without_weights() {
    let mut reader = reader(MAP);
    reader.take(0, &block(4, 6_480, 596.0, 9.4, 4));
    let record = reader.take(0, &block(5, 0, f64::NAN, 0.0, 5)).unwrap();
    assert_eq!((weights(&record), record.causes.as_str()), (Moments::ZERO, ""));
    assert!(record.tallies[0].account.is_complete());
}
