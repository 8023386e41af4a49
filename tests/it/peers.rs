//! Servers that are not ours: pymodbus and asyncua serve counters that a script increments, and the real service
//! counts what the script counted.
//!
//! Our simulator and our clients could share a misunderstanding of a protocol; these two cannot.

use std::path::PathBuf;
use std::process::Command;

use capline::clock::Clock;
use domain::line::minute::Counted;
use domain::units::{Count, Reason};
use serde_json::Value;

use crate::harness::{PATIENCE, Site, any_port, repository, until};
use crate::process::Process;
use crate::skip::skipped;

const MODBUS_MAP: &str = "tests/cases/peers/pm01-modbus.toml";
const OPCUA_MAP: &str = "tests/cases/peers/po01-opcua.toml";

/// Enough for every counter of the scripts that starts before its end to pass it.
const ENOUGH: u64 = 1_000;

/// A Python with both libraries, or none.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("CAPLINE_PEERS_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| repository("target/peers/bin/python"));
    python.exists().then_some(python)
}

/// A foreign server.
struct Peer {
    process: Process,
    port: u16,
}

impl Peer {
    async fn start(python: &PathBuf, script: &str) -> Peer {
        let process = Process::start(
            Command::new(python).arg(repository("tests/peers").join(script)).arg("0"),
        );
        let port = |line: &str| line.strip_prefix("port ")?.parse().ok();
        let port = process.line(&format!("the port of {script}"), port).await;
        Peer { process, port }
    }

    /// Ends its count and asks what it was.
    async fn totals(&mut self) -> Value {
        self.process.tell("stop");
        self.process.line("the totals", |line| serde_json::from_str(line).ok()).await
    }
}

/// The good and rejected capsules and the infeed of a station, each with what the script says.
fn expected(station: &str, totals: &Value) -> [(String, Counted, u64); 3] {
    let of = |key: &str| totals[key].as_u64().unwrap_or_else(|| panic!("no {key} in {totals}"));
    [
        (format!("{station}.Good"), Counted::Good, of("good")),
        (format!("{station}.Rejects"), Counted::Reject(Reason::new("dented")), of("rejects")),
        (format!("{station}.Infeed"), Counted::Infeed, of("infeed")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_servers_are_counted_to_the_capsule() {
    let Some(python) = python() else {
        skipped("foreign servers", "no target/peers/bin/python; tests/run.sh installs it");
        return;
    };
    let mut modbus = Peer::start(&python, "modbus_server.py").await;
    let mut opcua = Peer::start(&python, "opcua_server.py").await;
    let site = Site::new();
    let devices = [
        (MODBUS_MAP, format!("127.0.0.1:{}", modbus.port)),
        (OPCUA_MAP, format!("opc.tcp://127.0.0.1:{}", opcua.port)),
    ];
    let devices = devices.each_ref().map(|(map, address)| (*map, address.as_str()));
    site.configure(any_port(), "PM01", &devices);
    let app = site.serve(Clock::real()).await;
    app.heard().await;
    modbus.process.tell("start");
    opcua.process.tell("start");
    app.api().counts_beyond(ENOUGH).await;
    wait_for_opcua(&app.api()).await;
    let truth = [("PM01", modbus.totals().await), ("PO01", opcua.totals().await)];
    let summary = app.stop().await;

    let books = site.books();
    for (station, totals) in &truth {
        for (tag, counted, truth) in expected(station, totals) {
            assert!(truth > 0, "{tag} counted something");
            assert_eq!(books.of(station, &counted, &tag), Count::exact(truth), "{tag}");
        }
    }
    assert_eq!(Some(summary.counted.best()), truth[0].1["good"].as_u64());
    assert_eq!(wraps(&books), ["PM01.Good", "PO01.Good", "PO01.Rejects"]);
}

/// Waits until the counter of the OPC UA server must have passed its end too.
async fn wait_for_opcua(api: &crate::harness::Api) {
    until("enough capsules of PO01", PATIENCE, async || {
        let view = api.snapshot().await?;
        let good = &crate::harness::station_of(&view, "PO01")?["good"];
        if good["low"].as_u64() > Some(ENOUGH) { Ok(()) } else { Err(good.to_string()) }
    })
    .await;
}

/// Tags that passed their end, in alphabetical order.
fn wraps(books: &crate::harness::Books) -> Vec<String> {
    let mut tags = books.tags_with("wrap");
    tags.sort();
    tags.dedup();
    tags
}
