//! Against a real server of the same library, through a proxy that can cut the line or swallow what goes over it.
#![allow(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

use std::sync::Arc;
use std::time::Duration;

use domain::plc_map::{Address, Kind, OpcUaOptions, Protocol, Tag};
use domain::reading::{Miss, Outcome, Quality, Reading, Snapshot, Value};
use opcua::server::address_space::VariableBuilder;
use opcua::server::diagnostics::NamespaceMetadata;
use opcua::server::node_manager::memory::{SimpleNodeManager, simple_node_manager};
use opcua::server::{ANONYMOUS_USER_TOKEN_ID, ServerBuilder, ServerEndpoint, ServerHandle};
use opcua::types::{DataTypeId, DataValue, DateTime, NodeId, ObjectId, StatusCode, VariableId};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

use crate::clock::Clock;
use crate::config::DeviceConfig;
use crate::sources::tests::{alone, device, held, holding, map, reconnects, tag};
use crate::sources::{Feed, GroupPace, Label, Sources};

mod security;

const NAMESPACE: &str = "urn:capline:test";

/// A server with variables `s=0`, `s=1`, … of 32 bits.
struct Plc {
    handle: ServerHandle,
    manager: Arc<SimpleNodeManager>,
    ids: Vec<NodeId>,
    address: String,
    _pki: tempfile::TempDir,
}

impl Plc {
    async fn start(variables: u32) -> Plc {
        Plc::start_with(variables, open).await
    }

    async fn start_with(
        variables: u32,
        change: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Plc {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let pki = tempfile::tempdir().unwrap();
        let namespace = NamespaceMetadata { namespace_uri: NAMESPACE.into(), ..Default::default() };
        let mut builder = ServerBuilder::new()
            .application_name("Test PLC")
            .application_uri("urn:capline:test:plc")
            .product_uri("urn:capline:test")
            // The address that it advertises leads nowhere, as that of a PLC behind a router does.
            .host("plc.invalid")
            .port(4840)
            .pki_dir(pki.path())
            .discovery_urls(vec!["opc.tcp://plc.invalid:4840/".into()])
            .with_node_manager(simple_node_manager(namespace, "test"))
            .diagnostics_enabled(true)
            .max_sessions(2_000)
            .subscription_poll_interval_ms(5);
        let limits = builder.limits_mut();
        limits.max_array_length = 100_000;
        limits.max_chunk_count = 1_000;
        limits.max_message_size = 64 << 20;
        limits.subscriptions.min_sampling_interval_ms = 0.0;
        limits.subscriptions.min_publishing_interval_ms = 5.0;
        limits.subscriptions.max_monitored_item_queue_size = 1_000;
        limits.subscriptions.max_monitored_items_per_sub = 10_000;
        let (server, handle) = change(builder).build().unwrap();
        let manager = handle.node_managers().get_of_type::<SimpleNodeManager>().unwrap();
        let index = handle.get_namespace_index(NAMESPACE).unwrap();
        let ids: Vec<NodeId> = (0..variables).map(|i| NodeId::new(index, i.to_string())).collect();
        for id in &ids {
            VariableBuilder::new(id, "value", "value")
                .data_type(DataTypeId::UInt32)
                .organized_by(ObjectId::ObjectsFolder)
                .value(0_u32)
                .insert(&mut *manager.address_space().write());
        }
        tokio::spawn(server.run_with(listener));
        Plc { handle, manager, ids, address, _pki: pki }
    }

    /// Sessions that the server holds.
    fn sessions(&self) -> u32 {
        let id = VariableId::Server_ServerDiagnostics_ServerDiagnosticsSummary_CurrentSessionCount;
        let value = self.handle.info().diagnostics.get(id).unwrap();
        value.value.unwrap().try_cast_to().unwrap()
    }

    fn set(&self, variable: usize, value: u32, status: StatusCode) {
        let now = DateTime::now();
        let value = DataValue {
            value: Some(value.into()),
            status: Some(status),
            source_timestamp: Some(now),
            server_timestamp: Some(now),
            source_picoseconds: None,
            server_picoseconds: None,
        };
        let values = [(&self.ids[variable], None, value)];
        self.manager.set_values(self.handle.subscriptions(), values.into_iter()).unwrap();
    }
}

/// An endpoint without security.
fn open(builder: ServerBuilder) -> ServerBuilder {
    let tokens = [ANONYMOUS_USER_TOKEN_ID.into()];
    builder.add_endpoint("none", ServerEndpoint::new_none("/", &tokens))
}

impl Drop for Plc {
    fn drop(&mut self) {
        self.handle.cancel();
    }
}

/// What the line between client and server does.
#[derive(Clone, Copy, PartialEq)]
enum Wire {
    Sound,
    /// Looks connected, and nothing comes through.
    Swallow,
    /// Every connection is closed, now and when it is made.
    Cut,
}

struct Proxy {
    address: String,
    wire: watch::Sender<Wire>,
}

impl Proxy {
    async fn start(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (wire, state) = watch::channel(Wire::Sound);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, mut state) = (server.clone(), state.clone());
                tokio::spawn(async move {
                    let server = TcpStream::connect(server).await.unwrap();
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let cut = state.clone();
                    tokio::select! {
                        _ = pump(&mut from_client, &mut to_server, state.clone()) => {}
                        _ = pump(&mut from_server, &mut to_client, cut) => {}
                        _ = state.wait_for(|wire| *wire == Wire::Cut) => {}
                    }
                });
            }
        });
        Proxy { address, wire }
    }
}

async fn pump(
    from: &mut tokio::net::tcp::OwnedReadHalf,
    to: &mut tokio::net::tcp::OwnedWriteHalf,
    wire: watch::Receiver<Wire>,
) -> Option<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = vec![0; 65_536];
    loop {
        let n = from.read(&mut buffer).await.ok().filter(|&n| n > 0)?;
        if *wire.borrow() == Wire::Sound {
            to.write_all(&buffer[..n]).await.ok()?;
        }
    }
}

fn node(id: &str, group: u16) -> Tag {
    tag(id, Address::Node(format!("s={id}").into()), Kind::Unsigned(32), group)
}

fn config(address: &str, periods_ms: &[i64], tags: Vec<Tag>) -> DeviceConfig {
    let protocol = Protocol::OpcUa(OpcUaOptions { namespace: NAMESPACE.into() });
    device(map(protocol, periods_ms, tags), format!("opc.tcp://{address}/"))
}

struct Line {
    sources: Sources,
    queue: mpsc::Receiver<Snapshot>,
    received: Vec<Snapshot>,
}

impl Line {
    fn start(config: DeviceConfig) -> Line {
        let (out, queue) = mpsc::channel(10_000);
        let feed = Feed { line: domain::units::LineId::new("L1"), device: 0, config, out };
        let sources = Sources::start(vec![feed], Clock::real()).unwrap();
        Line { sources, queue, received: Vec::new() }
    }

    /// The first snapshot from now on that is as wanted.
    async fn until(&mut self, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let next = timeout_at(deadline, self.queue.recv()).await;
            let snapshot = next.expect("such a snapshot within twenty seconds").unwrap();
            self.received.push(snapshot.clone());
            if wanted(&snapshot) {
                return snapshot;
            }
        }
    }

    /// The reading of a tag with this value, as soon as there is one.
    async fn value(&mut self, tag: u16, value: u32) -> Reading {
        let is = |r: &&Reading| r.tag == tag && r.value == Value::Unsigned(value.into());
        if let Some(reading) = self.received.iter().flat_map(readings).find(is) {
            return reading.clone();
        }
        let snapshot = self.until(|s| readings(s).iter().any(|r| is(&r))).await;
        readings(&snapshot).iter().find(is).unwrap().clone()
    }

    /// Stops, and checks that the snapshots add up to the intervals that passed.
    async fn stop(mut self) -> Vec<GroupPace> {
        let accounts = self.sources.accounts();
        self.sources.stop().await;
        while let Ok(snapshot) = self.queue.try_recv() {
            self.received.push(snapshot);
        }
        let paces: Vec<GroupPace> = accounts.iter().map(|account| account.pace()).collect();
        for (group, pace) in paces.iter().enumerate() {
            let of_group = self.received.iter().filter(|s| usize::from(s.group) == group);
            let polls: u64 = of_group.map(|s| u64::from(s.polls)).sum();
            let missed: u64 = pace.missed.iter().map(|(_, n)| n).sum();
            assert_eq!((polls, polls), (pace.planned, pace.done + missed), "{pace:?}");
        }
        paces
    }
}

fn readings(snapshot: &Snapshot) -> &[Reading] {
    match &snapshot.outcome {
        Outcome::Taken(readings) => readings,
        Outcome::Missed(_) => &[],
    }
}

fn is_missed(snapshot: &Snapshot) -> bool {
    matches!(snapshot.outcome, Outcome::Missed(_))
}

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
        let patience = super::patience(Duration::from_millis(publishing_ms));
        assert_eq!(patience, Duration::from_millis(patience_ms), "{publishing_ms}");
    }
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

/// In a process of its own, because other tests open sockets too. `CAPLINE_RECONNECTS=500` is the long form.
#[test]
fn reconnecting_leaks_no_socket_no_thread_and_no_session() {
    const NAME: &str =
        "sources::opcua::tests::reconnecting_leaks_no_socket_no_thread_and_no_session";
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_walked_through_to_its_end() {
    use crate::sources::{BrowseLimits, MapHead, Shape, browse, map_text};
    let plc = Plc::start(5).await;
    // Two folders that hold each other: a walk must not run in their circle.
    let namespace = plc.ids[0].namespace;
    let [circle, back] = ["circle", "back"].map(|name| NodeId::new(namespace, name));
    {
        use opcua::server::address_space::ObjectBuilder;
        use opcua::types::ReferenceTypeId::Organizes;
        let mut space = plc.manager.address_space().write();
        ObjectBuilder::new(&circle, "circle", "circle")
            .organized_by(ObjectId::ObjectsFolder)
            .insert(&mut *space);
        ObjectBuilder::new(&back, "back", "back").organized_by(circle.clone()).insert(&mut *space);
        space.insert_reference(&back, &circle, Organizes);
        space.insert_reference(&plc.ids[4], &circle, Organizes);
        VariableBuilder::new(&NodeId::new(namespace, "lanes"), "lanes", "lanes")
            .data_type(DataTypeId::UInt16)
            .value_rank(1)
            .array_dimensions(&[3])
            .organized_by(circle.clone())
            .value(vec![1_u16, 2, 3])
            .insert(&mut *space);
    }
    let url = format!("opc.tcp://{}/", plc.address);
    let look = async |limits| {
        browse(&url, Default::default(), limits, Clock::real(), |_, _| ()).await.unwrap()
    };
    let all = look(BrowseLimits { depth: 20, nodes: 1_000 }).await;
    let ours: Vec<_> = all.variables.iter().filter(|v| v.namespace == namespace).collect();
    assert_eq!((ours.len(), all.cut_short), (6, false), "{all:#?}");
    assert!(ours.iter().any(|v| v.shape == Shape::Array("u16", Some(3))), "{ours:?}");
    assert!(ours.iter().filter(|v| v.shape == Shape::Scalar("u32")).count() == 5);
    assert!(look(BrowseLimits { depth: 20, nodes: 3 }).await.cut_short);
    assert!(look(BrowseLimits { depth: 1, nodes: 1_000 }).await.cut_short);
    let head = MapHead { station: "CW04".to_owned(), address: url.clone() };
    let text = map_text(&all, &head, None, Some(NAMESPACE)).unwrap();
    let read = domain::plc_map::PlcMap::parse("map.toml", &text);
    let mut browsed = read.unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    // What was browsed can be read: the elements of the array too.
    browsed.groups[0].period_us = 50_000;
    let at = browsed.tags.iter().position(|tag| tag.id.as_str().ends_with("lanes[2]")).unwrap();
    let mut line = Line::start(crate::sources::tests::device(browsed, url));
    assert_eq!(line.value(u16::try_from(at).unwrap(), 3).await.quality, Quality::Good);
    line.stop().await;
}
