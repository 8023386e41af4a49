//! The weigher as an OPC UA client sees it.

use std::{sync::Arc, time::Duration};

use opcua::{
    client::{ClientBuilder, DataChangeCallback, IdentityToken, Session},
    types::{
        AttributeId, DataChangeFilter, DataChangeTrigger, DataValue, EndpointDescription,
        ExtensionObject, MessageSecurityMode, MonitoredItemCreateRequest, MonitoringMode,
        MonitoringParameters, NodeId, ReadValueId, StatusCode, TimestampsToReturn, UserTokenPolicy,
        Variant, WriteValue,
    },
};
use tokio::{io::AsyncReadExt, net::TcpStream, sync::mpsc, time::timeout};

use crate::{Event, Fault, NAMESPACE, Plant, PlantConfig, State};

const TOTAL: &str = "CW04.Statistic.TotalPackages.ItemCount";
const PATIENCE: Duration = Duration::from_secs(10);

/// A running plant, an OPC UA session with it and the index of the namespace.
async fn connect(plant: &Plant) -> (Arc<Session>, u16) {
    let mut client = ClientBuilder::new()
        .application_name("simulator test")
        .application_uri("urn:capline:simulator:test")
        .pki_dir(std::env::temp_dir().join("capline-sim-test-pki"))
        .session_retry_limit(0)
        .client()
        .unwrap();
    let url = plant.opcua_url();
    let none = opcua::crypto::SecurityPolicy::None.to_str();
    let anonymous = UserTokenPolicy::anonymous();
    let endpoint: EndpointDescription =
        (url.as_str(), none, MessageSecurityMode::None, anonymous).into();
    let connecting = client.connect_to_matching_endpoint(endpoint, IdentityToken::Anonymous);
    let (session, events) = timeout(PATIENCE, connecting).await.unwrap().unwrap();
    events.spawn();
    assert!(timeout(PATIENCE, session.wait_for_connection()).await.unwrap());
    let namespace = session.get_namespace_index(NAMESPACE).await.unwrap();
    (session, namespace)
}

async fn start(change: impl FnOnce(&mut PlantConfig)) -> Plant {
    let mut config =
        PlantConfig { speed: 60.0, start_at_us: 3_600_000_000, ..PlantConfig::default() };
    change(&mut config);
    Plant::start(config).await.unwrap()
}

/// A client that tells two servers apart by their URI must not take one line for another.
#[tokio::test]
async fn the_server_of_each_line_has_a_name_and_a_uri_of_its_own() {
    let plants = [start(|_| {}).await, start(|config| config.line = 2).await];
    let mut said = Vec::new();
    for plant in &plants {
        let client = ClientBuilder::new()
            .application_name("simulator test")
            .application_uri("urn:capline:simulator:test")
            .pki_dir(std::env::temp_dir().join("capline-sim-test-pki"))
            .client()
            .unwrap();
        let endpoints = client.get_server_endpoints_from_url(plant.opcua_url());
        let endpoints = timeout(PATIENCE, endpoints).await.unwrap().unwrap();
        let server = &endpoints[0].server;
        said.push((server.application_uri.to_string(), server.application_name.text.to_string()));
        // The nodes of every line are in one namespace, for which the maps are written.
        let (session, namespace) = connect(plant).await;
        assert!(read(&session, namespace, TOTAL).await.value.is_some());
    }
    let wanted = ["L1", "L2"]
        .map(|line| (format!("urn:capline:simulator:{line}"), format!("Capline simulator {line}")));
    assert_eq!(said, wanted);
}

async fn read(session: &Session, namespace: u16, tag: &str) -> DataValue {
    let items = [ReadValueId::new_value(NodeId::new(namespace, tag))];
    let answer = session.read(&items, TimestampsToReturn::Both, 0.0);
    timeout(PATIENCE, answer).await.unwrap().unwrap().remove(0)
}

#[tokio::test]
async fn nodes_say_what_the_ledger_says() {
    let plant = start(|config| config.held = true).await;
    let (session, namespace) = connect(&plant).await;
    plant.resume();
    tokio::time::sleep(Duration::from_millis(100)).await;
    plant.hold();
    let ledger = plant.ledger();
    let expected = Some(Variant::UInt32(ledger.weigher.passed() as u32));
    // The nodes show the held plant at the next push.
    let caught_up = async {
        loop {
            let total = read(&session, namespace, TOTAL).await;
            if total.value == expected {
                return total;
            }
        }
    };
    let total = timeout(PATIENCE, caught_up).await.unwrap();
    let accepted = read(&session, namespace, "CW04.Statistic.TotalPackagesAccepted.ItemCount");
    assert_eq!(accepted.await.value, Some(Variant::UInt32(ledger.weigher.good as u32)));
    let state = read(&session, namespace, "CW04.StateCurrent").await;
    assert_eq!(state.value, Some(Variant::UInt16(State::Running as u16)));
    let batch = read(&session, namespace, "CW04.BatchId").await;
    assert_eq!(batch.value, Some(Variant::from(ledger.batch_id)));
    // Plant time 0 of the default plant is the start of 2 November 2026, UTC.
    let source_time = total.source_timestamp.unwrap().to_string();
    assert!(source_time.starts_with("2026-11-02T01:0"), "{source_time}");
    session.disconnect().await.unwrap();
    plant.stop().await;
}

#[tokio::test]
async fn nodes_cannot_be_written() {
    let plant = start(|_| {}).await;
    let (session, namespace) = connect(&plant).await;
    let node_id = NodeId::new(namespace, TOTAL);
    let value = DataValue::value_only(Variant::UInt32(0));
    let write = WriteValue::new(node_id, AttributeId::Value, Default::default(), value);
    let answer = session.write(&[write]).await.unwrap();
    assert!(answer[0].is_bad(), "{answer:?}");
}

/// Subscribes to the total with every change of value or status.
async fn subscribe(session: &Session, namespace: u16) -> mpsc::UnboundedReceiver<DataValue> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let callback = DataChangeCallback::new(move |value, _| {
        let _ = sender.send(value);
    });
    let every = Duration::from_millis(20);
    let subscription =
        session.create_subscription(every, 200, 10, 1_000, 0, true, callback).await.unwrap();
    let filter = DataChangeFilter {
        trigger: DataChangeTrigger::StatusValueTimestamp,
        ..DataChangeFilter::default()
    };
    let parameters = MonitoringParameters {
        client_handle: 1,
        sampling_interval: 0.0,
        filter: ExtensionObject::from_message(filter),
        queue_size: 100,
        discard_oldest: true,
    };
    let item = ReadValueId::new_value(NodeId::new(namespace, TOTAL));
    let request = MonitoredItemCreateRequest::new(item, MonitoringMode::Reporting, parameters);
    let items = session
        .create_monitored_items(subscription, TimestampsToReturn::Both, vec![request])
        .await
        .unwrap();
    assert_eq!(items[0].result.status_code, StatusCode::Good);
    assert_eq!(items[0].result.revised_sampling_interval, 0.0);
    assert_eq!(items[0].result.revised_queue_size, 100);
    receiver
}

#[tokio::test]
async fn changes_are_pushed_and_a_bad_status_too() {
    let plant = start(|_| {}).await;
    let (session, namespace) = connect(&plant).await;
    let mut values = subscribe(&session, namespace).await;
    let mut totals = Vec::new();
    while totals.len() < 5 {
        let value = timeout(PATIENCE, values.recv()).await.unwrap().unwrap();
        let Some(Variant::UInt32(total)) = value.value else { panic!("{value:?}") };
        totals.push(total);
    }
    assert!(totals.is_sorted(), "{totals:?}");
    plant.hold();
    plant.faults().change(|set| set.opcua.bad_status = true);
    loop {
        let value = timeout(PATIENCE, values.recv()).await.unwrap().unwrap();
        if value.status == Some(StatusCode::BadNoCommunication) {
            break;
        }
    }
    plant.faults().change(|set| set.opcua.bad_status = false);
    let value = timeout(PATIENCE, values.recv()).await.unwrap().unwrap();
    assert!(value.status.is_none_or(|status| status.is_good()), "{value:?}");
}

#[tokio::test]
async fn dropped_sessions_are_gone_and_the_server_comes_back() {
    let plant = start(|_| {}).await;
    let (session, namespace) = connect(&plant).await;
    plant.faults().trigger(Event::DropSessions);
    let items = [ReadValueId::new_value(NodeId::new(namespace, TOTAL))];
    let lost = async {
        while session.read(&items, TimestampsToReturn::Both, 0.0).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, lost).await.unwrap();
    let (session, namespace) = connect(&plant).await;
    let total = read(&session, namespace, TOTAL).await;
    assert!(matches!(total.value, Some(Variant::UInt32(n)) if n > 0), "{total:?}");
}

/// Whether a new connection is closed at once, by who listens.
async fn is_refused(plant: &Plant) -> bool {
    let mut stream = TcpStream::connect(plant.opcua_addr()).await.unwrap();
    let closed = timeout(Duration::from_millis(300), stream.read(&mut [0])).await;
    closed.is_ok_and(|read| read.unwrap_or(0) == 0)
}

#[tokio::test]
async fn a_server_that_is_away_refuses_until_it_is_back() {
    let plant = start(|_| {}).await;
    let (session, namespace) = connect(&plant).await;
    assert!(!is_refused(&plant).await, "the control");
    plant.inject(Fault::OpcuaLoss, None, None).unwrap();
    let items = [ReadValueId::new_value(NodeId::new(namespace, TOTAL))];
    let lost = async {
        while session.read(&items, TimestampsToReturn::Both, 0.0).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while !is_refused(&plant).await {}
    };
    timeout(PATIENCE, lost).await.unwrap();
    timeout(PATIENCE, plant.shown()).await.expect("nobody waits for a server that is away");
    plant.withdraw(Fault::OpcuaLoss);
    let back = async { while is_refused(&plant).await {} };
    timeout(PATIENCE, back).await.unwrap();
    let (session, namespace) = connect(&plant).await;
    let total = read(&session, namespace, TOTAL).await;
    assert!(matches!(total.value, Some(Variant::UInt32(n)) if n > 0), "{total:?}");
}
