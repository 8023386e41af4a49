//! What the chain alone cannot know: its end, and what belongs to it in other tables.

use super::*;

/// Findings in words.
fn said(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

/// What was cut off the end while a service runs is on its screen, whether the last entry that the journal keeps was put
/// back with it or not. The control is the chain alone, which is sound.
#[test]
fn a_tail_that_is_cut_off_beneath_a_service_is_seen_by_it() {
    for also_head in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        journal(dir.path(), 20);
        let historian = open(dir.path());
        assert_eq!(historian.audit_looked().unwrap().findings, []);
        let conn = past_us(dir.path());
        conn.execute("delete from audit where number > 15", []).unwrap();
        if also_head {
            let sql = "update audit_head set number = 15, hash = (select hash from audit where number = 15)";
            conn.execute(sql, []).unwrap();
        }
        let found = historian.audit_looked().unwrap().findings;
        assert!(said(&found).contains("entries 16 to 20 were cut off"), "{found:?}");
        let again = historian.audit_looked().unwrap().findings;
        assert_eq!(again, found, "it is told once");
        let mut chain = domain::audit::Chain::default();
        let mut rest = historian.audit(&Filter::default(), 99).unwrap();
        rest.reverse();
        assert!(rest.iter().all(|entry| chain.check(entry).is_empty()));
        historian.close().unwrap();
    }
}

/// The file beside the journal: taken away, it is missed; a trail that is shorter than it tells is noted at the next start,
/// which writes it anew. The control is a start with the file as it was.
#[test]
fn a_head_that_is_missing_or_ahead_is_found_and_stays_found() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit.head");
    journal(dir.path(), 20);
    open(dir.path()).close().unwrap();
    assert_eq!(said(&findings(dir.path(), &[])), "");
    std::fs::remove_file(&file).unwrap();
    assert!(said(&findings(dir.path(), &[])).contains("audit.head is not beside the journal"));
    open(dir.path()).close().unwrap();
    assert!(file.exists());
    assert!(said(&findings(dir.path(), &[])).contains("trail was doubted: the file audit.head"));

    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), 20);
    let conn = past_us(dir.path());
    conn.execute("delete from audit where number > 15", []).unwrap();
    let sql =
        "update audit_head set number = 15, hash = (select hash from audit where number = 15)";
    conn.execute(sql, []).unwrap();
    drop(conn);
    open(dir.path()).close().unwrap();
    let found = said(&findings(dir.path(), &[]));
    assert!(
        found.contains("entry 16: at that start the trail was doubted: entry 20 is not"),
        "{found}"
    );
}

fn configuration(text: &str) -> domain::audit::Configuration {
    domain::audit::Configuration::new(vec![("plant.toml".to_owned(), text.to_owned())])
}

/// Each configuration has its entry and each entry its configuration, of the same moment.
#[test]
fn uses_of_configurations_and_their_entries_are_compared_in_both_directions() {
    let one = configuration("one");
    let begun = || {
        let dir = tempfile::tempdir().unwrap();
        let historian = open(dir.path());
        historian.note_start(configuration("one")).unwrap();
        historian.note_start(configuration("two")).unwrap();
        let changed = ["target".to_owned()];
        let two = configuration("two").sha256;
        historian.take_configuration(&by(), configuration("one"), &two, &changed).unwrap();
        historian.close().unwrap();
        dir
    };
    let sound = begun();
    let verified = verify(sound.path(), &[]).unwrap();
    assert_eq!((verified.configurations, said(&verified.findings)), (3, String::new()));
    let conn = Connection::open(sound.path().join("journal.db")).unwrap();
    let put =
        format!("insert or replace into configuration_use values (1, '{}', 1, '', 2)", one.sha256);
    assert!(conn.execute(&put, []).unwrap_err().to_string().contains("follows on the last one"));
    let off = "drop trigger configuration_use_stay; drop trigger configuration_use_keep;
               drop trigger configuration_keep; drop trigger configuration_use_follow;";
    for (sql, what) in [
        (
            "delete from configuration_use where number = 1",
            "entry 2: the configuration that it tells of is said to be in force nowhere",
        ),
        ("delete from configuration_use where number = 2", "is said to be in force nowhere"),
        (
            "update configuration_use set from_us = from_us - 60000000 where number = 3",
            "entry 5: the configuration is said to be in force since another moment",
        ),
        (
            "update configuration_use set audit = 1 where number = 1",
            "entry 1: a configuration is said to be in force since it",
        ),
        ("update configuration_use set audit = 4 where number = 3", "two configurations"),
        (
            "insert into configuration values ('ff', '[]')",
            "configuration ff was kept and never in force",
        ),
    ] {
        let dir = begun();
        let conn = Connection::open(dir.path().join("journal.db")).unwrap();
        conn.execute_batch(off).unwrap();
        conn.execute_batch(sql).unwrap();
        drop(conn);
        let found = said(&findings(dir.path(), &[]));
        assert!(found.contains(what), "{sql}: {found}");
    }
}
