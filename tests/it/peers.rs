//! Servers that are not ours: pymodbus and asyncua serve counters that a script increments, and the real service
//! counts what the script counted.
//!
//! Our simulator and our clients could share a misunderstanding of a protocol; these two cannot.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use capline::clock::Clock;
use domain::line::minute::Counted;
use domain::units::{Count, Reason};
use serde_json::Value;

use crate::harness::{App, PATIENCE, Site, any_port, repository, until};
use crate::process::Process;
use crate::skip::skipped;
use crate::wire::relay::Relay;

const MODBUS_MAP: &str = "tests/cases/peers/pm01-modbus.toml";
const OPCUA_MAP: &str = "tests/cases/peers/po01-opcua.toml";
const PARTS_MAP: &str = "tests/cases/peers/po01-parts.toml";

/// Enough for every counter of the scripts that starts before its end to pass it.
const ENOUGH: u64 = 1_000;

/// A Python with both libraries, or none.
pub(crate) fn python() -> Option<PathBuf> {
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
        Peer::start_with(python, script, &[]).await
    }

    async fn start_with(python: &PathBuf, script: &str, args: &[PathBuf]) -> Peer {
        let mut command = Command::new(python);
        command.arg(repository("tests/peers").join(script)).arg("0").args(args);
        Peer::of(&mut command, script).await
    }

    async fn of(command: &mut Command, script: &str) -> Peer {
        let process = Process::start(command);
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

/// Shows: ACQ-05
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

/// A file of the fixture, in a place where only we can read it.
fn private(from: &str, to: &Path) {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).expect("a test may make a folder");
    }
    std::fs::copy(repository("tests/cases/pki").join(from), to).expect("a fixture");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(to, private).expect("it is ours");
}

/// The command line on the certificates of a site.
fn pki(site: &Site, args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_capline"))
        .args(["pki", "--json", "--config"])
        .arg(site.file())
        .args(args)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{args:?}: {text} {err}"))
}

/// A site with the fixture pair that reads one OPC UA server, with these keys in its configuration.
fn secured_site(opcua: &Peer, map: &str, keys: &str) -> Site {
    let site = Site::new();
    private("own.der", &site.data().join("pki/own/cert.der"));
    private("own.key.pem", &site.data().join("pki/own/key.pem"));
    private("user.der", &site.path().join("user.der"));
    private("user.key.pem", &site.path().join("user.pem"));
    private("user.key.pem", &site.path().join("password"));
    std::fs::write(site.path().join("password"), "s3cret\n").expect("it is writable");
    let address = format!("opc.tcp://127.0.0.1:{}", opcua.port);
    site.configure(any_port(), "PO01", &[(map, &address)]);
    let text = std::fs::read_to_string(site.file()).expect("a configuration");
    let patience = "connect_timeout = '20s'\nbackoff_max = '200ms'\n";
    std::fs::write(site.file(), format!("{text}{patience}{keys}\n")).expect("it is writable");
    site
}

/// Trusts the server once it was refused, as a person does.
async fn trust(site: &Site) {
    let thumbprint = until("the refused certificate", PATIENCE, async || {
        let listed = pki(site, &["list"]);
        let of_plc = listed[0]["subject"] == "O=Capline,CN=Test plc";
        match listed[0]["trust"] == "rejected" && of_plc {
            true => Ok(listed[0]["thumbprint"].as_str().expect("a text").to_owned()),
            false => Err(listed.to_string()),
        }
    })
    .await;
    assert_eq!(pki(site, &["trust", &thumbprint])[0]["trust"], "trusted");
}

/// Lets the server count, and compares with what the service has counted.
async fn is_counted(site: &Site, app: App, opcua: &mut Peer) {
    app.heard().await;
    opcua.process.tell("start");
    wait_for_opcua(&app.api()).await;
    let totals = opcua.totals().await;
    app.stop().await;
    let books = site.books();
    for (tag, counted, truth) in expected("PO01", &totals) {
        assert!(truth > 0, "{tag} counted something");
        assert_eq!(books.of("PO01", &counted, &tag), Count::exact(truth), "{tag}");
    }
}

/// An encrypted server is refused until a person trusts it, and is then counted to the capsule: once for a user with
/// a password, once for one with a certificate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_foreign_server_is_trusted_by_hand_and_counted_to_the_capsule() {
    let Some(python) = python() else {
        skipped("foreign servers", "no target/peers/bin/python; tests/run.sh installs it");
        return;
    };
    let users = [
        "{ name = 'edge', password_file = 'password' }",
        "{ certificate = 'user.der', key = 'user.pem' }",
    ];
    for user in users {
        let fixture = [repository("tests/cases/pki")];
        let mut opcua = Peer::start_with(&python, "opcua_server.py", &fixture).await;
        let keys = format!("security = 'Basic256Sha256'\nuser = {user}");
        let site = secured_site(&opcua, OPCUA_MAP, &keys);
        let app = site.serve(Clock::real()).await;
        trust(&site).await;
        is_counted(&site, app, &mut opcua).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elements_and_fields_are_counted_to_the_capsule() {
    let Some(python) = python() else {
        skipped("foreign servers", "no target/peers/bin/python; tests/run.sh installs it");
        return;
    };
    let mut opcua = Peer::start(&python, "opcua_server.py").await;
    let site = secured_site(&opcua, PARTS_MAP, "");
    let app = site.serve(Clock::real()).await;
    is_counted(&site, app, &mut opcua).await;
}

/// A server of a third make, which samples on its own clock: unsecured, and encrypted with a password.
/// Shows: ACQ-05
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_opcua_is_counted_to_the_capsule() {
    let modules = repository("target/peers-node");
    if !modules.join("node_modules/node-opcua-server").exists() {
        skipped("node-opcua", "no target/peers-node; tests/run.sh installs it");
        return;
    }
    let encrypted =
        "security = 'Basic256Sha256'\nuser = { name = 'edge', password_file = 'password' }";
    for keys in ["", encrypted] {
        let work = tempfile::tempdir().expect("there is room for a test");
        let mut node = Command::new("node");
        node.arg(repository("tests/peers/node_server.mjs"));
        node.args([&modules, &repository("tests/cases/pki")]).arg(work.path());
        let mut opcua = Peer::of(&mut node, "node_server.mjs").await;
        let site = secured_site(&opcua, OPCUA_MAP, keys);
        let app = site.serve(Clock::real()).await;
        if !keys.is_empty() {
            trust(&site).await;
        }
        is_counted(&site, app, &mut opcua).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_server_is_browsed_to_a_map_that_can_be_checked() {
    let Some(python) = python() else {
        skipped("foreign servers", "no target/peers/bin/python; tests/run.sh installs it");
        return;
    };
    let opcua = Peer::start(&python, "opcua_server.py").await;
    let (address, _relay) = Relay::before(&format!("opc.tcp://127.0.0.1:{}", opcua.port));
    let browse = async |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_capline"));
        command.args(["browse", "opcua", &address, "--station", "PO02"]).args(more);
        let output = tokio::task::spawn_blocking(move || command.output());
        output.await.expect("it ends").expect("it runs")
    };
    let output = browse(&["--filter", "po01"]).await;
    let map = String::from_utf8(output.stdout).expect("a text");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && err.contains("variables that can be read"), "{err}");
    for part in ["node = \"s=PO01.Good\"\ntype = \"u32\"", "type = \"u16\"", "# counter?"] {
        assert!(map.contains(part), "{part}: {map}");
    }
    let site = Site::new();
    let file = site.path().join("browsed.toml");
    std::fs::write(&file, &map).expect("it is writable");
    let browsed = file.display().to_string();
    site.configure(any_port(), "PM01", &[(MODBUS_MAP, "127.0.0.1:502"), (&browsed, &address)]);
    let check = Command::new(env!("CARGO_BIN_EXE_capline")).arg("check").arg(site.file()).output();
    let check = check.expect("it runs");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let nothing = browse(&["--filter", "no such thing"]).await;
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("try another --filter"));
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
