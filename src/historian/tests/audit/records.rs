//! What the trail vouches for: signatures, configurations, restored journals, and what a kill leaves.

use super::*;

fn signer(meaning: Meaning) -> Actor {
    Actor { account: "li.wei".to_owned(), signs: Some(meaning), ..by() }
}

/// Shows: ACC-13
#[test]
fn a_signature_is_bound_to_the_record_and_the_record_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let zhao = signer(Meaning::Confirmed);
    historian.add_gap_notes(&l1(), vec![note("cable"), note("again")], &zhao).unwrap();
    let report = crate::historian::tests::reports::final_report();
    let page = b"as it was".to_vec();
    historian.add_final_report(&l1(), report, page, &signer(Meaning::Approved)).unwrap().unwrap();
    let signed = historian.signatures(&l1(), Signed::Report).unwrap();
    assert_eq!((signed.len(), signed[0].meaning.as_str()), (1, "approved"));
    // Whoever does not sign leaves none.
    historian.add_gap_notes(&l1(), vec![note("third")], &by()).unwrap();
    assert_eq!(historian.signatures(&l1(), Signed::GapNote).unwrap().len(), 2);
    historian.close().unwrap();
    let sound = verify(dir.path(), &[]).unwrap();
    assert_eq!((sound.signatures, sound.findings), (3, Vec::new()));
    let spoil = |sql: &str, say: &str| {
        let other = tempfile::tempdir().unwrap();
        std::fs::copy(dir.path().join("journal.db"), other.path().join("journal.db")).unwrap();
        let conn = Connection::open(other.path().join("journal.db")).unwrap();
        let guards =
            ["signature_keep", "signature_stay", "gap_note_keep", "gap_note_stay", "report_keep"];
        for guard in guards {
            conn.execute_batch(&format!("drop trigger {guard}")).unwrap();
        }
        conn.execute_batch(sql).unwrap();
        drop(conn);
        let found = findings(other.path(), &[]);
        let words: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(words.iter().any(|words| words.contains(say)), "{sql}: {words:?}");
    };
    spoil(
        "update gap_note set text = 'sabotage' where id = 2",
        "L1 gap_note 2 is not what Li signed",
    );
    spoil("delete from gap_note where id = 1", "L1 gap_note 1, which Li signed, is not there");
    spoil("update report set author = 'Wu'", "L1 report 1 is not what Li signed");
    spoil("update report set data_sha256 = 'x'", "L1 report 1 is not what Li signed");
    spoil(
        "update signature set name = 'Wu' where number = 1",
        "the signature of L1 gap_note 1 was changed",
    );
    spoil(
        "update signature set meaning = 'reviewed' where kind = 'report'",
        "the signature of L1 report 1 was changed",
    );
    spoil("delete from signature where number = 2", "the signature that it tells of is missing");
    // The control: a note that nobody signed may be changed without this check seeing it.
    let other = tempfile::tempdir().unwrap();
    std::fs::copy(dir.path().join("journal.db"), other.path().join("journal.db")).unwrap();
    let conn = Connection::open(other.path().join("journal.db")).unwrap();
    conn.execute_batch("drop trigger gap_note_keep; update gap_note set text = 'x' where id = 3")
        .unwrap();
    drop(conn);
    assert_eq!(findings(other.path(), &[]), []);
}

#[test]
fn configurations_are_kept_once_and_from_when_on_they_were_in_force() {
    use domain::audit::Configuration;
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let of = |text: &str| {
        Configuration::new(vec![
            ("plant.toml".into(), text.into()),
            ("cf01.toml".into(), "map".into()),
        ])
    };
    let (first, second) = (of("a = 1"), of("a = 2"));
    historian.note_start(first.clone()).unwrap();
    historian.note_start(first.clone()).unwrap();
    historian.note_start(second.clone()).unwrap();
    let changes = ["line L1: target changed".to_owned()];
    historian.take_configuration(&by(), first.clone(), &second.sha256, &changes).unwrap();
    let uses = historian.configurations().unwrap();
    let hashes: Vec<&str> = uses.iter().map(|of| of.sha256.as_str()).collect();
    assert_eq!(hashes, [&first.sha256, &second.sha256, &first.sha256, &first.sha256]);
    assert_eq!(historian.configuration(&second.sha256).unwrap(), Some(second.clone()));
    assert_eq!(historian.configuration("none").unwrap(), None);
    let trail = words(&historian);
    let expected = [
        "journal_begun journal",
        "service_started service",
        "service_started service",
        "service_started service",
        "configuration_taken configuration",
        "configuration_taken configuration",
    ];
    assert_eq!(trail, expected);
    historian.close().unwrap();
    assert_eq!(verify(dir.path(), &[]).unwrap().findings, []);
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute_batch(
        "drop trigger configuration_keep; update configuration set files = replace(files, 'a = 2', 'a = 3')",
    )
    .unwrap();
    drop(conn);
    let found = findings(dir.path(), &[]);
    assert!(found.iter().any(|f| f.to_string().contains("does not match its hash")), "{found:?}");
}

#[test]
fn a_restored_journal_goes_on_with_the_chain_under_its_own_identity() {
    let (dir, backup, restored) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    journal(dir.path(), 5);
    let quiet: crate::historian::backup::Report = std::sync::Arc::new(|_| {});
    crate::historian::backup::back_up(dir.path(), backup.path(), &quiet).unwrap();
    crate::historian::backup::restore(backup.path(), restored.path(), &quiet).unwrap();
    let (old, new) = (verify(dir.path(), &[]).unwrap(), verify(restored.path(), &[]).unwrap());
    assert_eq!((new.entries, &new.findings), (6, &Vec::new()));
    assert_ne!(old.journal, new.journal);
    // The trail of one journal does not pass for that of another.
    let conn = Connection::open(restored.path().join("journal.db")).unwrap();
    conn.execute("update meta set value = ?1 where key = 'uuid'", [&old.journal]).unwrap();
    drop(conn);
    let found = findings(restored.path(), &[]);
    assert_eq!(found, [Finding { number: 1, fault: Fault::Journal(old.journal) }]);
}

/// A dead process takes no written byte with it: a copy of the files in the middle of writing is what it leaves.
#[test]
fn a_process_that_is_killed_in_the_middle_leaves_a_whole_chain() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let historian = open(&live);
    let (writing, line) = (historian.clone(), l1());
    let writer = std::thread::spawn(move || {
        for n in 0..60 {
            writing.add_gap_notes(&line, vec![note("cable")], &signer(Meaning::Confirmed)).unwrap();
            writing.note(work(n)).unwrap();
        }
    });
    let mut n_copies = 0;
    while !writer.is_finished() || n_copies == 0 {
        let acknowledged = historian.audit_head().unwrap();
        let there = dir.path().join(format!("{n_copies}"));
        std::fs::create_dir_all(&there).unwrap();
        for name in ["journal.db-wal", "journal.db"] {
            std::fs::copy(live.join(name), there.join(name)).unwrap();
        }
        open(&there).close().unwrap();
        let told = [Told { by: "what was acknowledged".to_owned(), head: acknowledged }];
        let verified = verify(&there, &told).unwrap();
        assert_eq!(verified.findings, [], "{n_copies}");
        // Each note of a gap is there with its entry and its signature, or without both.
        let conn = Connection::open(there.join("journal.db")).unwrap();
        let count = |sql: &str| -> u64 {
            conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() as u64
        };
        let n_notes = count("select count(*) from gap_note");
        assert_eq!(count("select count(*) from audit where what = 'gap_explained'"), n_notes);
        assert_eq!(verified.signatures, n_notes);
        n_copies += 1;
    }
    writer.join().unwrap();
}
