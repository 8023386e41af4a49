//! What is wrong from the start: a server that is not there, or not the one that the map means.

use tokio::net::TcpListener;

use super::*;
use crate::sources::tests::holding;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_booked_and_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let since = Instant::now();
    let mut line = Line::start(config(&address, &[50], vec![node("0", 0)]));
    line.until(|s| s.outcome == Outcome::Missed(Miss::Disconnected)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let failed = line.sources.final_poll(Duration::from_millis(100)).await;
    assert_eq!(failed.len(), 1);
    let paces = line.stop().await;
    let most = since.elapsed().as_millis() as u64 / 50 + 1;
    assert!((8..=most).contains(&paces[0].planned), "at most {most}: {paces:?}");
    assert_eq!(paces[0].done, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_the_server_does_not_know_is_no_connection() {
    let plc = Plc::start(1).await;
    let protocol = Protocol::OpcUa(OpcUaOptions { namespace: "urn:elsewhere".into() });
    let map = map(protocol, &[50], vec![node("0", 0)]);
    let mut line = Line::start(device(map, format!("opc.tcp://{}/", plc.address)));
    for _ in 0..5 {
        line.until(|s| s.outcome == Outcome::Missed(Miss::ConnectFailed)).await;
        assert!(plc.sessions() <= 1, "each session that was of no use is closed");
    }
    line.stop().await;
}

#[test]
fn an_address_of_another_kind_is_said_at_the_start() {
    let (out, _queue) = mpsc::channel(1);
    let mut config = config("x", &[50], vec![node("0", 0)]);
    config.address = "192.168.1.10:4840".into();
    let error = Sources::start(
        vec![Feed { line: domain::units::LineId::new("L1"), device: 0, config, out }],
        Clock::real(),
    )
    .err()
    .unwrap();
    assert!(error.to_string().contains("write opc.tcp://host:port"), "{error}");
}

#[test]
fn a_register_in_a_map_of_nodes_is_said_at_the_start() {
    let (out, _queue) = mpsc::channel(1);
    let config = config("127.0.0.1:1", &[50], vec![holding(0, Kind::Unsigned(16), 0)]);
    let error = Sources::start(
        vec![Feed { line: domain::units::LineId::new("L1"), device: 0, config, out }],
        Clock::real(),
    )
    .err()
    .unwrap();
    assert!(error.to_string().contains("does not belong to the protocol"), "{error}");
}
