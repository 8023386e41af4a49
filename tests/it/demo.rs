//! What `capline demo` shows is what is tested: made by the plant, counted by the service.

use std::collections::BTreeSet;
use std::process::Command;

use domain::plc_map::{Address, PlcMap};
use rustix::process::Signal;
use serde_json::Value;
use simulators::{Plant, PlantConfig};

use crate::harness::{PATIENCE, WEIGHER, count, repository, until};
use crate::process::Process;

/// The summary a demo ends with: what was made, what was counted, and polls.
pub(crate) async fn summary(mut demo: Process) -> Value {
    let status = demo.exit(PATIENCE).await;
    assert!(status.success(), "{status}: {:#?}", demo.stderr());
    let out = demo.stdout();
    let line = out.last().unwrap_or_else(|| panic!("no summary; stderr: {:#?}", demo.stderr()));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {out:#?}"))
}

/// Shows: SIM-03
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_capsule_that_was_made_is_counted() {
    let args = ["demo", "--port", "0", "--seed", "1", "--speed", "10", "--duration", "6s"];
    let summary = summary(Process::capline(&args)).await;
    let made = summary["made"].as_u64().expect("made is a number");
    let counted = count(&summary["counted"]).expect("counted is a count");
    assert!(made > 0, "the plant ran a minute of its time: {summary}");
    assert!(counted.is_exact() && counted.best() == made, "{summary}");
    assert!(summary["polls"].as_u64() > Some(100), "{summary}");
}

/// The same with all five machines of the line, each of which is heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_of_the_whole_line_counts_every_capsule() {
    let args = ["demo", "--port", "0", "--history", "1h", "--machines", "all"];
    let mut demo = Process::capline(&args);
    let api = demo.api().await;
    for station in ["CF01", "PS02", "MD03", "CW04", "BC05"] {
        api.heard(station).await;
    }
    // Nobody set a clock wrong, though the plant waited for its readings.
    until("clocks that agree", PATIENCE, async || {
        let data = api.get("/api/v1/lines/L1/data").await?;
        let of = |station: &str| {
            let mut clocks = data["clocks"].as_array().into_iter().flatten();
            clocks.find(|clock| clock["station"] == station).cloned()
        };
        let weigher = of("CW04").unwrap_or_default();
        if weigher["verdict"] == "close" { Ok(()) } else { Err(format!("{weigher}")) }
    })
    .await;
    demo.signal(Signal::INT);
    let summary = summary(demo).await;
    let counted = count(&summary["counted"]).expect("counted is a count");
    assert!(counted.is_exact(), "{summary}");
    assert_eq!(summary["made"].as_u64(), Some(counted.best()), "{summary}");
}

/// Who maps the simulated weigher by browsing finds every node that the shipped map of it names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nodes_of_the_simulated_weigher_can_be_browsed() {
    let plant = Plant::start(PlantConfig::default()).await.expect("the plant starts");
    let url = plant.opcua_url();
    let browse = tokio::task::spawn_blocking(move || {
        let args = ["browse", "opcua", &url, "--station", "CW04"];
        Command::new(env!("CARGO_BIN_EXE_capline")).args(args).output().expect("runs")
    });
    let output = browse.await.expect("it ran");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("a text");
    let nodes = |file: &str, text: &str| -> BTreeSet<String> {
        let map = PlcMap::parse(file, text).unwrap_or_else(|problems| panic!("{problems:?}"));
        let node = |address: Address| match address {
            Address::Node(node) => node.to_string(),
            other => panic!("{other:?} is no node"),
        };
        map.tags.into_iter().map(|tag| node(tag.address)).collect()
    };
    let shipped = std::fs::read_to_string(repository(WEIGHER)).expect("the map is there");
    let (found, shipped) = (nodes("browsed.toml", &text), nodes(WEIGHER, &shipped));
    let missing: Vec<_> = shipped.difference(&found).collect();
    assert!(missing.is_empty() && shipped.len() > 10, "not found: {missing:?} in\n{text}");
    plant.stop().await;
}
