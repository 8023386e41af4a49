//! What is read: values with quality and time, all of them, and what a server does less than asked.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_come_with_quality_and_source_time_and_one_bad_node_stops_nothing() {
    let plc = Plc::start(2).await;
    let tags = vec![node("0", 0), node("missing", 0), node("1", 1)];
    let mut line = Line::start(config(&plc.address, &[50, 200], tags));
    let first = line.until(|s| readings(s).iter().any(|r| r.tag == 1)).await;
    let bad = readings(&first).iter().find(|r| r.tag == 1).unwrap();
    assert_eq!((bad.quality, bad.status), (Quality::Bad, StatusCode::BadNodeIdUnknown.bits()));
    line.value(0, 0).await;
    line.value(2, 0).await;

    let before = Clock::real().now().utc_us;
    plc.set(0, 17, StatusCode::Good);
    let reading = line.value(0, 17).await;
    let after = Clock::real().now().utc_us;
    assert_eq!((reading.quality, reading.status), (Quality::Good, 0));
    let source = reading.source_us.unwrap();
    assert!((before - 1_000..=after).contains(&source), "{before} {source} {after}");

    // The same value turns bad: without a filter this would not be reported.
    plc.set(0, 17, StatusCode::BadNoCommunication);
    let code = StatusCode::BadNoCommunication.bits();
    line.until(|s| {
        readings(s).iter().any(|r| r.tag == 0 && r.quality == Quality::Bad && r.status == code)
    })
    .await;
    plc.set(0, 18, StatusCode::UncertainLastUsableValue);
    assert_eq!(line.value(0, 18).await.quality, Quality::Uncertain);
    assert_eq!(plc.sessions(), 1);
    let paces = line.stop().await;
    assert!(paces.iter().all(|pace| pace.done > 0));
    let since = Instant::now();
    while plc.sessions() > 0 {
        assert!(
            since.elapsed() < Duration::from_secs(2),
            "the session is closed on the server too"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_update_of_a_fast_source_arrives() {
    let plc = Plc::start(1).await;
    let mut line = Line::start(config(&plc.address, &[50], vec![node("0", 0)]));
    line.value(0, 0).await;
    for n in 1..=100 {
        plc.set(0, n, StatusCode::Good);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    line.value(0, 100).await;
    let values: Vec<Value> =
        line.received.iter().flat_map(|s| readings(s).iter().map(|r| r.value.clone())).collect();
    assert_eq!(values, (0..=100).map(Value::Unsigned).collect::<Vec<_>>());
    line.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_thousand_values_come_at_once() {
    let plc = Plc::start(1_500).await;
    let tags = (0..1_500).map(|i| node(&i.to_string(), 0)).collect();
    let mut line = Line::start(config(&plc.address, &[100], tags));
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 1_500 {
        let snapshot = line.until(|s| !readings(s).is_empty()).await;
        seen.extend(readings(&snapshot).iter().map(|r| r.tag));
    }
    assert!(!line.received.iter().any(|s| s.outcome == Outcome::Missed(Miss::Broken)));
    line.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_less_than_asked_raises_an_alarm() {
    let plc = Plc::start(1).await;
    let mut line = Line::start(config(&plc.address, &[50, 1_000], vec![node("0", 0)]));
    let mut alarms = line.sources.alarms().unwrap();
    assert!(line.sources.alarms().is_none(), "there is one who hears them");
    line.value(0, 0).await;
    let standing = line.sources.standings().remove(0);
    assert_eq!((standing.sessions, standing.certificates.len()), (1, 0));
    assert_eq!(standing.groups.len(), 1, "the other group has no nodes: {standing:?}");
    let group = &standing.groups[0];
    assert!(group.publishing <= Duration::from_millis(50) && group.queue >= 100, "{group:?}");
    assert!(alarms.try_recv().is_err());
    line.stop().await;

    // A PLC with a slow cycle and room for one value.
    let plc = Plc::start_with(1, |mut builder| {
        let limits = &mut builder.limits_mut().subscriptions;
        limits.min_publishing_interval_ms = 200.0;
        limits.min_sampling_interval_ms = 200.0;
        limits.max_monitored_item_queue_size = 1;
        open(builder)
    })
    .await;
    let mut line = Line::start(config(&plc.address, &[50], vec![node("0", 0)]));
    let mut alarms = line.sources.alarms().unwrap();
    line.value(0, 0).await;
    let raised: Vec<String> =
        std::iter::from_fn(|| alarms.try_recv().ok()).map(|alarm| alarm.detail).collect();
    for word in ["publishes every 200ms", "samples every 200ms", "keeps 1 values"] {
        assert!(raised.iter().any(|detail| detail.contains(word)), "{word}: {raised:?}");
    }
    line.stop().await;
}
