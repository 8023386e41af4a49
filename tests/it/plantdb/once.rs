//! Each row once, whatever dies on the way. The control sends first and acknowledges afterwards, and must not hold.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use capline::historian::forward::Forwarder;
use tokio_postgres::{Client, NoTls};

use super::book::{Book, Sums, database, drained, event, minute, sums};
use super::cluster::{Cluster, password};
use super::proxy::{Fault, Proxy};
use crate::harness::{PATIENCE, Site, until};
use crate::process::Process;

/// Faults of a run: more by `CAPLINE_FAULTS`.
fn n_faults() -> usize {
    std::env::var("CAPLINE_FAULTS").ok().and_then(|n| n.parse().ok()).unwrap_or(20)
}

/// A random number below a bound.
fn below(bound: usize) -> usize {
    uuid::Uuid::new_v4().as_u64_pair().1 as usize % 0xffff_ffff % bound
}

/// Ends every connection of a role on the server's side.
async fn terminate(admin: &Client, user: &str) {
    let sql = "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1";
    admin.execute(sql, &[&user]).await.expect("an administrator may do so");
}

/// One fault of four kinds. True for the one that is for the caller: the client dies.
async fn fault(proxy: &Proxy, admin: &Client, user: &str) -> bool {
    match below(4) {
        0 => return true,
        1 => terminate(admin, user).await,
        2 => {
            proxy.set(Fault::CutAfter(below(400_000)));
            tokio::time::sleep(Duration::from_millis(200)).await;
            proxy.mend();
        }
        _ => {
            proxy.set(Fault::Silent);
            tokio::time::sleep(Duration::from_millis(below(300) as u64)).await;
            proxy.mend();
        }
    }
    false
}

/// Fills the journal beside everything else until told to end.
fn fill(mut book: Book, end: Arc<AtomicBool>) -> std::thread::JoinHandle<Book> {
    std::thread::spawn(move || {
        while !end.load(Ordering::Relaxed) {
            book.tick(300);
            if book.next.is_multiple_of(10) {
                // A minute of the past is corrected: it moves to the end of its stream.
                let past = (book.next / 2) as i64;
                book.store(vec![event(book.next, 0)], vec![minute(past, true, 1)]);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        book
    })
}

/// Shows: HIS-06
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_arrives_once_whatever_dies() {
    let Some(cluster) = Cluster::migrated("exactly once").await else { return };
    let (proxy, admin) = (Proxy::start(cluster.port()).await, cluster.admin().await);
    let dir = tempfile::tempdir().expect("there is room");
    let book = Book::open(dir.path());
    let historian = book.historian.clone();
    let end = Arc::new(AtomicBool::new(false));
    let filler = fill(book, end.clone());
    let start = || {
        let settings = cluster.settings("edge-1", Some(proxy.port()));
        historian.forward(settings).expect("forwarding starts").0
    };
    let mut forwarder: Forwarder = start();
    for _ in 0..n_faults() {
        tokio::time::sleep(Duration::from_millis(below(600) as u64)).await;
        if fault(&proxy, &admin, "capline_writer").await {
            // As sudden as a kill: nothing is said, the connection is gone.
            drop(forwarder);
            forwarder = start();
        }
    }
    end.store(true, Ordering::Relaxed);
    let book = filler.join().expect("the journal was filled");
    drained(&forwarder, &book).await;
    forwarder.stop().await;
    assert_once(&admin, dir.path()).await;
}

/// Rows = distinct rows = watermark, and every figure is that of the journal.
async fn assert_once(admin: &Client, journal: &Path) {
    let there = sums(admin, "edge-1").await;
    assert!(there.events > 1_000, "{there:?}");
    assert_eq!(there, Book::sums(journal));
    let row = admin
        .query_one(
            "select count(*), count(distinct (line_id, seq)), min(seq), max(seq),
               (select last_seq from capline.edge_stream where stream = 'event'),
               (select count(*) from capline.edge_backlog), (select count(*) from capline.dead_letter)
             from capline.event",
            &[],
        )
        .await
        .expect("the tables are there");
    let of = |column: usize| row.get::<_, Option<i64>>(column);
    let n = Some(there.events);
    assert_eq!((of(0), of(1), of(2), of(3), of(4)), (n, n, Some(1), n, n));
    assert_eq!((of(5), of(6)), (Some(0), Some(0)));
}

/// The control: the same faults against a sender that acknowledges in a transaction of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sending_before_acknowledging_doubles_rows() {
    let Some(cluster) = Cluster::migrated("send, then acknowledge").await else { return };
    let (proxy, admin) = (Proxy::start(cluster.port()).await, cluster.admin().await);
    admin
        .batch_execute(
            &format!(
                "create table sent (seq bigint); create table acknowledged (seq bigint);
                 insert into acknowledged values (0); create role sender login superuser password '{}'",
                password()
            ),
        )
        .await
        .expect("an administrator may do so");
    let dir = tempfile::tempdir().expect("there is room");
    let mut book = Book::open(dir.path());
    for _ in 0..400 {
        book.tick(300);
    }
    let start = || tokio::spawn(send_then_acknowledge(dir.path().to_owned(), proxy.port()));
    let mut sender = start();
    for _ in 0..300 {
        tokio::time::sleep(Duration::from_millis(below(60) as u64)).await;
        if fault(&proxy, &admin, "sender").await || sender.is_finished() {
            sender.abort();
            sender = start();
        }
        let sql = "select count(*), count(distinct seq) from sent";
        let row = admin.query_one(sql, &[]).await.expect("the table is there");
        if row.get::<_, i64>(0) > row.get::<_, i64>(1) {
            return;
        }
        if row.get::<_, i64>(1) == book_events(dir.path()) {
            admin.batch_execute("truncate sent; update acknowledged set seq = 0").await.ok();
        }
    }
    panic!("300 faults and no row was doubled: the faults do not hit what they should");
}

fn book_events(journal: &Path) -> i64 {
    let Sums { events, .. } = Book::sums(journal);
    events
}

async fn send_then_acknowledge(
    journal: std::path::PathBuf,
    port: u16,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(port).dbname("postgres").user("sender").password(password());
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    loop {
        let last: i64 = client.query_one("select max(seq) from acknowledged", &[]).await?.get(0);
        let seqs = next_events(&journal, last)?;
        let Some(head) = seqs.last() else { return Ok(()) };
        client.execute("insert into sent select unnest($1::bigint[])", &[&seqs]).await?;
        client.execute("update acknowledged set seq = $1", &[head]).await?;
    }
}

fn next_events(journal: &Path, last: i64) -> rusqlite::Result<Vec<i64>> {
    let conn = rusqlite::Connection::open(database(journal))?;
    let mut find = conn.prepare("select seq from event where seq > ?1 order by seq limit 300")?;
    find.query_map([last], |row| row.get(0))?.collect()
}

/// The whole service, killed by the system in the middle of its backlog.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_goes_on_where_the_database_is() {
    let Some(cluster) = Cluster::migrated("kill -9").await else { return };
    let admin = cluster.admin().await;
    let site = Site::new();
    // Nothing listens there: the line reads nothing and ticks all the same.
    site.configure(crate::harness::any_port(), "CF01", &[(crate::harness::FILLER, "127.0.0.1:9")]);
    let mut book = Book::open(&site.data());
    for _ in 0..200 {
        book.tick(500);
    }
    drop(book);
    let secret = site.path().join("secret");
    write_secret(&secret, 0o600);
    let database = format!(
        "[database]\nurl = 'postgres://capline_writer@127.0.0.1:{}/postgres'\nedge = 'edge-1'\npassword_file = 'secret'\n",
        cluster.port()
    );
    let text = std::fs::read_to_string(site.file()).expect("it is there");
    std::fs::write(site.file(), database + &text).expect("it is writable");
    for _ in 0..5 {
        let mut service = Process::run(&site.file());
        service.api().await;
        tokio::time::sleep(Duration::from_millis(below(400) as u64)).await;
        service.kill();
    }
    let mut service = Process::run(&site.file());
    let api = service.api().await;
    until("the end of the backlog", PATIENCE * 3, async || {
        let there = sums(&admin, "edge-1").await;
        let wanted = Book::sums(&site.data());
        if there == wanted { Ok(()) } else { Err(format!("{there:?} of {wanted:?}, {api:?}")) }
    })
    .await;
    until("figures of forwarding", PATIENCE, async || {
        let forward = api.get("/api/v1/forward").await?;
        let streams = forward["database"]["streams"].as_array().cloned().unwrap_or_default();
        let is_idle = |stream: &serde_json::Value| stream["waiting"] == 0 && stream["lag_ms"] == 0;
        let names: Vec<&str> =
            streams.iter().filter_map(|stream| stream["name"].as_str()).collect();
        let done = names == ["event", "stop", "minute", "record"] && streams.iter().all(is_idle);
        if done { Ok(()) } else { Err(forward.to_string()) }
    })
    .await;
    service.signal(rustix::process::Signal::TERM);
    let status = service.exit(PATIENCE).await;
    assert!(status.success(), "{status}: {:#?}", service.stderr());
    // The events of the stop itself went as well.
    assert_once(&admin, &site.data()).await;
}

fn write_secret(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, format!("{}\n", password())).expect("it is writable");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
}

/// After a long outage the present comes first, and the past is complete in the end.
/// Shows: HIS-06
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_present_overtakes_a_backlog() {
    let Some(cluster) = Cluster::migrated("backlog").await else { return };
    let admin = cluster.admin().await;
    let dir = tempfile::tempdir().expect("there is room");
    let mut book = Book::open(dir.path());
    for _ in 0..600 {
        book.tick(300);
    }
    let left_behind = book_events(dir.path());
    let (forwarder, _alarms) = book.forward(cluster.settings("edge-1", None));
    until("the first rows", PATIENCE, async || {
        let backlog = "select count(*) from capline.edge_backlog where stream = 'event'";
        let n: i64 = admin.query_one(backlog, &[]).await.expect("it is there").get(0);
        if n == 1 { Ok(()) } else { Err(n.to_string()) }
    })
    .await;
    let mut overtaken = 0;
    loop {
        book.tick(1);
        let present = book_events(dir.path());
        let sql = "select exists (select from capline.event where seq = $1),
                     (select count(*) from capline.event where seq <= $2)";
        let past: i64 = until("the present", PATIENCE, async || {
            let row = admin.query_one(sql, &[&present, &left_behind]).await.expect("it is there");
            if row.get(0) {
                Ok(row.get(1))
            } else {
                Err(format!("{:?}", forwarder.status().read()))
            }
        })
        .await;
        if past == left_behind {
            break;
        }
        overtaken += 1;
    }
    assert!(overtaken > 0, "no event of the present came before the last one of the past");
    drained(&forwarder, &book).await;
    forwarder.stop().await;
    assert_once(&admin, dir.path()).await;
}

/// A bad row is laid aside and said; all others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_the_database_refuses_is_laid_aside() {
    let Some(cluster) = Cluster::migrated("dead letter").await else { return };
    let admin = cluster.admin().await;
    let dir = tempfile::tempdir().expect("there is room");
    let mut book = Book::open(dir.path());
    for tick in 1..=20 {
        let mut events: Vec<_> = (0..100).map(|n| event(tick, n)).collect();
        if tick == 7 || tick == 13 {
            // PostgreSQL has no text with a zero character, SQLite has.
            events[50].detail = "torn \0 text".to_owned();
        }
        book.store(events, vec![minute(tick as i64, true, 0)]);
    }
    let (forwarder, mut alarms) = book.forward(cluster.settings("edge-1", None));
    let stats = drained(&forwarder, &book).await;
    forwarder.stop().await;
    let seqs: Vec<i64> = admin
        .query("select seq from capline.dead_letter order by seq", &[])
        .await
        .expect("it is there")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(seqs, [651, 1_251]);
    let there = sums(&admin, "edge-1").await;
    assert_eq!((there.events, there.minutes), (1_998, 20));
    assert_eq!(stats.streams[0].dead_letters, 2);
    let alarm = alarms.recv().await.expect("an alarm");
    assert!(alarm.starts_with("event 651 is laid aside"), "{alarm}");
    let row: String = admin
        .query_one("select row from capline.dead_letter where seq = 651", &[])
        .await
        .expect("it is there")
        .get(0);
    assert!(row.contains("torn \\u0000 text"), "{row}");
}

/// The minute that is not over yet is there too, and counts on until it is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_open_minute_is_shown_and_written_over() {
    let Some(cluster) = Cluster::migrated("open minutes").await else { return };
    let admin = cluster.admin().await;
    let dir = tempfile::tempdir().expect("there is room");
    let mut book = Book::open(dir.path());
    let (forwarder, _alarms) = book.forward(cluster.settings("edge-1", None));
    for (rev, closed, capsules) in [(0, false, 13_008), (1, false, 13_010), (2, true, 13_012)] {
        book.store(Vec::new(), vec![minute(1, closed, rev)]);
        until("the minute", PATIENCE, async || {
            let there = sums(&admin, "edge-1").await;
            let seen = (there.minutes, there.counts, there.capsules);
            let wanted = (i64::from(closed), 3, capsules);
            if seen == wanted { Ok(()) } else { Err(format!("{seen:?} of {wanted:?}")) }
        })
        .await;
    }
    forwarder.stop().await;
}
