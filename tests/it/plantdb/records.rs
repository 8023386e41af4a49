//! What people and charts said, periods that are over and final reports: all of it is in the plant as it is in the
//! journal.

use capline::historian::archive::Settings;
use domain::audit::Actor;
use domain::line::batch::hand::{Did, Entry};
use domain::line::minute::{Counted, Minute, Tally, TimeSplit};
use domain::line::output::Output;
use domain::line::report::{FinalReport, GapId, GapNote};
use domain::line::rollup::{PeriodKind, Rollup, Spending};
use domain::line::stop::Cause;
use domain::line::stop::revision::{Act, PartId, Revision};
use domain::quality::characteristic::{Characteristic, Measure};
use domain::quality::limits::{Decision, Limits, Verdict, fit};
use domain::quality::monitor::Monitor;
use domain::quality::record::{Work, WorkKind};
use domain::quality::signal::{Incident, Level};
use domain::quality::subgroup::subgroups;
use domain::spc::rules::Hits;
use domain::units::{Count, HOUR_US, LineId, MINUTE_US, Reason, StationId};
use tokio_postgres::Client;

use super::book::{Book, T0_US, database, drained, minute};
use super::cluster::Cluster;
use crate::harness::LINE;

fn by() -> Actor {
    Actor::named("Li")
}

/// Each table of the plant, what it has of a row, and the same of the journal.
const SAME: [(&str, &str, &str); 11] = [
    (
        "stop_revision",
        "number || ' ' || author || ' ' || why || ' ' || (act -> 'assign' ->> 'reason') || ' ' || first",
        "select number || ' ' || author || ' ' || why || ' ' || (act ->> '$.assign.reason') || ' ' || first
         from stop_revision",
    ),
    (
        "batch_entry",
        "did || ' ' || batch || ' ' || product || ' ' || (extract(epoch from t) * 1000000)::bigint",
        "select did || ' ' || id || ' ' || product || ' ' || at_us from batch_entry",
    ),
    (
        "rollup",
        "kind || ' ' || name || ' ' || rev || ' ' || run_us || ' ' || failures",
        "select kind || ' ' || name || ' ' || rev || ' ' || run_us || ' ' || failures from rollup where closed",
    ),
    (
        "rollup_count",
        "counted || ' ' || low || ' ' || best || ' ' || high || ' ' || gap_best",
        "select c.counted || ' ' || (n.value ->> 2) || ' ' || (n.value ->> 1) || ' ' || (n.value ->> 3) || ' '
           || (n.value ->> 4)
         from rollup r join json_each(r.counts) n join counter c on c.id = n.value ->> 0 where r.closed",
    ),
    (
        "limits",
        "characteristic || ' ' || version || ' ' || author || ' ' || body || sha256",
        "select characteristic || ' ' || version || ' ' || author || ' ' || body || sha256 from limits",
    ),
    (
        "limits",
        "version || ' ' || verdict || ' ' || decided_by || ' ' || decided_why",
        "select version || ' ' || verdict || ' ' || by_whom || ' ' || reason from limits_decision",
    ),
    (
        "spc_point",
        "(extract(epoch from t) * 1000000)::bigint || ' ' || rev || ' ' || fitness || ' ' || rejected || ' ' || size",
        "select start_us || ' ' || rev || ' ' || fitness || ' ' || rejected || ' ' || size from spc_point",
    ),
    (
        "incident",
        "number || ' ' || level || ' ' || points || ' ' || is_over::int",
        "select id || ' ' || level || ' ' || points || ' ' || is_over from incident",
    ),
    (
        "incident_work",
        "incident || ' ' || author || ' ' || word || ' ' || text",
        "select incident || ' ' || author || ' ' || word || ' ' || text from incident_work",
    ),
    (
        "gap_note",
        "gap || ' ' || author || ' ' || text",
        "select gap || ' ' || author || ' ' || text from gap_note",
    ),
    (
        "report",
        "kind || ' ' || version || ' ' || author || ' ' || data_sha256 || ' ' || page_sha256",
        "select kind || ' ' || version || ' ' || author || ' ' || data_sha256 || ' ' || page_sha256 from report",
    ),
];

fn station() -> StationId {
    StationId::new("CF01")
}

fn line() -> LineId {
    LineId::new(LINE)
}

fn tally(counted: Counted, n: u64) -> Tally {
    Tally { station: station(), counted, count: Count::between(n, n, n + 1) }
}

fn rollup(rev: u32) -> Rollup {
    Rollup {
        kind: PeriodKind::Batch,
        name: "B-2041".into(),
        start_us: T0_US,
        end_us: Some(T0_US + HOUR_US),
        rev,
        closed: true,
        remark: None,
        estimated: false,
        spending: Spending {
            time: TimeSplit([59, 0, 1, 0, 0, 0]),
            setup_us: 6,
            overlap_us: 7,
            order_us: 8,
            failures: 2,
        },
        counts: vec![
            tally(Counted::Good, 6_500),
            tally(Counted::Reject(Reason::new("no_dose")), 2),
        ],
        gaps: vec![tally(Counted::Good, 9)],
    }
}

/// A minute of a filler with some rejects.
fn running(n: i64) -> Minute {
    let rejected = 22 + (n as u64 * 7) % 13;
    Minute {
        time: TimeSplit([MINUTE_US, 0, 0, 0, 0, 0]),
        missed: 0,
        tallies: vec![
            Tally { count: Count::exact(6_500 - rejected), ..tally(Counted::Good, 0) },
            Tally {
                count: Count::exact(rejected),
                ..tally(Counted::Reject(Reason::new("dented")), 0)
            },
        ],
        ..minute(n, true, 1)
    }
}

fn incident(points: u32, over: bool) -> Incident {
    Incident {
        characteristic: "reject_fraction".into(),
        version: 1,
        opened_us: T0_US,
        last_us: T0_US + i64::from(points) * MINUTE_US,
        rules: Hits::NONE,
        companion: Hits::NONE,
        n_points: points,
        level: Level::Notice,
        over,
    }
}

/// Limits of a day of minutes, decided upon, and the points they judge.
fn quality(book: &Book) {
    let characteristic =
        Characteristic::new(Measure::RejectFraction { stations: Output::one(station()) });
    let minutes: Vec<Minute> = (0..1_515).map(running).collect();
    let found = subgroups(&characteristic, &minutes, &[]);
    let fitted = fit(&characteristic, &found, (i64::MIN, i64::MAX), &[]);
    let limits = fitted.limits(&characteristic).expect("there is dispersion");
    let (author, reason) = ("An".to_owned(), "first\nbaseline".to_owned());
    let limits = Limits { version: 1, author, reason, made_us: T0_US, ..limits };
    book.historian.add_limits(&line(), limits.clone(), &by()).expect("kept");
    let (who, reason) = ("Bo".to_owned(), "replayed over a week".to_owned());
    let decision = Decision { verdict: Verdict::Approved, by: who, reason, at_us: T0_US + 1 };
    let limits = limits.decide(decision).expect("decided");
    book.historian.decide_limits(&line(), limits.clone(), &by()).expect("kept");
    let mut told = Vec::new();
    let mut monitor = Monitor::new(characteristic, Some(limits));
    minutes[..90].iter().for_each(|minute| monitor.push(minute, false, |one| told.push(one)));
    assert!(!told.is_empty());
    book.historian.add_points(&line(), "reject_fraction", told, T0_US + 2).expect("kept");
}

/// Everything that people can say about a line.
fn say_everything(book: &mut Book) {
    let historian = book.historian.clone();
    // Two stops, the first of them over.
    book.tick(1);
    book.tick(1);
    book.put(|tick| {
        tick.rollups = vec![rollup(3)];
        tick.batch_entries = vec![Entry {
            did: Did::Opened,
            id: "B-2041".into(),
            start_us: T0_US,
            at_us: T0_US + 5,
            product: "Vitamin C 500 mg".into(),
            by: "li".into(),
        }];
    });
    let part = PartId { stop: 1, cut: 0 };
    let act = Act::Assign { part, cause: Cause::ALL[1], reason: "缺胶囊".into() };
    let revision = Revision { number: 0, at_us: T0_US, by: "li".into(), why: "seen".into(), act };
    historian.revise_stops(&line(), revision, None, &by()).expect("kept").expect("it can be made");
    quality(book);
    historian.put_incident(&line(), incident(1, false)).expect("kept");
    historian.put_incident(&line(), incident(4, true)).expect("kept");
    let work = |text: &str| Work {
        at_us: T0_US + 9,
        author: "Bo".to_owned(),
        kind: WorkKind::Cause,
        text: text.to_owned(),
    };
    assert!(historian.add_work(&line(), 1, work("worn dosator"), &by()).expect("kept"));
    let note = |text: &str| GapNote {
        gap: GapId::Event(1),
        at_us: T0_US + 10,
        author: "An".to_owned(),
        text: text.to_owned(),
    };
    historian.add_gap_notes(&line(), vec![note("cable"), note("again")], &by()).expect("kept");
    let report = FinalReport {
        number: 0,
        kind: PeriodKind::Shift,
        start_us: T0_US,
        version: 1,
        made_us: T0_US + 11,
        author: "An".to_owned(),
        lang: "zh".to_owned(),
        data_sha256: "ab".to_owned(),
        page_sha256: String::new(),
    };
    let page = "<p>班次 A</p>".repeat(20_000).into_bytes();
    historian
        .add_final_report(&line(), report, page, &by())
        .expect("kept")
        .expect("the first version");
}

fn of_journal(book_dir: &std::path::Path, sql: &str) -> Vec<String> {
    let conn = rusqlite::Connection::open(database(book_dir)).expect("it is there");
    let mut find = conn.prepare(sql).expect("the tables are there");
    let found = find.query_map([], |row| row.get(0)).expect("rows");
    let mut found: Vec<String> = found.collect::<rusqlite::Result<_>>().expect("texts");
    found.sort_unstable();
    found
}

async fn of_plant(plant: &Client, table: &str, what: &str) -> Vec<String> {
    let sql = format!(
        "select {what} from capline.{table}_by_name where line = '{LINE}' and ({what}) is not null"
    );
    let rows = plant.query(&sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let mut found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    found.sort_unstable();
    found
}

async fn forwarded(book: &Book, settings: Settings) -> u64 {
    let (forwarder, _alarms) = book.forward(settings);
    let stats = drained(&forwarder, book).await;
    forwarder.stop().await;
    let record = stats.streams.iter().find(|stream| stream.name == "record").expect("records");
    record.dead_letters
}

async fn assert_same(plant: &Client, dir: &std::path::Path) {
    for (table, what, sql) in SAME {
        let (there, here) = (of_plant(plant, table, what).await, of_journal(dir, sql));
        assert!(!here.is_empty(), "the test says something about {table}");
        assert_eq!(there, here, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_was_said_is_there() {
    let Some(cluster) = Cluster::migrated("records").await else { return };
    let (admin, dir) = (cluster.admin().await, tempfile::tempdir().expect("there is room"));
    let mut book = Book::open(dir.path());
    say_everything(&mut book);
    assert_eq!(forwarded(&book, cluster.settings("edge-1", None)).await, 0);
    assert_same(&admin, dir.path()).await;
    let whole = "select encode(sha256(page), 'hex') = page_sha256 and length(page) = 300000
                   and convert_from(page, 'UTF8') like '<p>班次 A</p>%'
                 from capline.report_by_name";
    assert!(admin.query_one(whole, &[]).await.expect("the report").get::<_, bool>(0));

    // A period that is corrected, and an incident that grows: each is one row, the new one.
    book.put(|tick| tick.rollups = vec![rollup(4)]);
    book.historian.put_incident(&line(), incident(6, true)).expect("kept");
    assert_eq!(forwarded(&book, cluster.settings("edge-1", None)).await, 0);
    assert_same(&admin, dir.path()).await;
    assert_eq!(of_plant(&admin, "rollup", "rev::text").await, ["4"]);
    assert_eq!(of_plant(&admin, "incident", "points::text").await, ["6"]);
}

/// What the journal held before it had this outbox is in it from the start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_before_the_outbox_is_sent_too() {
    let Some(cluster) = Cluster::migrated("earlier records").await else { return };
    let (admin, dir) = (cluster.admin().await, tempfile::tempdir().expect("there is room"));
    let mut book = Book::open(dir.path());
    say_everything(&mut book);
    drop(book);
    let conn = rusqlite::Connection::open(database(dir.path())).expect("it is there");
    let triggers: Vec<String> = conn
        .prepare("select name from sqlite_schema where type = 'trigger' and sql like '%into record_change%'")
        .and_then(|mut find| find.query_map([], |row| row.get(0))?.collect())
        .expect("triggers");
    assert_eq!(triggers.len(), 12);
    let drop_all: String = triggers.iter().map(|name| format!("drop trigger {name};")).collect();
    conn.execute_batch(&format!(
        "{drop_all} drop table record_change; delete from migration where step = 9"
    ))
    .expect("as it was before");
    drop(conn);
    let book = Book::open(dir.path());
    assert_eq!(forwarded(&book, cluster.settings("edge-1", None)).await, 0);
    assert_same(&admin, dir.path()).await;
}

/// A bad row is laid aside with an alarm; what was said before and after it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_the_database_refuses_is_laid_aside() {
    let Some(cluster) = Cluster::migrated("dead records").await else { return };
    let (admin, dir) = (cluster.admin().await, tempfile::tempdir().expect("there is room"));
    let book = Book::open(dir.path());
    let note = |n: i64| GapNote {
        gap: GapId::Event(n),
        at_us: T0_US + n,
        author: "An".to_owned(),
        // PostgreSQL has no text with a zero character, SQLite has.
        text: if n == 40 { "torn \0 text".to_owned() } else { format!("note {n}") },
    };
    book.historian.add_gap_notes(&line(), (1..=100).map(note).collect(), &by()).expect("kept");
    let (forwarder, mut alarms) = book.forward(cluster.settings("edge-1", None));
    let stats = drained(&forwarder, &book).await;
    let record = stats.streams.iter().find(|stream| stream.name == "record").expect("records");
    assert_eq!(record.dead_letters, 1);
    assert!(record.last_error.as_deref().is_some_and(|why| !why.is_empty()), "{record:?}");
    forwarder.stop().await;
    let alarm = alarms.recv().await.expect("an alarm");
    assert!(alarm.starts_with("record 40 is laid aside in capline.dead_letter"), "{alarm}");
    let notes = of_plant(&admin, "gap_note", "gap").await;
    assert_eq!(notes.len(), 99);
    assert!(!notes.contains(&"e40".to_owned()));
    let sql = "select stream, row from capline.dead_letter";
    let letter = admin.query_one(sql, &[]).await.expect("one letter");
    assert_eq!(letter.get::<_, String>(0), "record");
    let row: String = letter.get(1);
    assert!(row.contains("\"L1\"") && row.contains("torn \\u0000 text"), "{row}");
}
