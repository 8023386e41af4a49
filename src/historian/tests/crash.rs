//! What is left when the process ends anywhere. The files are copied while the store has them open: a copy is what
//! a killed process leaves behind, since a dead process takes no written byte with it.

use std::fs;

use rusqlite::Connection;

use super::*;
use crate::historian::journal::Journal;
use crate::historian::record::{self, PARTS, Scope};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in ["journal.db-wal", "journal.db"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// No checkpoint happens while so few ticks are written, so that the two files of a copy belong together.
const N: u64 = 150;

#[test]
fn every_tick_that_was_acknowledged_is_in_a_copy_of_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let historian = open(&live);
    for seq in 1..=N {
        historian.append(tick(&l1(), seq)).unwrap().wait().unwrap();
        if seq % 30 == 0 {
            let there = dir.path().join(format!("{seq}"));
            copy(&live, &there);
            assert_resumes(&open(&there).resume(&l1(), 0).unwrap(), &l1(), seq);
        }
    }
}

/// Copies while the writer is at work: whatever tick the copy ends with, all of its parts are there.
#[test]
fn a_copy_in_the_middle_of_writing_holds_whole_ticks() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let historian = open(&live);
    store(&historian, &l1(), 1);
    let writing = historian.clone();
    let writer = std::thread::spawn(move || {
        for seq in 2..=N {
            writing.append(tick(&l1(), seq)).unwrap().wait().unwrap();
        }
    });
    let mut n = 0;
    while !writer.is_finished() && n < 20 {
        let acknowledged = historian.resume(&l1(), 0).unwrap().tick_seq;
        let there = dir.path().join(format!("{n}"));
        copy(&live, &there);
        let resume = open(&there).resume(&l1(), 0).unwrap();
        assert!(resume.tick_seq >= acknowledged);
        assert_resumes(&resume, &l1(), resume.tick_seq);
        n += 1;
    }
    writer.join().unwrap();
    assert!(n > 0, "the writer was done before the first copy");
}

/// Stores a second tick part by part and takes a copy after each part; true if every copy holds whole ticks.
fn copies_are_whole(in_one_transaction: bool) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let mut journal = Journal::open(&live, Duration::MAX, "b", at(0)).unwrap();
    journal.append(&[&tick(&l1(), 1)]).remove(0).unwrap();
    let conn = journal.conn();
    let (line, _, _) = record::line_row(conn, &l1()).unwrap();
    if in_one_transaction {
        conn.execute_batch("begin immediate").unwrap();
    }
    let mut whole = true;
    for (n, part) in PARTS.iter().enumerate() {
        part(conn, Scope { line, run: 1 }, &tick(&l1(), 2)).unwrap();
        let there = dir.path().join(format!("{n}"));
        copy(&live, &there);
        whole &= is_whole(&there.join("journal.db"));
    }
    if in_one_transaction {
        conn.execute_batch("commit").unwrap();
    }
    let there = dir.path().join("end");
    copy(&live, &there);
    assert_resumes(&open(&there).resume(&l1(), 0).unwrap(), &l1(), 2);
    whole
}

/// Whether all parts speak of the same tick.
fn is_whole(database: &Path) -> bool {
    let conn = Connection::open(database).unwrap();
    let ask = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let seq = ask("select tick_seq from line");
    [
        "select count(*) from frame",
        "select raw from baseline",
        "select rev from minute",
        "select count(*) from event",
    ]
    .into_iter()
    .all(|sql| ask(sql) == seq)
}

/// Shows: HIS-01
#[test]
fn a_tick_is_one_transaction() {
    assert!(copies_are_whole(true));
}

/// The control: without the transaction the same test must fail, or it proves nothing.
/// Shows: HIS-01
#[test]
fn without_the_transaction_the_copies_are_torn() {
    assert!(!copies_are_whole(false));
}
