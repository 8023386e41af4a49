//! A line that is cut or silent, and a server that comes back.

use super::*;
use crate::sources::tests::{alone, held, reconnects};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_is_back_within_a_second_of_a_cut() {
    let plc = Plc::start(1).await;
    let proxy = Proxy::start(plc.address.clone()).await;
    let mut line = Line::start(config(&proxy.address, &[50], vec![node("0", 0)]));
    line.value(0, 0).await;
    for n in 1..=3 {
        proxy.wire.send(Wire::Cut).unwrap();
        line.until(is_missed).await;
        plc.set(0, n, StatusCode::Good);
        let since = Instant::now();
        proxy.wire.send(Wire::Sound).unwrap();
        line.value(0, n).await;
        assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
        // And it goes on after the first values, which is where the library's own reconnect fails.
        plc.set(0, n + 100, StatusCode::Good);
        line.value(0, n + 100).await;
    }
    line.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_looks_alive_and_brings_nothing_is_given_up() {
    let plc = Plc::start(1).await;
    let proxy = Proxy::start(plc.address.clone()).await;
    let mut line = Line::start(config(&proxy.address, &[50], vec![node("0", 0)]));
    line.value(0, 0).await;
    // An idle line is no dead line: keep-alives hold it.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    while let Ok(snapshot) = line.queue.try_recv() {
        assert!(!is_missed(&snapshot));
        line.received.push(snapshot);
    }
    let since = Instant::now();
    proxy.wire.send(Wire::Swallow).unwrap();
    let missed = line.until(is_missed).await;
    assert_eq!(missed.outcome, Outcome::Missed(Miss::Timeout));
    assert!(missed.polls >= 9, "half a second and more, in intervals of 50 ms: {}", missed.polls);
    assert!(since.elapsed() < Duration::from_millis(1_600), "{:?}", since.elapsed());
    proxy.wire.send(Wire::Cut).unwrap();
    plc.set(0, 5, StatusCode::Good);
    proxy.wire.send(Wire::Sound).unwrap();
    line.value(0, 5).await;
    line.stop().await;
}

/// Its backoff may have grown long by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_after_a_long_time_is_read_at_once() {
    let plc = Plc::start(1).await;
    let proxy = Proxy::start(plc.address.clone()).await;
    let mut patient = config(&proxy.address, &[50], vec![node("0", 0)]);
    patient.backoff = (Duration::from_millis(100), Duration::from_secs(60));
    let mut line = Line::start(patient);
    line.value(0, 0).await;
    proxy.wire.send(Wire::Cut).unwrap();
    line.until(is_missed).await;
    // Doubled at each attempt, the wait would be beyond six seconds.
    tokio::time::sleep(Duration::from_secs(4)).await;
    plc.set(0, 7, StatusCode::Good);
    let since = Instant::now();
    proxy.wire.send(Wire::Sound).unwrap();
    line.value(0, 7).await;
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    eprintln!("read again after {:?}", since.elapsed());
    line.stop().await;
}

#[test]
fn a_black_hole_is_noticed_within_little_more_than_a_second() {
    for (publishing_ms, patience_ms) in
        [(10, 600), (50, 1_000), (100, 1_100), (500, 1_100), (501, 2_002), (5_000, 11_000)]
    {
        let patience = crate::sources::opcua::patience(Duration::from_millis(publishing_ms));
        assert_eq!(patience, Duration::from_millis(patience_ms), "{publishing_ms}");
    }
}

/// In a process of its own, because other tests open sockets too. `CAPLINE_RECONNECTS=500` is the long form.
#[test]
fn reconnecting_leaks_no_socket_no_thread_and_no_session() {
    const NAME: &str =
        "sources::opcua::tests::outages::reconnecting_leaks_no_socket_no_thread_and_no_session";
    if !alone(NAME) {
        return;
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let n = reconnects(12);
        let plc = Plc::start(1).await;
        let proxy = Proxy::start(plc.address.clone()).await;
        let mut line = Line::start(config(&proxy.address, &[50], vec![node("0", 0)]));
        line.value(0, 0).await;
        let mut slowest = Duration::ZERO;
        let (mut before, mut tasks) = ((0, 0), 0);
        for i in 1..=n {
            proxy.wire.send(Wire::Cut).unwrap();
            line.until(is_missed).await;
            plc.set(0, i, StatusCode::Good);
            let since = Instant::now();
            proxy.wire.send(Wire::Sound).unwrap();
            line.value(0, i).await;
            slowest = slowest.max(since.elapsed());
            line.received.clear();
            if i == 2 {
                // The first connections start threads of the runtime, which stay.
                before = held();
                tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
            }
        }
        let after = held();
        // Connections that were cut leave when their ends have noticed.
        assert!(after.0 <= before.0 + 2 && after.1 <= before.1 + 1, "{before:?} {after:?}");
        let alive = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        assert!(alive <= tasks + 8, "{tasks} tasks became {alive}");
        eprintln!("{n} reconnects, the slowest {slowest:?}, held {before:?} {after:?}");
        // The server keeps a session whose connection was cut until its timeout, and none beyond.
        let deadline = Instant::now() + Duration::from_secs(40);
        while plc.sessions() > 1 {
            assert!(Instant::now() < deadline, "{} sessions are left", plc.sessions());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        line.sources.stop().await;
    });
}
