//! How fast three days of twenty lines go, and how late the present is meanwhile. Asked for by `CAPLINE_MEASURE=1`:
//! a figure is for a quiet machine and a release build, `cargo test --release --test it measure -- --nocapture`.

use std::time::{Duration, Instant};

use domain::line::minute::{Counted, Minute, Tally};
use domain::units::{Count, Reason, StationId};

use super::book::{Book, event, minute, sums};
use super::cluster::Cluster;
use crate::harness::{PATIENCE, until};

const LINES: usize = 20;
const MINUTES: i64 = 3 * 1_440;
/// Minutes in a tick: a tick costs a sync of the disk.
const TICK: i64 = 60;
/// The present must not be later than this while the past is sent.
const LATEST: Duration = Duration::from_secs(2);

/// A minute with ten counters.
fn full_minute(n: i64) -> Minute {
    let mut full = minute(n, true, 0);
    let reject = |n: u64| Tally {
        station: StationId::new("CF01"),
        counted: Counted::Reject(Reason::new(format!("reason_{n}"))),
        count: Count::exact(n),
    };
    full.tallies.extend((0..7).map(reject));
    full
}

fn three_days(book: &mut Book) {
    for line in 0..LINES {
        book.turn_to(&format!("L{}", line + 1));
        for tick in 0..MINUTES / TICK {
            let minutes = (tick * TICK..(tick + 1) * TICK).map(full_minute).collect();
            let events = (0..100).map(|n| event(tick as u64, n)).collect();
            book.store(events, minutes);
        }
    }
    book.turn_to("L1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure_three_days_of_twenty_lines() {
    if std::env::var_os("CAPLINE_MEASURE").is_none() {
        return;
    }
    let Some(cluster) = Cluster::migrated("measure").await else { return };
    let admin = cluster.admin().await;
    let dir = tempfile::tempdir().expect("there is room");
    let mut book = Book::open(dir.path());
    three_days(&mut book);
    let wanted = Book::sums(dir.path());
    let began = Instant::now();
    let (forwarder, _alarms) = book.forward(cluster.settings("edge-1", None));
    let mut latest = Duration::ZERO;
    let mut n = 0;
    loop {
        book.tick(1);
        n += 1;
        let (stored, seq) = (Instant::now(), Book::sums(dir.path()).events);
        let there = "select exists (select from capline.event where seq = $1)";
        until("the present", PATIENCE, async || {
            let row = admin.query_one(there, &[&seq]).await.expect("it is there");
            if row.get(0) { Ok(()) } else { Err(format!("{:?}", forwarder.status().read())) }
        })
        .await;
        latest = latest.max(stored.elapsed());
        let stats = forwarder.status().read();
        if stats.streams.len() == 3 && stats.streams.iter().all(|stream| stream.backlog == 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let took = began.elapsed();
    forwarder.stop().await;
    let there = sums(&admin, "edge-1").await;
    assert_eq!(there, Book::sums(dir.path()));
    let rows = wanted.events + wanted.minutes + wanted.counts;
    let rate = rows as f64 / took.as_secs_f64();
    println!(
        "{rows} rows in {took:.1?}: {rate:.0} rows/s; {n} events of the present, the latest {latest:.2?} late"
    );
    assert!(latest < LATEST, "the present was {latest:?} late");
}
