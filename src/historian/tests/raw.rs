//! Raw readings on their way: frames of the journal, blocks of the day, gone when they are old or room is short.

use std::fs;
use std::io;

use super::*;
use crate::historian::DeviceTags;
use crate::historian::space::{Room, Rung};

const HOUR_US: i64 = 3_600_000_000;

/// From eleven at night over midnight to one o'clock.
const NIGHT: u64 = 2 * 360;

/// Readings 1 to `n`, ten seconds apart, `batch` of them in a tick.
fn readings(historian: &Historian, n: u64, batch: u64) {
    for seq in 1..=n / batch {
        let of_tick = (seq - 1) * batch + 1..=seq * batch;
        let mut tick = tick(&l1(), seq);
        tick.at = moment(seq * batch);
        tick.snapshots = of_tick.clone().map(reading).collect();
        let closed = of_tick.filter(|n| minute_of(*n) != minute_of(n + 1));
        let close = |n| Minute { closed: true, ..minute(minute_of(n), n) };
        tick.minutes = closed.map(close).collect();
        historian.append(tick).unwrap().wait().unwrap();
    }
}

fn moment(seq: u64) -> Moment {
    let passed_us = 17 * HOUR_US + seq as i64 * 10_000_000;
    Moment { utc_us: T0_US + passed_us, mono_us: 5_000_000 + passed_us }
}

fn minute_of(seq: u64) -> i64 {
    moment(seq).utc_us.div_euclid(MINUTE_US) * MINUTE_US
}

fn reading(seq: u64) -> Snapshot {
    Snapshot { taken_at: moment(seq), ..snapshot(seq) }
}

fn all(historian: &Historian) -> Vec<Snapshot> {
    historian.raw(&l1(), 0, i64::MAX, usize::MAX).unwrap()
}

fn frames(dir: &Path) -> i64 {
    let conn = rusqlite::Connection::open(dir.join("journal.db")).unwrap();
    conn.query_row("select count(*) from frame", [], |row| row.get(0)).unwrap()
}

/// A store that keeps for a month and whose housekeeping is left to the test.
fn long(dir: &Path) -> Historian {
    let historian = Historian::open(dir, Options::default()).unwrap();
    drop(historian.0.keeper.lock().unwrap().take());
    historian
}

/// Snapshots in the files of all days.
fn moved(dir: &Path) -> usize {
    let of = |name: &String| {
        let day = rusqlite::Connection::open(dir.join(name)).unwrap();
        let sql = "select coalesce(sum(snapshots), 0) from block";
        day.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() as usize
    };
    crate::historian::raw::names(dir).iter().map(of).sum()
}

/// Compacts until nothing is left to do.
fn compact(rounds: &mut Rounds, dir: &Path) {
    let mut before = -1;
    while before != frames(dir) {
        before = frames(dir);
        rounds.compact().unwrap();
    }
}

#[test]
fn readings_move_into_the_file_of_their_day_and_are_read_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let historian = long(dir.path());
    let layout = [DeviceTags {
        station: StationId::new("CF01"),
        tags: vec![TagId::new("Good")],
        beside: false,
    }];
    historian.describe(&l1(), &layout).unwrap();
    let n = NIGHT;
    readings(&historian, n, 360);
    let before = all(&historian);
    assert_eq!(before.len() as u64, n);
    compact(&mut rounds(&historian, dir.path()), dir.path());
    let hot = n as usize - moved(dir.path());
    assert!((54..=72).contains(&hot), "{hot} readings are hot: those of ten minutes");
    let files: Vec<String> = crate::historian::raw::names(dir.path());
    assert_eq!(files, ["raw-20260105.db", "raw-20260106.db"]);
    let after = all(&historian);
    let differs = after.iter().zip(&before).position(|(after, before)| after != before);
    assert_eq!((after.len(), differs), (before.len(), None), "bit by bit, in the same order");

    // Cut anywhere: at the edges of a block, inside it, over midnight, at the border to what is hot.
    for (from, to) in [(1, 7), (2, 3), (350, 380), (n - 70, n), (n - 30, n + 9)] {
        let span = (moment(from).utc_us, moment(to).utc_us);
        let expected: Vec<Snapshot> = (from..to.min(n + 1)).map(reading).collect();
        assert_eq!(historian.raw(&l1(), span.0, span.1, 9_999).unwrap(), expected, "{from} {to}");
        assert_eq!(historian.raw(&l1(), span.0, span.1, 1).unwrap(), expected[..1]);
    }
    assert_eq!(historian.described(&l1(), moment(1).utc_us).unwrap(), layout);
    assert!(historian.raw(&LineId::new("L2"), 0, i64::MAX, 9).unwrap().is_empty());
}

#[test]
fn a_round_that_ended_before_it_deleted_the_frames_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let historian = long(dir.path());
    readings(&historian, 200, 10);
    let before = all(&historian);
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute_batch("create temp table kept as select * from frame").unwrap();
    let mut rounds = rounds(&historian, dir.path());
    compact(&mut rounds, dir.path());
    conn.execute_batch("insert or ignore into frame select * from kept").unwrap();
    assert_eq!(all(&historian), before, "what lies in both is told once");
    compact(&mut rounds, dir.path());
    assert_eq!(all(&historian), before);
    let hot = historian.raw(&l1(), moment(200).utc_us - 11 * MINUTE_US, i64::MAX, 999).unwrap();
    assert!(before.len() - moved(dir.path()) <= hot.len(), "each reading was moved once");
    assert!(moved(dir.path()) < before.len());
}

/// The control of it: frames with the same numbers and other readings are no copies and are all kept.
#[test]
fn frames_whose_numbers_were_given_again_are_not_taken_for_copies() {
    let dir = tempfile::tempdir().unwrap();
    let historian = long(dir.path());
    readings(&historian, 200, 10);
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute_batch("create temp table kept as select * from frame").unwrap();
    let mut rounds = rounds(&historian, dir.path());
    compact(&mut rounds, dir.path());
    let once = moved(dir.path());
    // The same numbers and times, but the readings of another line's minute.
    conn.execute_batch(
        "insert or ignore into frame (seq, line, run, from_us, to_us, snapshots, data)
           select k.seq, k.line, k.run, k.from_us, k.to_us, k.snapshots,
             (select data from kept o where o.seq = k.seq % 20 + 1)
           from kept k",
    )
    .unwrap();
    compact(&mut rounds, dir.path());
    let n = moved(dir.path());
    assert!(n > once, "{n} after {once}: what differs was put beside it");
}

#[test]
fn a_damaged_frame_stays_and_holds_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    let historian = long(dir.path());
    readings(&historian, 200, 10);
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute_batch("update frame set data = x'0102' where seq = 20").unwrap();
    compact(&mut rounds(&historian, dir.path()), dir.path());
    let n = moved(dir.path());
    assert!((110..140).contains(&n), "{n} moved: all but what is hot and the frame");
    let error = historian.stats().last_error.unwrap();
    assert!(error.contains("frame 20"), "{error}");
    assert_eq!(historian.raw(&l1(), 0, moment(49).utc_us, 999).unwrap().len(), 48);
    let kept = "select count(*) from frame where seq = 20";
    assert_eq!(conn.query_row(kept, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[test]
fn days_go_when_they_are_older_than_raw_readings_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let historian = long(dir.path());
    readings(&historian, NIGHT, 360);
    let mut rounds = rounds(&historian, dir.path());
    compact(&mut rounds, dir.path());
    rounds.expire().unwrap();
    assert_eq!(crate::historian::raw::names(dir.path()).len(), 2);
    rounds.keep_raw_us = HOUR_US / 4;
    rounds.expire().unwrap();
    assert_eq!(crate::historian::raw::names(dir.path()), ["raw-20260106.db"]);
}

/// A store with two days of readings, and what is left when the disk has so much room.
fn with_room(room: fn(&Path) -> io::Result<Room>, sent_us: i64) -> (Vec<String>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let historian = long(dir.path());
    readings(&historian, NIGHT, 360);
    let minutes = historian.minutes(&l1(), 0, i64::MAX, usize::MAX).unwrap();
    let mut rounds = rounds(&historian, dir.path());
    compact(&mut rounds, dir.path());
    historian.0.gauge.sent(sent_us);
    rounds.room = room;
    rounds.make_room(moment(9_999).utc_us).unwrap();
    assert_eq!(historian.minutes(&l1(), 0, i64::MAX, usize::MAX).unwrap(), minutes);
    let told = historian.events(&l1(), 0, i64::MAX, Some(&[EventKind::Alarm]), 9).unwrap();
    let told = told.into_iter().rev().map(|(_, event)| format!("{}: {}", event.word, event.detail));
    (crate::historian::raw::names(dir.path()), told.collect())
}

/// Shows: HIS-04
#[test]
fn readings_go_by_rungs_and_what_went_is_said_with_its_counts() {
    let percent = |n| Room { free: n, of: 100 };
    assert_eq!(percent(15).rung(), Rung::Low);
    let both = ["raw-20260105.db", "raw-20260106.db"];
    let (left, told) = with_room(|_| Ok(Room { free: 15, of: 100 }), i64::MAX);
    assert_eq!((left.as_slice(), told.len()), (both.map(str::to_owned).as_slice(), 0));

    // Below a tenth only what the plant database has the minutes of; here it has them up to noon of the second day.
    let noon_us = T0_US + 30 * HOUR_US;
    let (left, told) = with_room(|_| Ok(Room { free: 7, of: 100 }), noon_us);
    assert_eq!(left, both[1..]);
    assert_eq!(told.len(), 1);
    let (left, told) = with_room(|_| Ok(Room { free: 7, of: 100 }), 0);
    assert_eq!((left.len(), told.len()), (2, 0), "the control: nothing is sent, nothing goes");

    // Below a twentieth all of them. The counts of the day are those of its minutes, of each station.
    let (left, told) = with_room(|_| Ok(Room { free: 3, of: 100 }), 0);
    assert_eq!((left.len(), told.len()), (0, 3));
    assert!(told[2].starts_with("shed: seconds from 2026-01-05"), "{}", told[2]);
    let good: u64 = (1..360).filter(|seq| minute_of(*seq) != minute_of(seq + 1)).sum();
    assert_eq!(
        told[0],
        format!(
            "shed: readings as read from 2026-01-05T00:00:00Z to 2026-01-06T00:00:00Z were given up because the disk \
             is nearly full; no count is lost, the minutes hold: CF01 {good}"
        )
    );
}

#[test]
fn a_budget_is_kept_like_a_disk() {
    let dir = tempfile::tempdir().unwrap();
    let historian = long(dir.path());
    readings(&historian, NIGHT, 360);
    let mut rounds = rounds(&historian, dir.path());
    compact(&mut rounds, dir.path());
    rounds.room = |_| Ok(Room { free: 90, of: 100 });
    rounds.make_room(moment(9_999).utc_us).unwrap();
    assert_eq!(historian.stats().shed, 0);
    let (used, raw_bytes) =
        (historian.stats().bytes + historian.stats().raw_bytes, historian.stats().raw_bytes);
    rounds.budget = Some(used + used / 50);
    rounds.make_room(moment(9_999).utc_us).unwrap();
    let stats = historian.stats();
    assert!(stats.shed > 0 && stats.raw_bytes < raw_bytes, "{stats:?}");
    assert_eq!(stats.room.of, used + used / 50);
}

#[test]
fn room_is_kept_back_and_given_for_the_last_commit() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let mut rounds = rounds(&historian, dir.path());
    rounds.room = |_| Ok(Room { free: 60 << 20, of: 64 << 20 });
    rounds.make_room(0).unwrap();
    assert_eq!(fs::metadata(dir.path().join("reserve")).unwrap().len(), 1 << 20);
}
