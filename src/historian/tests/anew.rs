//! A line that goes on under another map in the middle of a run.

use super::*;
use crate::historian::DeviceTags;

fn layout(tags: &[&str]) -> [DeviceTags; 1] {
    let tags = tags.iter().map(|tag| TagId::new(*tag)).collect();
    [DeviceTags { station: StationId::new("CF01"), tags, beside: false }]
}

fn runs(dir: &Path) -> i64 {
    let conn = rusqlite::Connection::open(dir.join("journal.db")).unwrap();
    conn.query_row("select count(*) from run", [], |row| row.get(0)).unwrap()
}

#[test]
fn readings_of_before_keep_what_their_positions_meant() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let (old, new) = (layout(&["Good", "Bad"]), layout(&["Bad", "Good", "Samples"]));
    historian.describe_anew(&l1(), &old).unwrap();
    assert_eq!(runs(dir.path()), 1, "nothing of the line is in this run yet");
    let store = |seq| historian.append(tick(&l1(), seq)).unwrap().wait().unwrap();
    (1..=3).for_each(store);
    historian.describe_anew(&l1(), &old).unwrap();
    assert_eq!(runs(dir.path()), 1, "the same is no change");
    historian.describe_anew(&l1(), &new).unwrap();
    assert_eq!(runs(dir.path()), 2);
    (4..=6).for_each(store);
    assert_eq!(historian.described(&l1(), at(1).utc_us).unwrap(), old);
    assert_eq!(historian.described(&l1(), at(6).utc_us).unwrap(), new);
    let resume = historian.resume(&l1(), 0).unwrap();
    assert_eq!((resume.tick_seq, resume.same_boot), (6, true), "the run is of the same boot");
    // Another line does not notice.
    let l2 = LineId::new("L2");
    historian.describe_anew(&l2, &old).unwrap();
    historian.append(tick(&l2, 1)).unwrap().wait().unwrap();
    assert_eq!(historian.described(&l2, at(1).utc_us).unwrap(), old);
    assert_eq!(historian.described(&l1(), at(1).utc_us).unwrap(), layout(&["Good", "Bad"]));
}

#[test]
fn the_mark_of_a_register_is_kept_with_its_baseline() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let mut marked = tick(&l1(), 1);
    assert!(marked.baselines.iter().all(|(_, baseline)| baseline.mapping == 0));
    marked.baselines[0].1.mapping = u32::MAX;
    let expected = marked.baselines.clone();
    historian.append(marked).unwrap().wait().unwrap();
    assert_eq!(historian.resume(&l1(), 0).unwrap().baselines, expected);
}

#[test]
fn what_is_known_beside_a_reading_that_waits_is_kept_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    historian.append(tick(&l1(), 1)).unwrap().wait().unwrap();
    let mut waiting = tick(&l1(), 2);
    let held = waiting.baselines[0].1.held.as_mut().expect("it waits");
    // Earlier versions knew nothing of it.
    assert!(!std::mem::replace(&mut held.evidence.ran_on, true));
    let expected = waiting.baselines.clone();
    historian.append(waiting).unwrap().wait().unwrap();
    assert_eq!(historian.resume(&l1(), 0).unwrap().baselines, expected);
}
