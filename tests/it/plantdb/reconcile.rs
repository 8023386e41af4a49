//! The books are equal after a run, and a row that is taken out of any of them is named with its day and line.

use std::path::Path;

use serde_json::Value;

use super::book::{Book, database, sums};
use super::cluster::{Cluster, password};
use crate::export::simulated;
use crate::harness::{FILLER, PATIENCE, Site, WEIGHER, any_port, until};
use crate::process::{Process, capline, text};

/// Compares the books of a site: exit code and report.
async fn reconcile(config: &Path) -> (Option<i32>, Value) {
    let (code, out, err) = capline(&["reconcile", "--json", "--config", &text(config)]).await;
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{code:?} {out} {err}")))
}

/// Causes and sentences of what was found for line L1, with the day.
fn found(report: &Value, cause: &str) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().expect("findings");
    let ours =
        findings.iter().filter(|finding| finding["cause"] == cause && finding["line"] == "L1");
    ours.map(|finding| {
        let word = |key: &str| finding[key].as_str().unwrap_or("").to_owned();
        (word("day"), word("what"))
    })
    .collect()
}

/// A site whose journal holds an hour of a simulated line; nothing listens where its machines should be.
async fn site_of_an_hour() -> Site {
    let site = Site::new();
    simulated(&site.data()).await;
    site.configure(
        any_port(),
        "CF01",
        &[(FILLER, "127.0.0.1:9"), (WEIGHER, "opc.tcp://127.0.0.1:9")],
    );
    site
}

fn journal(dir: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(database(dir)).expect("the journal opens")
}

/// Shows: HIS-09
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_that_is_gone_from_the_journal_is_named() {
    let site = site_of_an_hour().await;
    let (code, report) = reconcile(&site.file()).await;
    assert_eq!(code, Some(0), "{report:#}");
    let days = report["days"].as_array().expect("days");
    let minutes: u64 = days.iter().filter_map(|day| day["minutes"].as_u64()).sum();
    assert!(minutes >= 60, "{report:#}");
    for day in days {
        assert_eq!(day["in_minutes"], day["in_hours"], "{day}");
    }
    // A closed minute of the past in which something was counted.
    let conn = journal(&site.data());
    let sql =
        "select start_us from minute_count where best > 0 order by start_us limit 1 offset 40";
    let start_us: i64 = conn.query_row(sql, [], |row| row.get(0)).expect("a minute");
    conn.execute("delete from minute_count where start_us = ?1", [start_us]).expect("it goes");
    conn.execute("delete from minute where start_us = ?1", [start_us]).expect("it goes");
    drop(conn);
    let (code, report) = reconcile(&site.file()).await;
    assert_eq!(code, Some(1));
    let day = day_of(start_us);
    let named = found(&report, "differs");
    assert!(
        named.iter().any(|(of, what)| *of == day && what.contains("hour that its minutes do not add up to")),
        "{day}: {named:?}"
    );
    assert!(named.iter().any(|(_, what)| what.contains("the counter has")), "{named:?}");
    let (_, out, _) = capline(&["reconcile", "--config", &text(&site.file())]).await;
    assert!(out.contains("there are differences") && out.contains(&day), "{out}");
}

/// The day of a moment on the clocks of Shanghai.
fn day_of(us: i64) -> String {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("a zone");
    let at = jiff::Timestamp::from_microsecond(us).expect("a moment");
    at.to_zoned_datetime(zone).strftime("%Y%m%d").to_string()
}

/// Shows: HIS-09
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_gone_from_the_plant_is_named_and_what_waits_is_not() {
    let Some(cluster) = Cluster::migrated("reconcile").await else { return };
    let admin = cluster.admin().await;
    let site = site_of_an_hour().await;
    let secret = site.path().join("secret");
    std::fs::write(&secret, format!("{}\n", password())).expect("it is writable");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&secret, private).expect("it is ours");
    let port = cluster.port();
    let section = format!(
        "[database]\nurl = 'postgres://capline_writer@127.0.0.1:{port}/postgres'\nedge = 'edge-1'\npassword_file = 'secret'\n"
    );
    let config = std::fs::read_to_string(site.file()).expect("it is there");
    std::fs::write(site.file(), section + &config).expect("it is writable");

    // Nothing was forwarded yet: all of it waits, and nothing is missing.
    let (code, report) = reconcile(&site.file()).await;
    assert_eq!(code, Some(0), "{report:#}");
    let waiting = found(&report, "waiting");
    assert!(
        waiting.iter().any(|(_, what)| what.contains("minute in the plant database")),
        "{waiting:?}"
    );

    let mut service = Process::run(&site.file());
    service.api().await;
    until("the end of the backlog", PATIENCE * 3, async || {
        let (there, wanted) = (sums(&admin, "edge-1").await, Book::sums(&site.data()));
        let done = (there.events, there.stops, there.minutes)
            == (wanted.events, wanted.stops, wanted.minutes);
        if done { Ok(()) } else { Err(format!("{there:?} of {wanted:?}")) }
    })
    .await;
    // Beside the running service, and after it.
    assert_eq!(reconcile(&site.file()).await.0, Some(0));
    service.signal(rustix::process::Signal::TERM);
    assert!(service.exit(PATIENCE).await.success());
    let (code, report) = reconcile(&site.file()).await;
    assert_eq!(code, Some(0), "{report:#}");
    for day in report["days"].as_array().expect("days") {
        assert_eq!(day["in_gaps"], day["plant"]["in_gaps"], "{day}");
    }

    // One row each: a count, a minute, an event, one that was laid aside, and one that comes later.
    let conn = journal(&site.data());
    let sql = "select m.start_us, c.seq from minute m join minute_change c using (line, start_us)
               where m.closed order by m.start_us limit 4 offset 20";
    let mut find = conn.prepare(sql).expect("a query");
    let rows = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("minutes");
    let minutes: Vec<(i64, i64)> = rows.map(|row| row.expect("a minute")).collect();
    let event: (i64, i64) = conn
        .query_row("select seq, at_us from event order by seq limit 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("an event");
    let at = |n: usize| minutes[n].0;
    let instant =
        |us: i64| format!("to_timestamp({}) + interval '{} us'", us / 1_000_000, us % 1_000_000);
    let run = async |sql: String| {
        admin.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    };
    run(format!("update capline.minute_count set best = best + 1 where t = {}", instant(at(0))))
        .await;
    run(format!("delete from capline.minute where t = {}", instant(at(1)))).await;
    run(format!("delete from capline.event where seq = {}", event.0)).await;
    run(format!("delete from capline.minute where t = {}", instant(at(2)))).await;
    run(format!(
        "insert into capline.dead_letter (edge, stream, journal, seq, error, row)
         select edge, stream, journal, {}, 'refused', '{{}}' from capline.edge_stream where stream = 'minute'",
        minutes[2].1
    ))
    .await;
    let (code, report) = reconcile(&site.file()).await;
    assert_eq!(code, Some(1));
    let names = |cause: &str, us: i64, what: &str| {
        let (day, named) = (day_of(us), found(&report, cause));
        let is_it = |(of, said): &(String, String)| *of == day && said.contains(what);
        assert!(named.iter().any(is_it), "{cause} {day} {what}: {report:#}");
    };
    names("differs", at(0), "1 × minute in the plant database");
    names("missing", at(1), "1 × minute in the plant database");
    names("missing", event.1, "1 × event in the plant database");
    names("dead_letter", at(2), "1 × minute in the plant database");

    // The same minute beyond the watermark is not missing, it waits.
    run(format!(
        "update capline.edge_stream set last_seq = {} where stream = 'minute'",
        minutes[1].1 - 1
    ))
    .await;
    let (_, report) = reconcile(&site.file()).await;
    let missing = found(&report, "missing");
    assert!(!missing.iter().any(|(_, what)| what.contains("minute in")), "{missing:?}");
    assert!(!found(&report, "waiting").is_empty(), "{report:#}");

    // And a row that the journal does not have is told too.
    conn.execute("delete from minute_count where start_us = ?1", [at(3)]).expect("it goes");
    conn.execute("delete from minute where start_us = ?1", [at(3)]).expect("it goes");
    let (_, report) = reconcile(&site.file()).await;
    let more = found(&report, "superfluous");
    assert!(more.iter().any(|(_, what)| what.contains("the journal does not have")), "{report:#}");
}
