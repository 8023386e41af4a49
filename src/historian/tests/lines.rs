//! Stops with their revisions, periods and counters as a reader gets them.

use domain::line::stop::revision::{Act, PartId, Refusal, Revision};
use rusqlite::Connection;

use super::*;

fn part(text: &str) -> PartId {
    PartId::parse(text).unwrap()
}

fn revision(act: Act) -> Revision {
    Revision { number: 0, at_us: T0_US, by: "li".into(), why: "seen on site".into(), act }
}

#[test]
fn stops_of_a_span_come_with_what_people_said() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), 9);
    let all = historian.stops(&l1(), 0, i64::MAX, 99).unwrap();
    let expected: Vec<Stop> = [2, 4, 6, 8, 9].map(stop).into();
    assert_eq!(all.stops, expected);
    assert_eq!(all.parts.len(), 5);

    let after_us = TICK_US / 2;
    let split = revision(Act::Split { part: part("2"), after_us });
    assert_eq!(historian.revise_stops(&l1(), split, None, &by()).unwrap().unwrap().number, 1);
    let assign = |text: &str| {
        let (part, cause) = (part(text), Cause::Internal);
        revision(Act::Assign { part, cause, reason: "capsule jam".into() })
    };
    assert_eq!(
        historian.revise_stops(&l1(), assign("2.1"), None, &by()).unwrap().unwrap().number,
        2
    );
    let none = historian.revise_stops(&l1(), assign("77"), None, &by()).unwrap();
    assert_eq!(none, Err(Refusal::NoPart(part("77"))));
    let lasts = revision(Act::Split { part: part("5"), after_us: 1 });
    assert_eq!(
        historian.revise_stops(&l1(), lasts, None, &by()).unwrap(),
        Err(Refusal::Lasts(part("5")))
    );

    // Of a span only what went on in it; the record itself is as it was.
    let second = historian.stops(&l1(), at(3).utc_us + 1, at(4).utc_us, 99).unwrap();
    assert_eq!(second.stops, [stop(4)]);
    let shown: Vec<_> =
        second.parts.iter().map(|p| (p.id.to_string(), p.cause, p.duration_us())).collect();
    let half = Some(TICK_US / 2);
    let recorded = stop(4).cause;
    let expected = [("2".to_owned(), recorded, half), ("2.1".to_owned(), Cause::Internal, half)];
    assert_eq!(shown, expected);
    assert_eq!(second.revisions.len(), 2);
    historian.close().unwrap();
    let again = open(dir.path()).stops(&l1(), at(3).utc_us + 1, at(4).utc_us, 99).unwrap();
    assert_eq!(again, second);
}

#[test]
fn a_reason_that_is_taken_back_is_kept_with_what_took_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), 9);
    let planned = Act::Assign { part: part("4"), cause: Cause::Planned, reason: "break".into() };
    for (act, number) in [(planned, 1), (Act::Undo { part: part("4") }, 2)] {
        let made = historian.revise_stops(&l1(), revision(act), None, &by()).unwrap().unwrap();
        assert_eq!(made.number, number);
    }
    let taken_back = historian.stops(&l1(), 0, i64::MAX, 99).unwrap();
    let fourth = taken_back.parts.iter().find(|part| part.of == [4]).unwrap();
    assert_eq!((fourth.cause, &*fourth.reason, fourth.revision), (stop(8).cause, "", 2));
    assert_eq!(taken_back.revisions[1].act, Act::Undo { part: part("4") });
}

#[test]
fn the_history_of_a_stop_has_its_record_its_parts_and_all_that_was_said() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), 9);
    let revise =
        |act: Act, seen| historian.revise_stops(&l1(), revision(act), seen, &by()).unwrap();
    let split = Act::Split { part: part("2"), after_us: TICK_US / 2 };
    assert_eq!(revise(split, Some(0)).unwrap().number, 1);
    let assign = |text: &str| Act::Assign {
        part: part(text),
        cause: Cause::Internal,
        reason: "capsule jam".into(),
    };
    // Two people looked at the same list; the second one is told.
    assert_eq!(revise(assign("2"), Some(0)), Err(Refusal::Meanwhile(part("2"), 1)));
    assert_eq!(revise(assign("2"), Some(1)).unwrap().number, 2);
    assert_eq!(revise(assign("1"), Some(1)).unwrap().number, 3, "another stop");
    let history = historian.stop(&l1(), 2).unwrap();
    assert_eq!(history.stops, [stop(4)]);
    let ids: Vec<String> = history.parts.iter().map(|part| part.id.to_string()).collect();
    assert_eq!(ids, ["2", "2.1"]);
    let numbers: Vec<u64> = history.revisions.iter().map(|revision| revision.number).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(historian.stop(&l1(), 77).unwrap().stops, []);
}

#[test]
fn what_was_done_with_batches_by_hand_is_kept_and_never_changed() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), 4);
    let all = historian.batch_entries(&l1(), (0, i64::MAX), 99).unwrap();
    assert_eq!(all, (1..=4).map(batch_entry).collect::<Vec<_>>());
    let second = historian.batch_entries(&l1(), (T0_US + 2, T0_US + 3), 99).unwrap();
    assert_eq!(second, [batch_entry(3), batch_entry(4)]);
    historian.close().unwrap();
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    for forbidden in ["delete from batch_entry", "update batch_entry set author = 'x'"] {
        assert!(conn.execute(forbidden, []).is_err(), "{forbidden}");
    }
}

#[test]
fn a_revision_can_neither_be_changed_nor_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), 2);
    let act = Act::Split { part: part("1"), after_us: 1 };
    historian.revise_stops(&l1(), revision(act), None, &by()).unwrap().unwrap();
    historian.close().unwrap();
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    for forbidden in ["delete from stop_revision", "update stop_revision set author = 'x'"] {
        assert!(conn.execute(forbidden, []).is_err(), "{forbidden}");
    }
    let kept: i64 =
        conn.query_row("select count(*) from stop_revision", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1);
}

#[test]
fn an_ended_stop_is_not_changed_by_a_later_tick() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), 2);
    let mut late = tick(&l1(), 3);
    late.stops = vec![Stop { cause: Cause::Planned, to: Some(at(3)), ..stop(2) }];
    historian.append(late).unwrap().wait().unwrap();
    assert_eq!(historian.stops(&l1(), 0, i64::MAX, 9).unwrap().stops, [stop(2)]);
}

#[test]
fn periods_come_back_as_they_were_and_an_older_revision_never_covers_a_newer() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), 3);
    let mut next = tick(&l1(), 4);
    let hour = Rollup {
        kind: PeriodKind::Hour,
        name: "".into(),
        end_us: Some(T0_US + 3_600_000_000),
        closed: true,
        remark: None,
        estimated: false,
        gaps: Vec::new(),
        ..rollup(4)
    };
    next.rollups = vec![hour.clone(), Rollup { rev: 2, ..rollup(2) }];
    historian.append(next).unwrap().wait().unwrap();
    let read = |kind, from_us, to_us| historian.rollups(&l1(), kind, (from_us, to_us), 9).unwrap();
    assert_eq!(read(PeriodKind::Batch, T0_US, i64::MAX), [rollup(3)]);
    assert_eq!(read(PeriodKind::Hour, 0, i64::MAX), std::slice::from_ref(&hour));
    assert_eq!(read(PeriodKind::Shift, 0, i64::MAX), []);
    assert_eq!(read(PeriodKind::Hour, 0, T0_US), []);
    assert_eq!(read(PeriodKind::Hour, hour.end_us.unwrap(), i64::MAX), []);
}

#[test]
fn a_counter_comes_with_its_ledger_entries() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let tag = TagId::new("CF01.Good");
    assert_eq!(historian.counter(&l1(), &tag, (0, i64::MAX), 9).unwrap(), None);
    let mut one = tick(&l1(), 1);
    one.events.push(Event { tag: Some(tag.clone()), ..event(7, EventKind::Count, None) });
    one.events.push(Event { tag: Some(tag.clone()), ..event(7, EventKind::Alarm, None) });
    historian.append(one).unwrap().wait().unwrap();
    let record = historian.counter(&l1(), &tag, (0, i64::MAX), 9).unwrap().unwrap();
    assert_eq!(record.baseline, baseline(1));
    assert_eq!(record.entries.len(), 1);
    assert_eq!(historian.counter(&l1(), &TagId::new("x"), (0, 9), 9).unwrap(), None);
}
