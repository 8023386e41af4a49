//! Backups, the copy beside the journal, and what becomes of a journal that goes on from one of them.

use std::fs;
use std::sync::Arc;

use expect_test::{Expect, expect};
use rusqlite::Connection;

use super::*;
use crate::historian::backup::{Manifest, Report, back_up, restore, verify};
use crate::historian::keep::every_us;
use crate::historian::place::Place;
use crate::historian::{StoreError, forward, heal};

/// 2^40, where the numbers of a second life begin.
const SECOND_LIFE: i64 = 1 << 40;

fn quiet() -> Report {
    Arc::new(|_| {})
}

fn temp() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn ask<T: rusqlite::types::FromSql>(dir: &Path, sql: &str) -> T {
    let conn = Connection::open(dir.join("journal.db")).unwrap();
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A journal of `n` ticks that was closed.
fn journal(dir: &Path, n: u64) {
    let historian = open(dir);
    store(&historian, &l1(), n);
    historian.close().unwrap();
}

/// Everything that a line goes on from is that of tick `seq`, and the newest event tells that the journal was copied.
fn assert_goes_on(historian: &Historian, seq: u64) {
    let resume = historian.resume(&l1(), 0).unwrap();
    let last = tick(&l1(), seq);
    assert_eq!(resume.tick_seq, seq);
    assert_eq!(resume.total, last.total);
    assert_eq!(resume.baselines, last.baselines);
    assert_eq!(resume.minutes, last.minutes);
    assert_eq!(n_counted(historian), seq, "every gap up to there");
    let told = &resume.events[0];
    assert_eq!((told.kind, told.word.as_str()), (EventKind::Alarm, "restored"));
    assert_eq!(told.from_us, Some(last.at.utc_us));
}

#[test]
fn a_backup_beside_a_working_writer_is_one_moment_and_goes_on_when_restored() {
    let dir = temp();
    let (live, copied, back) =
        (dir.path().join("live"), dir.path().join("copy"), dir.path().join("back"));
    let historian = open(&live);
    store(&historian, &l1(), 20);
    let writing = historian.clone();
    let writer = std::thread::spawn(move || {
        for seq in 21..=400 {
            writing.append(tick(&l1(), seq)).unwrap().wait().unwrap();
        }
    });
    let manifest = back_up(&live, &copied, &quiet()).unwrap();
    writer.join().unwrap();
    let seq = manifest.lines[0].tick;
    assert!((20..=400).contains(&seq));
    assert_eq!(manifest.journal, historian.uuid().unwrap());
    assert_eq!(verify(&copied, &quiet()).unwrap(), manifest);

    restore(&copied, &back, &quiet()).unwrap();
    let restored = open(&back);
    assert_goes_on(&restored, seq);
    assert_ne!(restored.uuid().unwrap(), manifest.journal);
    restored.append(tick(&l1(), seq + 1)).unwrap().wait().unwrap();
    assert_eq!(restored.resume(&l1(), 0).unwrap().tick_seq, seq + 1);
    assert_eq!(verify(&copied, &quiet()).unwrap(), manifest, "the backup stays as it is");
}

#[test]
fn a_restored_journal_gives_numbers_that_nobody_gave() {
    let dir = temp();
    let mut at = dir.path().join("0");
    journal(&at, 5);
    for life in 1..=2 {
        let (copied, back) =
            (dir.path().join(format!("c{life}")), dir.path().join(format!("{life}")));
        back_up(&at, &copied, &quiet()).unwrap();
        restore(&copied, &back, &quiet()).unwrap();
        let historian = open(&back);
        let mut next = tick(&l1(), 5 + life);
        next.minutes = vec![Minute { closed: true, ..minute(T0_US, 900 + life) }];
        historian.append(next).unwrap().wait().unwrap();
        historian.close().unwrap();
        for source in forward::sources() {
            let n: i64 = ask(&back, &format!("select max(seq) from {source}"));
            assert_eq!(n / SECOND_LIFE, life as i64, "{source} {n}");
        }
        at = back;
    }
}

#[test]
fn the_numbers_of_every_stream_can_be_led_on() {
    let dir = temp();
    journal(dir.path(), 1);
    for source in forward::sources() {
        let made: String =
            ask(dir.path(), &format!("select sql from sqlite_schema where name = '{source}'"));
        assert!(source == "event" || made.contains("autoincrement"), "{source} counts by itself");
    }
}

/// A line with 100 capsules in a minute and 40 in a gap.
fn account(dir: &Path) {
    let historian = open(dir);
    let mut tick = tick(&l1(), 1);
    tick.baselines[0].1.held = None;
    tick.minutes[0].tallies[0].count = Count::between(99, 100, 102);
    tick.events[0].tag = Some(TagId::new("CF01.Good"));
    tick.events[0].count = Some(Count::between(40, 40, 41));
    tick.total = Count::between(139, 140, 143);
    historian.append(tick).unwrap().wait().unwrap();
    historian.close().unwrap();
}

#[test]
fn minutes_and_gaps_are_added_up_against_the_counter() {
    let dir = temp();
    let live = dir.path().join("live");
    account(&live);
    let line = back_up(&live, &dir.path().join("sound"), &quiet()).unwrap().lines.remove(0);
    assert_eq!((line.in_minutes, line.in_gaps), ((100, 99, 102), (40, 40, 41)));
    assert_eq!(line.total, (140, 139, 143));
    assert!(line.adds_up());

    // The control: a capsule that went missing is noticed, and so is a bound.
    for (n, sql) in [
        "update minute_count set best = 99 where best = 100",
        "update event set high = 42 where kind = 'count'",
        "delete from minute_count",
    ]
    .into_iter()
    .enumerate()
    {
        let other = dir.path().join(format!("changed {n}"));
        account(&other);
        Connection::open(other.join("journal.db")).unwrap().execute_batch(sql).unwrap();
        let to = dir.path().join(format!("backup {n}"));
        let line = back_up(&other, &to, &quiet()).unwrap().lines.remove(0);
        assert!(!line.adds_up(), "{sql}: {line:?}");
    }
}

/// What is said of a backup that was changed by hand, or of a place that does not fit.
fn refused(parent: &Path, done: Result<Manifest, StoreError>, expected: Expect) {
    let error = done.expect_err("it was done").to_string();
    let process = format!("process {}", std::process::id());
    let error = error.replace(parent.to_str().unwrap(), "").replace(&process, "process 42");
    expected.assert_eq(&error);
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_said() {
    let dir = temp();
    let at = |name: &str| dir.path().join(name);
    let refused = |done, expected| refused(dir.path(), done, expected);
    journal(&at("live"), 3);
    back_up(&at("live"), &at("good"), &quiet()).unwrap();

    refused(
        back_up(&at("nowhere"), &at("x"), &quiet()),
        expect![
            "/nowhere: holds no journal; name the directory of [store] dir or the configuration"
        ],
    );
    refused(
        back_up(&at("live"), &at("good"), &quiet()),
        expect![
            "/good: is not empty, it holds journal.db; name a directory that is empty or not there"
        ],
    );
    refused(
        restore(&at("good"), &at("live"), &quiet()),
        expect![
            "/live: is not empty, it holds journal.db; name a directory that is empty or not there"
        ],
    );
    let running = open(&at("running"));
    refused(
        restore(&at("good"), &at("running"), &quiet()),
        expect![
            "/running: in use by another Capline (process 42); stop it or name another directory"
        ],
    );
    drop(running);
}

/// A backup with a change made to it, and what is said of it.
fn spoilt(change: impl Fn(&Path), expected: Expect) {
    let dir = temp();
    let (live, copied, back) =
        (dir.path().join("live"), dir.path().join("copy"), dir.path().join("back"));
    journal(&live, 3);
    back_up(&live, &copied, &quiet()).unwrap();
    change(&copied);
    refused(dir.path(), restore(&copied, &back, &quiet()), expected);
    assert!(!back.join("journal.db").exists(), "nothing was restored");
}

/// Shows: HIS-05
#[test]
fn a_spoilt_backup_is_not_restored() {
    spoilt(
        |copy| fs::remove_file(copy.join("manifest.json")).unwrap(),
        expect![
            "/copy: cannot be restored: it has no manifest.json, it was never finished; use an earlier backup"
        ],
    );
    spoilt(
        |copy| {
            let mut bytes = fs::read(copy.join("journal.db")).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(copy.join("journal.db"), bytes).unwrap();
        },
        expect![
            "/copy/journal.db: cannot be restored: its bytes are not those that were written; use an earlier backup"
        ],
    );
    let edit = |from: &'static str, to: &'static str| {
        move |copy: &Path| {
            let text = fs::read_to_string(copy.join("manifest.json")).unwrap();
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            fs::write(copy.join("manifest.json"), changed).unwrap();
        }
    };
    spoilt(
        edit("\"tick\": 3", "\"tick\": 4"),
        expect![
            "/copy/journal.db: cannot be restored: its account is not that of the manifest; use an earlier backup"
        ],
    );
    spoilt(
        edit("\"journal.db\"", "\"../live/journal.db\""),
        expect![
            "/copy/manifest.json: cannot be restored: `../live/journal.db` is no file of a journal; use an earlier backup"
        ],
    );
    spoilt(
        edit("\"form\": 1", "\"form\": 9"),
        expect![
            "/copy: cannot be restored: manifest.json has form 9, this version knows form 1; use an earlier backup"
        ],
    );
}

/// Tears the database in its middle, as a failing disk does.
fn tear(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let n = bytes.len();
    bytes[1_024..n].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

/// A journal of 30 ticks whose copy has 20.
fn with_copy(dir: &Path) {
    let historian = open(dir);
    store(&historian, &l1(), 20);
    rounds(&historian, dir).copy().unwrap();
    for seq in 21..=30 {
        historian.append(tick(&l1(), seq)).unwrap().wait().unwrap();
    }
    historian.close().unwrap();
}

fn laid_aside(dir: &Path) -> usize {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("journal.db.corrupt-")).count()
}

/// Shows: HIS-03
#[test]
fn a_damaged_journal_goes_on_from_its_copy_and_says_so() {
    for damage in [
        |dir: &Path| tear(&dir.join("journal.db")),
        |dir: &Path| fs::write(dir.join("journal.db"), "x".repeat(9_000)).unwrap(),
        |dir: &Path| fs::remove_file(dir.join("journal.db")).unwrap(),
    ] {
        let dir = temp();
        with_copy(dir.path());
        let uuid: String = ask(dir.path(), "select value from meta where key = 'uuid'");
        damage(dir.path());
        let was_there = dir.path().join("journal.db").exists();
        let historian = open(dir.path());
        assert_goes_on(&historian, 20);
        assert_eq!(historian.uuid().unwrap(), uuid, "it is the same box");
        assert_eq!(laid_aside(dir.path()), usize::from(was_there), "nothing is thrown away");
        historian.append(tick(&l1(), 21)).unwrap().wait().unwrap();
        historian.close().unwrap();
        assert_eq!(open(dir.path()).resume(&l1(), 0).unwrap().tick_seq, 21);
    }
}

/// The controls: without a sound copy the service does not start, and above all not with an empty journal.
/// Shows: HIS-03
#[test]
fn a_damaged_journal_without_a_sound_copy_is_left_as_it_is() {
    let dir = temp();
    with_copy(dir.path());
    tear(&dir.path().join("journal.db"));
    tear(&dir.path().join("journal-copy.db"));
    let before = fs::read(dir.path().join("journal.db")).unwrap();
    for _ in 0..2 {
        let options = Options { keep_raw: Duration::from_secs(1), ..Options::default() };
        let error = Historian::open(dir.path(), options).err().expect("opened");
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        fs::remove_file(dir.path().join("journal-copy.db")).unwrap_or_default();
    }
    assert_eq!(fs::read(dir.path().join("journal.db")).unwrap(), before);
    assert_eq!(laid_aside(dir.path()), 0);
}

#[test]
fn a_copy_that_is_broken_off_leaves_the_last_one() {
    let dir = temp();
    with_copy(dir.path());
    let before = fs::read(dir.path().join("journal-copy.db")).unwrap();
    let historian = open(dir.path());
    let rounds = rounds(&historian, dir.path());
    rounds.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    // So few instructions that SQLite may be done before it looks; then the copy is new and whole.
    match rounds.copy() {
        Ok(()) => assert_ne!(fs::read(dir.path().join("journal-copy.db")).unwrap(), before),
        Err(error) => {
            assert!(matches!(error, StoreError::Closed), "{error}");
            assert_eq!(fs::read(dir.path().join("journal-copy.db")).unwrap(), before);
        }
    }
    assert!(!dir.path().join("journal-copy.db.part").exists());
}

#[test]
fn a_journal_that_was_suspected_is_looked_through_at_the_next_start() {
    let dir = temp();
    with_copy(dir.path());
    let path = dir.path().join("journal.db");
    heal::suspect(&path);
    assert!(heal::is_suspect(&path));
    open(dir.path()).close().unwrap();
    assert!(!heal::is_suspect(&path), "nothing was found");
}

#[test]
fn a_large_journal_is_copied_less_often() {
    let hours = |mib: u64| every_us(mib << 20) / 3_600_000_000;
    assert_eq!((hours(0), hours(64), hours(65), hours(640), hours(6_400)), (1, 1, 2, 10, 100));
}

#[test]
fn a_journal_on_a_network_is_refused() {
    let dir = temp();
    let at = dir.path().join("data");
    let error = Place::claim_on(&at, |_| Ok(0x6969)).err().expect("claimed").to_string();
    assert_eq!(error, format!("{}: lies on NFS; a journal needs a local disk", at.display()));
    assert!(Place::claim_on(&at, |_| Ok(0xef53)).is_ok(), "the control: ext4 is local");
}
