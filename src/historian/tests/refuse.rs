//! A store that cannot be opened or read says so in one sentence: where, what, and the way out.

use std::fs;
use std::sync::Barrier;
use std::time::Instant;

use expect_test::{Expect, expect};
use rusqlite::Connection;

use super::*;
use crate::historian::journal::Journal;
use crate::historian::place::network_name;
use crate::historian::read::{READERS, Readers};

fn check(dir: &Path, expected: Expect) {
    let options = Options { keep_raw: Duration::from_secs(1), ..Options::default() };
    let error = Historian::open(dir, options).err().expect("opened").to_string();
    let parent = dir.parent().unwrap().to_str().unwrap();
    let process = format!("process {}", std::process::id());
    expected.assert_eq(&error.replace(parent, "").replace(&process, "process 42"));
}

fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("data");
    (dir, journal)
}

/// A journal that was used and closed, then changed by hand.
fn changed(dir: &Path, sql: &str) {
    let historian = open(dir);
    store(&historian, &l1(), 3);
    historian.close().unwrap();
    Connection::open(dir.join("journal.db")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_directory_that_cannot_be_written() {
    let (_dir, journal) = place();
    fs::write(&journal, "a file").unwrap();
    check(
        &journal,
        expect![
            "/data: cannot be written (File exists (os error 17)); name a directory of a local disk that this user owns"
        ],
    );
}

#[test]
fn a_directory_in_use() {
    let (_dir, journal) = place();
    let first = open(&journal);
    check(
        &journal,
        expect!["/data: in use by another Capline (process 42); stop it or name another directory"],
    );
    first.close().unwrap();
    open(&journal);
}

#[test]
fn a_file_that_is_no_database() {
    let (_dir, journal) = place();
    fs::create_dir(&journal).unwrap();
    fs::write(journal.join("journal.db"), "capsules, capsules, capsules. ".repeat(200)).unwrap();
    check(
        &journal,
        expect!["/data/journal.db: not a database; move it away or name another directory"],
    );
}

#[test]
fn a_database_of_another_program() {
    let (_dir, journal) = place();
    fs::create_dir(&journal).unwrap();
    let other = Connection::open(journal.join("journal.db")).unwrap();
    other.execute_batch("create table recipe (name text)").unwrap();
    check(
        &journal,
        expect![
            "/data/journal.db: a database of another program; move it away or name another directory"
        ],
    );
}

#[test]
fn a_journal_of_a_newer_version() {
    let (_dir, journal) = place();
    changed(&journal, "insert into migration (step, sha256) values (99, 'ff')");
    check(
        &journal,
        expect![
            "/data/journal.db: has schema 99, this version knows up to 13; install the newer Capline again"
        ],
    );
}

#[test]
fn a_journal_of_another_build() {
    let (_dir, journal) = place();
    changed(&journal, "update migration set sha256 = 'ff' where step = 1");
    check(
        &journal,
        expect![
            "/data/journal.db: schema step 1 differs from the one of this version; install the Capline that wrote it"
        ],
    );
}

#[test]
fn a_damaged_journal() {
    let (_dir, journal) = place();
    changed(&journal, "");
    let path = journal.join("journal.db");
    let mut bytes = fs::read(&path).unwrap();
    // The root page of `event` and all after it; the schema on the first pages stays readable.
    for byte in bytes.iter_mut().skip(12 * 1_024) {
        *byte = 0xa5;
    }
    fs::write(&path, bytes).unwrap();
    let beside = crate::historian::read::check(&path).unwrap_err().to_string();
    assert!(beside.contains("damaged"), "{beside}");
    check(
        &journal,
        expect![
            "/data/journal.db: damaged (database disk image is malformed); move it away with its -wal file and restore a copy"
        ],
    );
}

#[test]
fn a_frame_that_rotted_on_the_disk() {
    let (_dir, journal) = place();
    changed(&journal, "update frame set data = zeroblob(length(data)) where seq = 2");
    let error = open(&journal).raw(&l1(), 0, i64::MAX, 99).unwrap_err().to_string();
    assert!(error.contains("frame 2: its checksum does not match"), "{error}");
}

#[test]
fn a_network_file_system() {
    assert_eq!(network_name(0x6969), Some("NFS"));
    assert_eq!(network_name(0xfe53_4d42), Some("SMB"));
    // ext4, xfs, btrfs, tmpfs.
    for local in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994] {
        assert_eq!(network_name(local), None);
    }
}

#[test]
fn a_query_that_takes_too_long() {
    let (_dir, dir) = place();
    let journal = Journal::open(&dir, Duration::MAX, "b", at(0)).unwrap();
    let readers = Readers::new(journal.path(), "b", Duration::from_millis(100));
    let endless =
        "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n";
    let started = Instant::now();
    let answer: Result<i64, _> =
        readers.query(|conn| Ok(conn.query_row(endless, [], |row| row.get(0))?));
    assert_eq!(
        answer.unwrap_err().to_string(),
        "the query took longer than 0.1 s; ask for a shorter time"
    );
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(readers.setting("none").unwrap(), None, "the connection is good for the next one");
}

/// All connections are out on slow queries: the next reader does not wait for ever either.
#[test]
fn a_query_that_gets_no_turn() {
    let (_dir, dir) = place();
    let journal = Journal::open(&dir, Duration::MAX, "b", at(0)).unwrap();
    let readers = Readers::new(journal.path(), "b", Duration::from_millis(200));
    let (all_out, over) = (Barrier::new(READERS + 1), Barrier::new(READERS + 1));
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                readers.query(|_| {
                    all_out.wait();
                    over.wait();
                    Ok(())
                })
            });
        }
        all_out.wait();
        let refused = readers.setting("none").unwrap_err();
        assert!(refused.to_string().contains("longer than 0.2 s"), "{refused}");
        over.wait();
    });
    assert_eq!(readers.setting("none").unwrap(), None);
}
