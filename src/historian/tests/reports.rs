//! Final reports and words on gaps are kept as they were, and a changed page is noticed.

use domain::line::report::{FinalReport, GapId, GapNote};
use domain::line::rollup::PeriodKind;

use super::*;

pub(in crate::historian) fn final_report() -> FinalReport {
    FinalReport {
        number: 0,
        kind: PeriodKind::Shift,
        start_us: T0_US,
        version: 1,
        made_us: T0_US + 7,
        author: "An".into(),
        lang: "zh".into(),
        data_sha256: "ab".into(),
        page_sha256: String::new(),
    }
}

#[test]
fn a_final_report_comes_back_to_the_byte_and_the_next_is_another_version() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let page = "<p>班次 A</p>".repeat(1_000).into_bytes();
    let add = |report, page| store.add_final_report(&l1(), report, page, &by()).unwrap();
    let first = add(final_report(), page.clone()).expect("the first version");
    assert_eq!(add(final_report(), b"other".to_vec()), None, "there is a first version");
    let second = add(FinalReport { version: 2, ..final_report() }, b"other".to_vec()).unwrap();
    let other = FinalReport { start_us: T0_US + 1, ..final_report() };
    assert!(add(other, page.clone()).is_some_and(|other| other.number > second.number));
    drop(store);

    let store = open(dir.path());
    assert_eq!(store.final_page(&l1(), first.number).unwrap(), Some(page));
    assert_eq!(store.final_page(&l1(), 99).unwrap(), None);
    assert_eq!(store.final_page(&LineId::new("L9"), first.number).unwrap(), None);
    let of_period = store.final_reports(&l1(), (T0_US, T0_US + 1)).unwrap();
    assert_eq!(of_period, [second, first]);
}

#[test]
fn a_page_that_was_changed_is_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let kept = store.add_final_report(&l1(), final_report(), b"as it was".to_vec(), &by());
    let kept = kept.unwrap().expect("the first version");
    drop(store);
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    let refused = conn.execute("update report set page = x'00'", []).unwrap_err().to_string();
    assert!(refused.contains("never changed"), "{refused}");
    assert!(conn.execute("delete from gap_note", []).is_ok(), "there is none yet");
    // Somebody who takes the lock away first.
    let forged = zstd::bulk::compress(b"as I like", 1).unwrap();
    conn.execute_batch("drop trigger report_keep").unwrap();
    conn.execute("update report set page = ?1", [forged]).unwrap();
    drop(conn);
    let error = open(dir.path()).final_page(&l1(), kept.number).unwrap_err().to_string();
    assert!(error.contains("is not the one that was stored"), "{error}");
}

#[test]
fn what_was_said_about_gaps_is_found_by_gap() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let note =
        |gap, text: &str| GapNote { gap, at_us: T0_US, author: "Bo".into(), text: text.into() };
    let (event, missing) = (GapId::Event(3), GapId::Unrecorded(T0_US));
    let said = vec![note(event, "cable"), note(missing, "power off"), note(event, "again: cable")];
    store.add_gap_notes(&l1(), said.clone(), &by()).unwrap();
    assert_eq!(store.gap_notes(&l1(), &[event, missing]).unwrap(), said);
    assert_eq!(store.gap_notes(&l1(), &[missing]).unwrap(), said[1..2]);
    assert_eq!(store.gap_notes(&l1(), &[GapId::Event(4)]).unwrap(), []);
    assert_eq!(store.gap_notes(&LineId::new("L9"), &[event]).unwrap(), []);
}
