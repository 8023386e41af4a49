//! What goes in comes out, once, in order, and of the right line.

use domain::line::event::EventKind;
use domain::units::Count;
use rusqlite::Connection;

use super::*;
use crate::historian::journal::Journal;
use crate::historian::{Busy, DeviceTags, StoreError};

#[test]
fn a_start_goes_on_where_the_last_tick_ended() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("var/capline");
    let historian = open(&deep);
    assert_eq!(historian.resume(&l1(), 0).unwrap().tick_seq, 0);
    store(&historian, &l1(), 60);
    assert_resumes(&historian.resume(&l1(), 0).unwrap(), &l1(), 60);
    let uuid = historian.uuid().unwrap();
    historian.close().unwrap();

    let historian = open(&deep);
    let resume = historian.resume(&l1(), 0).unwrap();
    assert_resumes(&resume, &l1(), 60);
    assert!(resume.same_boot);
    assert_eq!(historian.uuid().unwrap(), uuid);
    assert_eq!(historian.stats().last_error, None);
}

#[test]
fn a_handle_that_was_only_dropped_has_stored_all_that_was_queued() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let pending: Vec<_> = (1..=20).map(|seq| historian.append(tick(&l1(), seq)).unwrap()).collect();
    drop(historian);
    for pending in pending {
        pending.wait().unwrap();
    }
    assert_resumes(&open(dir.path()).resume(&l1(), 0).unwrap(), &l1(), 20);
}

#[test]
fn times_of_another_boot_are_marked() {
    let dir = tempfile::tempdir().unwrap();
    let now = Moment { utc_us: T0_US, mono_us: 1 };
    let mut journal = Journal::open(dir.path(), Duration::MAX, "an earlier boot", now).unwrap();
    for answer in journal.append(&[&tick(&l1(), 1), &tick(&l1(), 2)]) {
        answer.unwrap();
    }
    journal.close().unwrap();

    let historian = open(dir.path());
    assert!(!historian.resume(&l1(), 0).unwrap().same_boot);
    let mut next = tick(&l1(), 3);
    next.baselines.clear();
    historian.append(next).unwrap().wait().unwrap();
    assert!(!historian.resume(&l1(), 0).unwrap().same_boot, "the baseline is still an old one");
    historian.append(tick(&l1(), 4)).unwrap().wait().unwrap();
    assert!(historian.resume(&l1(), 0).unwrap().same_boot);
}

#[test]
fn the_same_tick_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), 3);
    historian.append(tick(&l1(), 3)).unwrap().wait().unwrap();
    assert_resumes(&historian.resume(&l1(), 0).unwrap(), &l1(), 3);
    assert_eq!(historian.raw(&l1(), 0, i64::MAX, 99).unwrap().len(), 3);
}

#[test]
fn a_tick_out_of_order_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), 3);
    let mut other = tick(&l1(), 3);
    other.at.utc_us += 1;
    for wrong in [tick(&l1(), 0), tick(&l1(), 2), other, tick(&l1(), 5)] {
        let seq = wrong.seq;
        let refused = historian.append(wrong).unwrap().wait().unwrap_err();
        assert_eq!(refused.tick.seq, seq);
        assert_eq!(
            refused.error.to_string(),
            format!("line L1: tick {seq} came where 4 was due; give the missing ticks first")
        );
    }
    assert_resumes(&historian.resume(&l1(), 0).unwrap(), &l1(), 3);
}

#[test]
fn two_lines_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let l2 = LineId::new("L2");
    store(&historian, &l1(), 7);
    store(&historian, &l2, 4);
    assert_resumes(&historian.resume(&l1(), 0).unwrap(), &l1(), 7);
    assert_resumes(&historian.resume(&l2, 0).unwrap(), &l2, 4);
    assert_eq!(historian.raw(&l2, 0, i64::MAX, 99).unwrap().len(), 4);
    assert!(historian.minutes(&LineId::new("L3"), 0, i64::MAX, 9).unwrap().is_empty());
}

#[test]
fn a_refused_tick_leaves_those_beside_it_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), Duration::MAX, "b", at(0)).unwrap();
    let l2 = LineId::new("L2");
    let ticks = [tick(&l1(), 1), tick(&l2, 9), tick(&l1(), 2)];
    let answers = journal.append(&ticks.iter().collect::<Vec<_>>());
    let stored: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(stored, [true, false, true]);
    journal.close().unwrap();
    let historian = open(dir.path());
    assert_resumes(&historian.resume(&l1(), 0).unwrap(), &l1(), 2);
    assert_eq!(historian.resume(&l2, 0).unwrap().tick_seq, 0);
}

/// Another program holds the write lock: the queue fills, and every tick comes back one way or the other.
#[test]
fn a_blocked_store_gives_every_tick_back() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let other = Connection::open(dir.path().join("journal.db")).unwrap();
    other.execute_batch("begin immediate").unwrap();

    let mut pending = Vec::new();
    let mut seq = 1;
    let back = loop {
        match historian.append(tick(&l1(), seq)) {
            Ok(on_its_way) => pending.push(on_its_way),
            Err(Busy(tick)) => break tick,
        }
        seq += 1;
    };
    assert_eq!(back.seq, seq);
    assert!(historian.stats().queued > 0);

    let mut returned: Option<Tick> = None;
    for pending in pending {
        let refused = pending.wait().unwrap_err();
        match &mut returned {
            Some(earlier) => earlier.absorb(*refused.tick),
            None => {
                assert!(matches!(refused.error, StoreError::Held { .. }), "{}", refused.error);
                returned = Some(*refused.tick);
            }
        }
    }
    let mut all = returned.unwrap();
    all.absorb(*back);
    assert_eq!(all.seq, 1);
    assert!(historian.stats().last_error.is_some());

    other.execute_batch("rollback").unwrap();
    historian.append(all).unwrap().wait().unwrap();
    let resume = historian.resume(&l1(), 0).unwrap();
    assert_eq!(resume.total, Count::exact(seq));
    assert_eq!(resume.minutes, tick(&l1(), seq).minutes);
    assert_eq!(historian.raw(&l1(), 0, i64::MAX, 999).unwrap().len() as u64, seq);
    assert_eq!(historian.stats().last_error, None);
}

#[test]
fn a_full_disk_is_said_and_storing_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), Duration::MAX, "b", at(0)).unwrap();
    let pages: i64 = journal.conn().query_row("pragma page_count", [], |row| row.get(0)).unwrap();
    journal.conn().pragma_update(None, "max_page_count", pages + 8).unwrap();
    let mut seq = 1;
    let error = loop {
        match journal.append(&[&tick(&l1(), seq)]).remove(0) {
            Ok(()) => seq += 1,
            Err(error) => break error,
        }
        assert!(seq < 10_000, "the disk never filled");
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    journal.conn().pragma_update(None, "max_page_count", 1 << 20).unwrap();
    journal.append(&[&tick(&l1(), seq)]).remove(0).unwrap();
    journal.close().unwrap();
    assert_resumes(&open(dir.path()).resume(&l1(), 0).unwrap(), &l1(), seq);
}

#[test]
fn an_older_revision_of_a_minute_does_not_cover_a_newer_one() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let mut first = tick(&l1(), 1);
    first.minutes = vec![minute(T0_US, 9)];
    let mut second = tick(&l1(), 2);
    second.minutes = vec![minute(T0_US, 4), minute(T0_US + MINUTE_US, 1)];
    for tick in [first, second] {
        historian.append(tick).unwrap().wait().unwrap();
    }
    let stored = historian.minutes(&l1(), T0_US, i64::MAX, 99).unwrap();
    assert_eq!(stored, [minute(T0_US, 9), minute(T0_US + MINUTE_US, 1)]);
    let last = historian.minutes(&l1(), T0_US + 1, i64::MAX, 99).unwrap();
    assert_eq!(last, [minute(T0_US + MINUTE_US, 1)]);
    assert_eq!(historian.minutes(&l1(), T0_US, i64::MAX, 1).unwrap(), stored[..1]);
    assert!(historian.minutes(&l1(), T0_US + 1, T0_US + MINUTE_US, 9).unwrap().is_empty());
}

#[test]
fn events_are_found_by_time_and_kind_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    for (seq, kind) in (1..).zip(EventKind::ALL) {
        let mut tick = tick(&l1(), seq);
        tick.events = vec![event(seq, kind, None)];
        historian.append(tick).unwrap().wait().unwrap();
    }
    let found = |from, to, kinds: Option<&[EventKind]>, limit| -> Vec<EventKind> {
        let events = historian.events(&l1(), from, to, kinds, limit).unwrap();
        events.into_iter().map(|(_, event)| event.kind).collect()
    };
    let mut all = EventKind::ALL.to_vec();
    all.reverse();
    assert_eq!(found(0, i64::MAX, None, 99), all);
    assert_eq!(found(0, i64::MAX, None, 2), all[..2]);
    assert_eq!(found(at(3).utc_us, at(5).utc_us, None, 99), [EventKind::Link, EventKind::Stop]);
    let kinds = [EventKind::Alarm, EventKind::Count];
    assert_eq!(found(0, i64::MAX, Some(&kinds), 99), kinds);
    assert!(found(0, i64::MAX, Some(&[]), 99).is_empty());
}

#[test]
fn raw_readings_are_cut_to_the_asked_time_and_pruned_when_old() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), 8);
    let found = historian.raw(&l1(), at(3).utc_us, at(6).utc_us, 99).unwrap();
    assert_eq!(found, [snapshot(3), snapshot(4), snapshot(5)]);
    assert_eq!(historian.raw(&l1(), 0, i64::MAX, 2).unwrap(), [snapshot(1), snapshot(2)]);

    // An hour after tick 4, which is how long raw readings are kept here.
    let mut late = tick(&l1(), 9);
    late.at.utc_us = at(4).utc_us + 3_600_000_000;
    late.snapshots.clear();
    historian.append(late).unwrap().wait().unwrap();
    // Housekeeping runs after the answer; the next answer comes after it.
    historian.append(tick(&l1(), 10)).unwrap().wait().unwrap();
    let kept = historian.raw(&l1(), 0, i64::MAX, 99).unwrap();
    assert_eq!(kept.first(), Some(&snapshot(4)));
    assert_eq!(kept.len(), 6);
    assert_eq!(historian.minutes(&l1(), 0, i64::MAX, 9).unwrap().len(), 1, "the rest stays");
}

#[test]
fn old_raw_readings_keep_the_names_of_their_time() {
    let dir = tempfile::tempdir().unwrap();
    let layout = |tags: &[&str]| {
        let tags = tags.iter().map(|tag| TagId::new(*tag)).collect();
        [DeviceTags { station: StationId::new("CF01"), tags, beside: false }]
    };
    let (old, new) = (layout(&["Good", "Rej"]), layout(&["Speed", "Good", "Rej"]));
    for (seq, layout) in [(1, &old), (2, &old), (3, &new)] {
        let historian = open(dir.path());
        historian.describe(&l1(), layout).unwrap();
        assert_eq!(historian.described(&l1(), i64::MAX).unwrap(), layout);
        historian.append(tick(&l1(), seq)).unwrap().wait().unwrap();
        historian.close().unwrap();
    }
    let historian = open(dir.path());
    assert_eq!(historian.described(&l1(), at(1).utc_us).unwrap(), old);
    assert_eq!(historian.described(&l1(), at(2).utc_us).unwrap(), old);
    assert_eq!(historian.described(&l1(), at(3).utc_us).unwrap(), new);
    assert!(historian.described(&LineId::new("L2"), 0).unwrap().is_empty());
}

#[test]
fn settings_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    assert_eq!(historian.setting("demo.seed").unwrap(), None);
    historian.set_setting("demo.seed", "1").unwrap();
    historian.set_setting("demo.seed", "4711").unwrap();
    historian.close().unwrap();
    assert_eq!(open(dir.path()).setting("demo.seed").unwrap().as_deref(), Some("4711"));
}

#[test]
fn a_closed_store_gives_ticks_back() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let other = historian.clone();
    historian.close().unwrap();
    let refused = other.append(tick(&l1(), 1)).unwrap().wait().unwrap_err();
    assert_eq!(refused.error.to_string(), "the store is closed");
    assert_eq!(refused.tick.seq, 1);
    assert!(other.set_setting("a", "b").is_err());
    assert_eq!(other.stats().wal_bytes, 0, "closing moved the log into the database");
}

#[tokio::test]
async fn a_tick_can_be_awaited() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    historian.append(tick(&l1(), 1)).unwrap().await.unwrap();
    let stats = historian.stats();
    assert_eq!((stats.commits, stats.ticks, stats.queued), (1, 1, 0));
    assert!(stats.commit_p50_us > 0 && stats.commit_p50_us <= stats.commit_max_us);
}

#[test]
fn seconds_are_found_by_time_and_pruned_when_old() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), Duration::MAX, "b", at(0)).unwrap();
    journal.keep_seconds(Duration::from_secs(3_600));
    let start = |n: u64| T0_US + n as i64 * MINUTE_US;
    for n in 1..=90 {
        let mut tick = tick(&l1(), n);
        tick.seconds = vec![Seconds { closed: true, ..seconds(start(n), n) }];
        journal.append(&[&tick]).remove(0).unwrap();
    }
    journal.tend(start(90)).unwrap();
    journal.close().unwrap();
    let historian = open(dir.path());
    let all = historian.seconds(&l1(), i64::MIN, i64::MAX, 999).unwrap();
    assert_eq!(all.len(), 61, "an hour and the minute that goes on");
    assert_eq!(all[0], Seconds { closed: true, ..seconds(start(30), 30) });
    let some = historian.seconds(&l1(), start(40), start(42), 999).unwrap();
    assert_eq!(some.iter().map(|block| block.rev).collect::<Vec<_>>(), [40, 41]);
    assert!(historian.resume(&l1(), 0).unwrap().seconds.is_empty(), "all are closed");
    assert_eq!(historian.minutes(&l1(), i64::MIN, i64::MAX, 999).unwrap().len(), 1, "minutes stay");
}
