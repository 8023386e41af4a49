//! Packed hours say what the rows say, or are not there.

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::historian::frame::hour::{Numbered, decode, encode};

const HOUR_US: i64 = 60 * MINUTE_US;

/// Three closed hours in one tick, every seventh count in doubt, one minute missing.
fn three_hours(historian: &Historian) -> Vec<Minute> {
    let mut tick = tick(&l1(), 1);
    tick.minutes = (0..180)
        .filter(|n| *n != 71)
        .map(|n| Minute { closed: true, ..minute(T0_US + n * MINUTE_US, n as u64) })
        .collect();
    historian.append(tick).unwrap().wait().unwrap();
    all(historian)
}

fn all(historian: &Historian) -> Vec<Minute> {
    historian.minutes(&l1(), 0, i64::MAX, usize::MAX).unwrap()
}

fn pack(historian: &Historian) {
    let mut from_us = Some(0);
    while let Some(us) = from_us {
        from_us = historian.pack_hours(&l1(), us, i64::MAX).unwrap();
    }
}

/// The starts of packed hours, counted from the first.
fn packed(dir: &Path) -> Vec<i64> {
    let conn = Connection::open(dir.join("journal.db")).unwrap();
    let mut find = conn.prepare("select hour_us from minute_hour order by hour_us").unwrap();
    let hours = find.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    hours.map(|us| (us.unwrap() - T0_US) / HOUR_US).collect()
}

/// Shows: HIS-13
#[test]
fn packed_hours_read_as_their_rows() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let rows = three_hours(&historian);
    assert_eq!(rows.len(), 179);
    pack(&historian);
    assert_eq!(packed(dir.path()), [0, 1, 2]);
    assert_eq!(all(&historian), rows);
    for (from, to) in [(0, 180), (5, 62), (59, 61), (60, 120), (61, 119), (179, 400), (200, 300)] {
        let [from_us, to_us] = [from, to].map(|n| T0_US + n * MINUTE_US);
        let within = rows.iter().filter(|m| (from_us..to_us).contains(&m.start_us));
        let want: Vec<&Minute> = within.clone().collect();
        let found = historian.minutes(&l1(), from_us, to_us, usize::MAX).unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), want, "{from}..{to}");
        let first: Vec<&Minute> = within.take(3).collect();
        let found = historian.minutes(&l1(), from_us, to_us, 3).unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), first, "the first three of {from}..{to}");
    }
}

#[test]
fn an_hour_with_an_open_minute_waits() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    three_hours(&historian);
    let mut next = tick(&l1(), 2);
    next.minutes = vec![Minute { closed: false, ..minute(T0_US + 180 * MINUTE_US, 1) }];
    historian.append(next).unwrap().wait().unwrap();
    pack(&historian);
    assert_eq!(packed(dir.path()), [0, 1, 2]);
    assert_eq!(historian.pack_hours(&l1(), 0, T0_US + HOUR_US).unwrap(), None);
    assert_eq!(all(&historian).len(), 180);
}

#[test]
fn a_corrected_minute_takes_its_hour_away_until_it_is_packed_again() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let before = three_hours(&historian);
    pack(&historian);
    let mut late = tick(&l1(), 2);
    // One more revision, and the minute that was missing.
    let corrected = Minute { rev: before[80].rev + 1, ..minute(before[80].start_us, 4_711) };
    let missing = minute(T0_US + 71 * MINUTE_US, 5);
    late.minutes = vec![Minute { closed: true, ..corrected }, Minute { closed: true, ..missing }];
    historian.append(late.clone()).unwrap().wait().unwrap();
    assert_eq!(packed(dir.path()), [0, 2]);
    let after = all(&historian);
    assert_eq!(after.len(), 180);
    let found = |start_us: i64| after.iter().find(|m| m.start_us == start_us).unwrap();
    assert!(late.minutes.iter().all(|minute| found(minute.start_us) == minute));
    pack(&historian);
    assert_eq!(packed(dir.path()), [0, 1, 2]);
    assert_eq!(all(&historian), after);
}

/// Negative control: without the triggers a reader would go on seeing what was packed.
#[test]
fn whatever_writes_to_a_row_unpacks_its_hour() {
    let at = format!("start_us = {}", T0_US + 75 * MINUTE_US);
    for (sql, without_triggers) in [
        (format!("update minute set missed = missed + 1 where {at}"), false),
        (
            format!("update minute_count set best = best + 1, low = null, high = null where {at}"),
            false,
        ),
        (format!("delete from minute_count where {at}"), false),
        (
            format!("update minute_count set best = best + 1, low = null, high = null where {at}"),
            true,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let historian = open(dir.path());
        three_hours(&historian);
        pack(&historian);
        let before = all(&historian);
        let conn = Connection::open(dir.path().join("journal.db")).unwrap();
        if without_triggers {
            conn.execute_batch("drop trigger hour_count_changed").unwrap();
        }
        assert!(conn.execute(&sql, []).unwrap() > 0, "{sql}");
        assert_eq!(all(&historian) == before, without_triggers, "{sql}");
    }
}

/// Shows: HIS-13
#[test]
fn a_damaged_hour_is_said_and_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    three_hours(&historian);
    pack(&historian);
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute("update minute_hour set data = x'01020304050607'", []).unwrap();
    let error = historian.minutes(&l1(), 0, i64::MAX, 9).unwrap_err().to_string();
    assert!(error.contains("packed hour") && error.contains("checksum"), "{error}");
}

fn numbered(n: i64, rev: u32, counts: Vec<(i64, Count)>) -> Numbered {
    let minute = Minute { closed: true, rev, tallies: vec![], ..minute(n * MINUTE_US, 1) };
    Numbered { minute, counts }
}

proptest! {
    #[test]
    fn what_goes_into_an_hour_comes_out(
        minutes in prop::collection::btree_map(
            0_i64..60,
            (any::<u32>(), prop::collection::btree_map(0_i64..6, any::<[u64; 3]>(), 0..6)),
            0..8,
        ),
    ) {
        let count = |[a, b, c]: [u64; 3]| Count::between(a, b, c);
        let hour: Vec<Numbered> = minutes
            .into_iter()
            .map(|(n, (rev, counts))| {
                numbered(n, rev, counts.into_iter().map(|(id, c)| (id, count(c))).collect())
            })
            .collect();
        let data = encode(0, &hour).unwrap();
        let name = |id: i64| Some((StationId::new(format!("S{id}")), Counted::Good));
        let mut found = Vec::new();
        decode(&data, 0, (0, HOUR_US), name, &mut found).unwrap();
        prop_assert_eq!(found.len(), hour.len());
        for (found, put) in found.iter().zip(&hour) {
            prop_assert_eq!((found.start_us, found.rev), (put.minute.start_us, put.minute.rev));
            let counts: Vec<(String, Count)> =
                found.tallies.iter().map(|t| (t.station.to_string(), t.count)).collect();
            let put: Vec<(String, Count)> =
                put.counts.iter().map(|(id, count)| (format!("S{id}"), *count)).collect();
            prop_assert_eq!(counts, put);
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(mut data in prop::collection::vec(any::<u8>(), 0..300)) {
        let name = |id: i64| (id < 9).then(|| (StationId::new("S"), Counted::Good));
        if let Some(first) = data.first_mut() {
            *first = 1;
        }
        // With a right checksum, or nothing but the checksum would be looked at.
        let crc = crate::historian::frame::checksum(&data);
        data.extend_from_slice(&crc.to_le_bytes());
        let mut found = Vec::new();
        let _ = decode(&data, 0, (0, HOUR_US), name, &mut found);
        prop_assert!(found.len() <= 60);
    }
}
