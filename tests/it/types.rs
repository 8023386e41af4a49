//! Every type in every order, as two servers hold it that are not ours; and what `probe` and `import` make of them.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use capline::clock::Clock;
use capline::config::{DeviceConfig, Wire};
use capline::sources::{Feed, Sources};
use domain::plc_map::PlcMap;
use domain::reading::{Outcome, Quality, Reading, Value as Held};
use serde_json::{Value, json};

use crate::harness::repository;
use crate::process::Process;
use crate::skip::skipped;
use crate::wire::relay::Relay;

/// A server and what it says that it holds.
struct Peer {
    process: Process,
    address: String,
    held: Vec<Value>,
    _relay: Option<Relay>,
}

impl Peer {
    async fn start(command: &mut Command) -> Peer {
        let process = Process::start(command);
        let port = |line: &str| line.strip_prefix("port ")?.parse::<u16>().ok();
        let port = process.line("its port", port).await;
        let held = process.line("what it holds", |line| serde_json::from_str(line).ok()).await;
        let (address, relay) = Relay::before(&format!("127.0.0.1:{port}"));
        Peer { process, address, held, _relay: relay }
    }
}

/// pymodbus, if it is installed.
async fn pymodbus() -> Option<Peer> {
    let named = std::env::var_os("CAPLINE_PEERS_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| repository("target/peers/bin/python"));
    if !python.exists() {
        skipped("pymodbus", "no target/peers/bin/python; tests/run.sh installs it");
        return None;
    }
    Some(
        Peer::start(Command::new(python).arg(repository("tests/peers/types_server.py")).arg("0"))
            .await,
    )
}

/// modbus-serial, if it is installed.
async fn modbus_serial() -> Option<Peer> {
    let modules = repository("target/peers-node");
    if !modules.join("installed.json").exists() {
        skipped("modbus-serial", "no target/peers-node; tests/run.sh installs it");
        return None;
    }
    let script = repository("tests/peers/node/types_server.mjs");
    Some(Peer::start(Command::new("node").arg(script).arg(modules)).await)
}

/// A list of what a peer holds, as a vendor would hand it out.
fn list(held: &[Value]) -> String {
    let mut csv = "id,register,type,order,role\n".to_owned();
    for tag in held {
        let text = |key: &str| tag[key].as_str().unwrap_or_else(|| panic!("no {key} in {tag}"));
        let (id, register, kind, order) =
            (text("id"), text("register"), text("type"), text("order"));
        csv += &format!("{id},{register},{kind},{order},condition\n");
    }
    csv
}

/// What `capline import` makes of it; `capline check` must find nothing wrong.
fn imported(held: &[Value]) -> PlcMap {
    let folder = tempfile::tempdir().expect("a folder");
    let (csv, toml) = (folder.path().join("list.csv"), folder.path().join("map.toml"));
    std::fs::write(&csv, list(held)).expect("a file");
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_capline"))
            .args(args)
            .env_remove("RUST_LOG")
            .output()
            .expect("the binary runs");
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {words}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let csv = csv.display().to_string();
    let text = run(&["import", &csv, "--station", "PT01", "--period", "50ms"]);
    std::fs::write(&toml, &text).expect("a file");
    let plan = run(&["check", &toml.display().to_string()]);
    assert!(plan.contains("FC03 holding registers"), "{plan}");
    PlcMap::parse("map.toml", &text).expect("check found nothing wrong")
}

/// One poll of all tags of a map.
async fn polled(map: PlcMap, address: &str) -> Vec<Reading> {
    let (out, mut queue) = tokio::sync::mpsc::channel(100);
    let config = DeviceConfig {
        map: Arc::new(map),
        address: address.to_owned(),
        wire: Wire::tcp(address),
        connect_timeout: Duration::from_secs(5),
        reply_timeout: Duration::from_secs(5),
        backoff: (Duration::from_millis(50), Duration::from_secs(1)),
        opcua: Default::default(),
    };
    let feed = Feed { line: domain::units::LineId::new("L1"), device: 0, config, out };
    let sources = Sources::start(vec![feed], Clock::real()).expect("sources");
    let readings = loop {
        let next = tokio::time::timeout(Duration::from_secs(20), queue.recv()).await;
        match next.expect("a poll in time").expect("sources run").outcome {
            Outcome::Taken(readings) => break readings,
            Outcome::Missed(_) => {}
        }
    };
    sources.stop().await;
    readings
}

fn as_json(value: &Held) -> Value {
    match value {
        Held::Bool(b) => json!(b),
        Held::Unsigned(n) => json!(n),
        Held::Signed(n) => json!(n),
        Held::Float(x) => json!(x),
        Held::Text(text) => json!(**text),
    }
}

/// Equal as values: `1.0` and `1` are, a text and a number are not.
fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a == b,
        _ => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

async fn check_all(peer: Peer, at_least: usize) {
    assert!(peer.held.len() >= at_least, "{} values", peer.held.len());
    let readings = polled(imported(&peer.held), &peer.address).await;
    assert_eq!(readings.len(), peer.held.len());
    let mut wrong = Vec::new();
    for (reading, tag) in readings.iter().zip(&peer.held) {
        let found = as_json(&reading.value);
        if reading.quality != Quality::Good || !equal(&found, &tag["value"]) {
            wrong.push(format!("{tag}: {found}, {:?}", reading.quality));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    drop(peer.process);
}

/// Shows: ACQ-06
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_types_and_orders_of_pymodbus_are_read() {
    let Some(peer) = pymodbus().await else { return };
    check_all(peer, 80).await;
}

/// Shows: ACQ-06
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_tables_of_modbus_serial_are_read() {
    let Some(peer) = modbus_serial().await else { return };
    check_all(peer, 36).await;
}

/// The control: with the order of one tag changed the comparison must fail.
#[test]
fn a_wrong_value_is_told_from_a_right_one() {
    assert!(equal(&json!(1.0), &json!(1)) && equal(&json!("a"), &json!("a")));
    assert!(!equal(&json!(305_419_896), &json!(2_018_915_346)));
    assert!(!equal(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992_i64)));
    assert!(!equal(&json!(1), &json!(true)) && !equal(&json!("1"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probe_shows_a_foreign_device_in_all_orders() {
    let Some(peer) = pymodbus().await else { return };
    // The u32 305419896 in ABCD, and the f32 1.5 in CDAB.
    let find = |kind: &str, order: &str, value: f64| -> u64 {
        let fits = |tag: &&Value| {
            tag["type"] == kind && tag["order"] == order && tag["value"].as_f64() == Some(value)
        };
        let tag = peer.held.iter().find(fits).expect("held");
        let register = tag["register"].as_str().and_then(|text| text.split(' ').nth(1));
        register.and_then(|n| n.parse().ok()).expect("a register")
    };
    for (kind, order, value) in [("u32", "ABCD", 305_419_896.0), ("f32", "CDAB", 1.5)] {
        let register = find(kind, order, value).to_string();
        let args = [
            "probe",
            "modbus",
            &peer.address,
            "--from",
            &register,
            "--count",
            "2",
            "--once",
            "--json",
        ];
        let output = Command::new(env!("CARGO_BIN_EXE_capline")).args(args).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
        assert_eq!(
            found["registers"][0]["as"][format!("{kind} {order}")].as_f64(),
            Some(value),
            "{found}"
        );
    }
    let args = ["probe", "modbus", &peer.address, "--from", "60000", "--count", "4", "--once"];
    let output = Command::new(env!("CARGO_BIN_EXE_capline")).args(args).output().expect("runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        words
            .contains("refused with exception 2 (Illegal Data Address) for holding 60000 to 60003"),
        "{words}"
    );
    drop(peer.process);
}
