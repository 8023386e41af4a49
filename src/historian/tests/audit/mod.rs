//! The audit trail against a real journal: what is not as it was is found, and what cannot be noted is not done.

mod records;

use std::collections::BTreeSet;

use domain::audit::{Entry, Fault, Filter, Finding, Head, Meaning, Note, Signed, What};
use domain::line::report::{GapId, GapNote};
use rusqlite::Connection;

use super::*;
use crate::historian::audit::{Told, Verified, note_beside, verify};

/// Entries of the long trail.
const MANY: i64 = 10_000;
/// Guards that somebody who writes to the file takes off first.
const GUARDS: [&str; 6] = [
    "audit_keep",
    "audit_stay",
    "audit_follow",
    "audit_head_keep",
    "audit_head_stay",
    "audit_head_once",
];
/// Columns of an entry.
const COLUMNS: [&str; 13] = [
    "number",
    "at_us",
    "local",
    "account",
    "name",
    "from_where",
    "what",
    "subject",
    "old",
    "new",
    "reason",
    "prev_hash",
    "hash",
];

fn work(n: i64) -> Note {
    let whom = Actor { account: "li.wei".to_owned(), name: "李伟".to_owned(), ..by() };
    Note::new(&whom, What::StopRevised, format!("L1 stop {n}"))
        .change("unassigned", "internal: jam")
        .why(format!("seen by {n}"))
}

/// A closed journal with so many entries.
fn journal(dir: &Path, n: i64) {
    let historian = open(dir);
    historian
        .write(move |conn| {
            (2..=n).try_for_each(|i| crate::historian::audit::add(conn, &work(i)).map(drop))
        })
        .unwrap();
    historian.close().unwrap();
}

/// The journal as somebody sees it who writes to the file past us.
fn past_us(dir: &Path) -> Connection {
    let conn = Connection::open(dir.join("journal.db")).unwrap();
    for guard in GUARDS {
        conn.execute_batch(&format!("drop trigger if exists {guard}")).unwrap();
    }
    conn
}

/// Findings but for the guards that were taken off.
fn findings(dir: &Path, told: &[Told]) -> Vec<Finding> {
    let of_guards = |finding: &Finding| matches!(&finding.fault, Fault::Record(what) if what.starts_with("the guard"));
    let mut found = verify(dir, told).unwrap().findings;
    found.retain(|finding| !of_guards(finding));
    found
}

/// The check without the chain: entries are there, are read, are numbered without a gap, and each word is known.
fn without_chain(conn: &Connection, n: i64) -> bool {
    let sql = "select count(*), max(number), sum(length(hash) = 64 and length(prev_hash) = 64) from audit";
    let counted: (i64, i64, i64) =
        conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let mut find = conn.prepare("select distinct what from audit").unwrap();
    let words: Vec<String> =
        find.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    counted == (n, n, n) && words.iter().all(|word| What::from_word(word).is_some())
}

/// A text with one byte changed, which stays text: the lowest bit of a byte below 128, the number itself else.
fn flipped(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.is_empty() {
        return "x".to_owned();
    }
    let at = (0..bytes.len())
        .map(|i| (at + i) % bytes.len())
        .find(|i| bytes[*i].is_ascii_alphanumeric());
    let at = at.unwrap_or(0);
    bytes[at] ^= 1;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Shows: ACC-11
#[test]
fn whatever_byte_of_ten_thousand_entries_is_changed_is_found() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), MANY);
    let sound = verify(dir.path(), &[]).unwrap();
    assert_eq!((sound.entries, sound.findings.len()), (MANY as u64, 0));
    let conn = past_us(dir.path());
    let read = |number: i64| -> Entry {
        let mut found = crate::historian::audit::find_in(
            dir.path(),
            &Filter { before: Some(number + 1), ..Filter::default() },
            1,
        );
        found.as_mut().unwrap().remove(0)
    };
    // Rows all over the trail, every column of each.
    let rows = [1, 2, 5_000, 9_999, MANY];
    let (mut n, mut missed_without, mut in_text) = (0, 0, 0);
    for (i, row) in rows.into_iter().enumerate() {
        let before = read(row);
        for (j, column) in COLUMNS.into_iter().enumerate() {
            if column == "number" {
                continue;
            }
            let sql = format!("update audit set {column} = ?2 where number = ?1");
            let is_text = column != "at_us";
            let old: String = conn
                .query_row(
                    &format!("select cast({column} as text) from audit where number = ?1"),
                    [row],
                    |r| r.get(0),
                )
                .unwrap();
            let new = flipped(&old, i * 7 + j * 3);
            assert_ne!(old, new);
            match is_text {
                true => conn.execute(&sql, (row, &new)).unwrap(),
                false => conn.execute(&sql, (row, new.parse::<i64>().unwrap())).unwrap(),
            };
            let found = findings(dir.path(), &[]);
            assert!(
                found.iter().any(|finding| finding.number == row),
                "{column} of {row}, {old:?} became {new:?}: {found:?}"
            );
            missed_without += usize::from(without_chain(&conn, MANY));
            in_text += usize::from(column != "what" && !column.contains("hash"));
            n += 1;
            match is_text {
                true => conn.execute(&sql, (row, &old)).unwrap(),
                false => conn.execute(&sql, (row, before.at_us)).unwrap(),
            };
        }
    }
    assert_eq!(n, rows.len() * (COLUMNS.len() - 1));
    assert_eq!(findings(dir.path(), &[]), [], "all was put back");
    // The control: without the chain nearly all of it is missed.
    assert!(missed_without >= in_text, "{missed_without} of {n}");
}

/// Shows: ACC-11
#[test]
fn rows_taken_out_put_in_moved_and_cut_off_are_found() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), 40);
    let head = verify(dir.path(), &[]).unwrap().head;
    let told = [Told { by: "an auditor".to_owned(), head: head.clone() }];
    let spoil = |sql: &str| -> (Vec<Finding>, bool) {
        let other = tempfile::tempdir().unwrap();
        for name in ["journal.db", "audit.head"] {
            std::fs::copy(dir.path().join(name), other.path().join(name)).unwrap();
        }
        let conn = past_us(other.path());
        conn.execute_batch(sql).unwrap();
        let missed = without_chain(&conn, 40);
        drop(conn);
        (findings(other.path(), &told), missed)
    };
    let of = |number, fault| Finding { number, fault };
    assert_eq!(spoil("select 1").0, [], "the copy is sound");
    let (gone, _) =
        spoil("pragma foreign_keys = off; delete from audit where number between 7 and 9");
    assert!(gone.contains(&of(7, Fault::Missing(9))), "{gone:?}");
    let renumbered = "delete from audit where number = 7;
         update audit set number = -number where number > 7;
         update audit set number = -number - 1 where number < 0;";
    assert!(!spoil(renumbered).0.is_empty());
    let swapped = "update audit set number = -7 where number = 7;
         update audit set number = 7 where number = 8; update audit set number = 8 where number = -7;";
    let (swapped, missed) = spoil(swapped);
    assert!(swapped.iter().any(|finding| finding.number == 7) && missed, "{swapped:?}");
    let more = "update audit set number = -number where number > 20;
         update audit set number = -number + 1 where number < 0;
         insert into audit select 21, at_us, local, account, name, from_where, what, subject, old, new, reason,
           prev_hash, hash from audit where number = 20;";
    assert!(!spoil(more).0.is_empty());
    // The tail, also where the head in the journal is set back: the file beside it and whoever was told know better.
    let cut = "delete from audit where number > 38;";
    assert!(spoil(cut).0.contains(&of(38, Fault::Cut(head.clone()))));
    let clean = format!(
        "{cut} update audit_head set number = 38, hash = (select hash from audit where number = 38);"
    );
    let (found, _) = spoil(&clean);
    assert_eq!(found, [of(38, Fault::Cut(head.clone())), of(38, Fault::Cut(head.clone()))]);
    // The control: in the journal alone nothing tells of it.
    let other = tempfile::tempdir().unwrap();
    std::fs::copy(dir.path().join("journal.db"), other.path().join("journal.db")).unwrap();
    past_us(other.path()).execute_batch(&clean).unwrap();
    assert_eq!(findings(other.path(), &[]), []);
    assert_eq!(findings(other.path(), &told), [of(38, Fault::Cut(head))]);
}

/// Whoever can write the file can write the whole chain anew. Only a head that somebody else keeps tells.
/// Shows: ACC-11
#[test]
fn a_chain_that_is_written_anew_is_found_by_a_head_that_was_told() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), 20);
    let head = verify(dir.path(), &[]).unwrap().head;
    let conn = past_us(dir.path());
    conn.execute("update audit set reason = 'another' where number = 5", []).unwrap();
    let mut entries = crate::historian::audit::find_in(dir.path(), &Filter::default(), 99).unwrap();
    entries.reverse();
    let mut prev = entries[0].prev_hash.clone();
    for entry in &entries {
        let hash = domain::audit::chain::hash(entry, &prev);
        let sql = "update audit set prev_hash = ?2, hash = ?3 where number = ?1";
        conn.execute(sql, (entry.number, &prev, &hash)).unwrap();
        prev = hash;
    }
    conn.execute("update audit_head set hash = ?1", [&prev]).unwrap();
    std::fs::remove_file(dir.path().join("audit.head")).unwrap();
    assert_eq!(findings(dir.path(), &[]), [], "the chain alone is sound");
    let told = [Told { by: "the plant database".to_owned(), head: head.clone() }];
    let found = findings(dir.path(), &told);
    assert_eq!(found, [Finding { number: 20, fault: Fault::Rewritten(head) }]);
    assert!(
        verify(dir.path(), &[]).unwrap().findings.len() >= GUARDS.len(),
        "the guards are missed"
    );
}

#[test]
fn the_guards_refuse_what_is_not_adding() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), 5);
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    let row = "at_us, local, account, name, from_where, what, subject, old, new, reason";
    let refused = [
        "update audit set reason = 'x' where number = 3".to_owned(),
        "delete from audit".to_owned(),
        "delete from audit_head".to_owned(),
        "update audit_head set number = 2".to_owned(),
        format!(
            "insert or replace into audit select 3, {row}, prev_hash, hash from audit where number = 3"
        ),
        format!("insert into audit select 9, {row}, hash, hash from audit where number = 5"),
        format!("insert into audit select 6, {row}, prev_hash, hash from audit where number = 5"),
        "insert or replace into audit_head values (1, 2, 'x')".to_owned(),
    ];
    for sql in refused {
        let said = conn.execute_batch(&sql).unwrap_err().to_string();
        assert!(said.contains("audit trail"), "{sql}: {said}");
    }
    assert_eq!(verify(dir.path(), &[]).unwrap().findings, []);
    // A trigger that lets new entries vanish: nothing is done then, and it is found.
    conn.execute_batch(
        "create trigger quiet before insert on audit begin select raise(ignore); end;",
    )
    .unwrap();
    drop(conn);
    let historian = Historian::open(dir.path(), Options::default()).unwrap();
    let note = Note::new(&Actor::named("Li"), What::Exported, "a file");
    assert!(historian.note(note).is_err(), "an entry that vanishes is an error");
    historian.close().unwrap();
    let found = verify(dir.path(), &[]).unwrap().findings;
    assert!(
        found.iter().any(|finding| finding.to_string().contains("trigger quiet on audit")),
        "{found:?}"
    );
    // The control: without its guard an update goes through.
    assert_eq!(past_us(dir.path()).execute("update audit set reason = 'x'", []).unwrap(), 5);
}

fn words(historian: &Historian) -> Vec<String> {
    let mut entries = historian.audit(&Filter::default(), 99).unwrap();
    entries.reverse();
    entries.into_iter().map(|entry| format!("{} {}", entry.what, entry.subject)).collect()
}

fn note(text: &str) -> GapNote {
    GapNote { gap: GapId::Event(7), at_us: 5, author: "Li".into(), text: text.into() }
}

/// Shows: ACC-12
#[test]
fn what_cannot_be_noted_is_not_done() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    historian
        .write(|conn| {
            conn.execute_batch(
                "create trigger refuse before insert on audit begin select raise(abort, 'no room'); end",
            )
        })
        .unwrap();
    assert!(historian.add_gap_notes(&l1(), vec![note("cable")], &by()).is_err());
    assert_eq!(historian.gap_notes(&l1(), &[GapId::Event(7)]).unwrap(), []);
    assert!(historian.note(work(1)).is_err());
    let mut stepped = tick(&l1(), 1);
    stepped.events.push(event(1, EventKind::Clock, None));
    assert!(historian.append(stepped).unwrap().wait().is_err(), "a tick with its note, or neither");
    assert_eq!(n_counted(&historian), 0);
    // The control: with room for entries all of it is done.
    historian.write(|conn| conn.execute_batch("drop trigger refuse")).unwrap();
    historian.add_gap_notes(&l1(), vec![note("cable")], &by()).unwrap();
    assert_eq!(historian.gap_notes(&l1(), &[GapId::Event(7)]).unwrap().len(), 1);
}

#[test]
fn a_tick_brings_its_notes_and_steps_of_the_clock_and_brings_them_once() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let mut told = tick(&l1(), 1);
    told.events.push(event(1, EventKind::Clock, None));
    told.notes.push(Note::new(&by(), What::BatchOpened, "L1").change("", "B-1"));
    historian.append(told.clone()).unwrap().wait().unwrap();
    historian.append(told).unwrap().wait().unwrap();
    assert_eq!(words(&historian), ["journal_begun journal", "batch_opened L1", "clock_stepped L1"]);
    let head = historian.audit_head().unwrap();
    let kept = std::fs::read_to_string(dir.path().join("audit.head")).unwrap();
    assert_eq!(Head::parse(&kept), Some(head.clone()));
    let looked = historian.audit_looked().unwrap();
    assert_eq!((looked.head, looked.findings), (head, Vec::new()));
}

#[test]
fn local_time_is_that_of_the_plant() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    let mark = crate::historian::PlantMark {
        site: "Works".into(),
        zone: "Asia/Shanghai".into(),
        config_sha256: String::new(),
        simulated: false,
    };
    historian.mark(mark).unwrap();
    historian.note(work(1)).unwrap();
    let entries = historian.audit(&Filter::default(), 9).unwrap();
    assert!(entries[0].local.ends_with("+08:00"), "{}", entries[0].local);
    assert!(
        entries[1].local.ends_with("+00:00") || entries[1].local.ends_with('Z'),
        "{}",
        entries[1].local
    );
    let at = entries[0].local.parse::<jiff::Timestamp>().unwrap();
    assert_eq!(at.as_microsecond(), entries[0].at_us);
}

#[test]
fn entries_are_found_by_text_person_word_time_and_number() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), 12);
    let historian = open(dir.path());
    let numbers = |filter: Filter| -> Vec<i64> {
        let found = historian.audit(&filter, 99).unwrap();
        found.into_iter().map(|entry| entry.number).collect()
    };
    let text = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    assert_eq!(numbers(text("STOP 11")), [11]);
    assert_eq!(numbers(text("10.0.0.7")).len(), 11);
    assert_eq!(numbers(text("nothing of that")), [0; 0]);
    let who = Filter { who: Some("李".to_owned()), ..Filter::default() };
    assert_eq!(numbers(who.clone()).len(), 11);
    assert_eq!(numbers(Filter { before: Some(4), ..who }), [3, 2]);
    let begun = Filter { what: Some(What::JournalBegun), ..Filter::default() };
    assert_eq!(numbers(begun), [1]);
    let now_us = crate::clock::Clock::real().now().utc_us;
    assert_eq!(numbers(Filter { from_us: Some(now_us + 1), ..Filter::default() }), [0; 0]);
    assert_eq!(numbers(Filter { to_us: Some(now_us + 1), ..Filter::default() }).len(), 12);
    let entries: BTreeSet<i64> = numbers(Filter::default()).into_iter().collect();
    assert_eq!(entries, (1..=12).collect());
}

#[test]
fn a_command_beside_a_service_adds_to_the_same_chain() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    std::thread::scope(|scope| {
        let dir = dir.path();
        scope.spawn(move || (0..40).for_each(|n| note_beside(dir, &work(n)).unwrap()));
        (0..40).for_each(|n| {
            // The command may hold the file: then it is tried again, as a person would.
            while historian.note(work(n)).is_err() {}
        });
    });
    historian.close().unwrap();
    let Verified { entries, findings, .. } = verify(dir.path(), &[]).unwrap();
    assert_eq!((entries, findings), (81, Vec::new()));
}
