//! What `capline demo` shows is what is tested: made by the plant, counted by the service.

use serde_json::Value;

use crate::harness::{PATIENCE, count};
use crate::process::Process;

/// The summary a demo ends with: what was made, what was counted, and polls.
pub(crate) async fn summary(mut demo: Process) -> Value {
    let status = demo.exit(PATIENCE).await;
    assert!(status.success(), "{status}: {:#?}", demo.stderr());
    let out = demo.stdout();
    let line = out.last().unwrap_or_else(|| panic!("no summary; stderr: {:#?}", demo.stderr()));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {out:#?}"))
}

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
