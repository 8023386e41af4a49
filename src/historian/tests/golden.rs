//! Journals as earlier versions wrote them, in `tests/cases/journal/schema-N`: each opens, is brought to the present
//! schema and holds what it held.
//!
//! A new step of the schema gets a file of its own when it is released: `GOLDEN=make cargo test --lib golden` writes the
//! one of the present schema. A file that was released is never written again.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::historian::schema;

/// Ticks in each of them.
const N: u64 = 12;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/journal")
}

/// Writes the file of the present schema where it is asked for and not there yet.
fn make() {
    let folder = folder().join(format!("schema-{}", schema::known()));
    if std::env::var("GOLDEN").as_deref() != Ok("make") || folder.exists() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    store(&historian, &l1(), N);
    historian.close().unwrap();
    fs::create_dir_all(&folder).unwrap();
    fs::copy(dir.path().join("journal.db"), folder.join("journal.db")).unwrap();
}

/// Shows: HIS-10
#[test]
fn every_journal_that_was_ever_written_opens() {
    make();
    let mut found = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::copy(entry.path().join("journal.db"), dir.path().join("journal.db")).unwrap();
        let historian = open(dir.path());
        let resume = historian.resume(&l1(), 0).unwrap();
        // What later steps brought is not in it.
        let last = tick(&l1(), N);
        assert_eq!((resume.tick_seq, resume.total), (N, last.total));
        assert_eq!(resume.last_tick, Some(last.at));
        assert_eq!((&resume.baselines, &resume.minutes), (&last.baselines, &last.minutes));
        assert_eq!((&resume.states, &resume.past.rollups), (&last.states, &last.rollups));
        assert_eq!(resume.past.last_stop, N.div_ceil(2));
        assert_eq!(n_counted(&historian), N);
        assert_eq!(historian.raw(&l1(), 0, i64::MAX, 99).unwrap().len() as u64, N);
        historian.append(tick(&l1(), N + 1)).unwrap().wait().unwrap();
        historian.close().unwrap();
        let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
        let step: u32 =
            conn.query_row("select max(step) from migration", [], |row| row.get(0)).unwrap();
        assert_eq!(step, schema::known(), "{}", entry.path().display());
        found += 1;
    }
    assert!(found > 0, "there is at least the first one");
}
