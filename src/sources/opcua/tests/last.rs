//! The last poll.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_poll_reads_every_node() {
    let plc = Plc::start(2).await;
    let mut line = Line::start(config(&plc.address, &[50, 500], vec![node("0", 0), node("1", 1)]));
    line.value(1, 0).await;
    plc.set(0, 41, StatusCode::Good);
    plc.set(1, 42, StatusCode::Good);
    assert_eq!(line.sources.final_poll(Duration::from_secs(5)).await, []);
    while let Ok(snapshot) = line.queue.try_recv() {
        line.received.push(snapshot);
    }
    for (group, expected) in [(0, 41), (1, 42)] {
        let last = line.received.iter().rfind(|s| s.group == group).unwrap();
        assert_eq!(
            readings(last).iter().map(|r| &r.value).collect::<Vec<_>>(),
            [&Value::Unsigned(expected)]
        );
        assert!(last.round_trip_us > 0, "it is the read itself");
    }
    line.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_poll_waits_for_a_server_that_is_away_for_a_moment() {
    let plc = Plc::start(1).await;
    let proxy = Proxy::start(plc.address.clone()).await;
    let mut line = Line::start(config(&proxy.address, &[50], vec![node("0", 0)]));
    line.value(0, 0).await;
    proxy.wire.send(Wire::Cut).unwrap();
    line.until(is_missed).await;
    plc.set(0, 7, StatusCode::Good);
    let back = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy.wire.send(Wire::Sound).unwrap();
    };
    let (failed, ()) = tokio::join!(line.sources.final_poll(Duration::from_secs(10)), back);
    assert_eq!(failed, []);
    while let Ok(snapshot) = line.queue.try_recv() {
        line.received.push(snapshot);
    }
    let last = line.received.iter().rfind(|s| !readings(s).is_empty()).unwrap();
    assert_eq!(readings(last)[0].value, Value::Unsigned(7));
    line.stop().await;
}
