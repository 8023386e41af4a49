//! The audit trail of the real service: start, reload, export, batch, kill and stop are in it, and it proves itself.

use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Api, PATIENCE, Site, repository, until};
use crate::peers::python;
use crate::process::{Process, capline, text};
use crate::restart::{running_plant, serve};
use crate::skip::skipped;

/// What was done and by whom, oldest first.
async fn trail(api: Api) -> Vec<(String, String)> {
    let found = api.get("/api/v1/audit").await.expect("the trail");
    let of = |entry: &Value| {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        (text("what"), text("name"))
    };
    let mut all: Vec<_> = found["entries"].as_array().expect("a list").iter().map(of).collect();
    all.reverse();
    all
}

async fn wait_for(api: Api, what: &str, n: usize) {
    until(what, PATIENCE, async || {
        let words = trail(api).await;
        match words.iter().filter(|(word, _)| word == what).count() == n {
            true => Ok(()),
            false => Err(format!("{words:?}")),
        }
    })
    .await;
}

fn edit(site: &Site, from: &str, to: &str) {
    let config = std::fs::read_to_string(site.file()).expect("it is there");
    assert!(config.contains(from), "{from}");
    std::fs::write(site.file(), config.replacen(from, to, 1)).expect("it can be written");
}

async fn end(mut service: Process) {
    service.signal(Signal::TERM);
    assert!(service.exit(PATIENCE).await.success(), "{:?}", service.stderr());
}

/// Shows: ACC-11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_to_a_service_is_in_its_trail_and_the_trail_proves_itself() {
    let site = Site::new();
    let plant = running_plant(&site).await;
    site.follow_untold(&plant);
    plant.resume();
    let (service, api) = serve(&site).await;
    let batch = json!({ "id": "B1", "by": "li" });
    let opened = api.post("/api/v1/lines/L1/batches", &batch).await.expect("an answer");
    assert_eq!(opened.0, 200, "{}", opened.1);
    let call = json!({ "need": "machine", "by": "wang" });
    assert_eq!(api.post("/api/v1/lines/L1/calls", &call).await.expect("an answer").0, 200);
    api.text("/api/v1/lines/L1/minutes?format=csv").await.expect("a file");
    // A mistake is refused and noted, a change is taken and noted.
    edit(&site, "target_per_minute = 6500", "target_per_minute = 0");
    service.signal(Signal::HUP);
    wait_for(api, "configuration_refused", 1).await;
    edit(&site, "target_per_minute = 0", "target_per_minute = 6400");
    service.signal(Signal::HUP);
    wait_for(api, "configuration_taken", 1).await;
    // Read out beside the service, into the same chain.
    let out = site.path().join("out");
    let (code, said, err) = capline(&["export", &text(&site.file()), &text(&out)]).await;
    assert_eq!(code, Some(0), "{said} {err}");
    wait_for(api, "exported", 2).await;
    let before = trail(api).await;
    let words: Vec<&str> = before.iter().map(|(what, _)| what.as_str()).collect();
    let expected = [
        "journal_begun",
        "service_started",
        "batch_opened",
        "call_opened",
        "exported",
        "configuration_refused",
        "configuration_taken",
        "exported",
    ];
    let told: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !["limits_provisional", "clock_stepped"].contains(word))
        .collect();
    assert_eq!(told, expected);
    assert_eq!(before[words.iter().position(|w| *w == "batch_opened").expect("there")].1, "li");

    // Killed, and started again under another configuration: the chain goes on.
    service.kill();
    edit(&site, "target_per_minute = 6400", "target_per_minute = 6300");
    let (service, api) = serve(&site).await;
    let after = trail(api).await;
    assert_eq!(after[..before.len()], before[..], "nothing is lost");
    let uses = api.get("/api/v1/configurations").await.expect("a list");
    assert_eq!(uses.as_array().map(Vec::len), Some(3));
    let first = uses[2]["sha256"].as_str().expect("a hash");
    let kept = api.get(&format!("/api/v1/configurations/{first}")).await.expect("its files");
    assert!(kept["files"][0]["text"].as_str().is_some_and(|text| text.contains("= 6500")));
    end(service).await;
    plant.stop().await;

    let config = text(&site.file());
    let (code, said, err) = capline(&["audit", "verify", &config, "--json"]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{said}");
    let verified: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&verified["findings"], &verified["configurations"]), (&json!([]), &json!(3)));
    let head = format!(
        "{} {}",
        verified["head"]["number"],
        verified["head"]["hash"].as_str().expect("a hash")
    );
    let (code, listed, _) = capline(&["audit", "list", &config, "--what", "service_stopped"]).await;
    assert!(code == Some(0) && listed.lines().count() == 1, "{listed}");
    if let Some(python) = python() {
        let script = repository("tests/peers/audit_chain.py");
        let done = Command::new(python).arg(script).arg(site.data().join("journal.db")).output();
        let done = done.expect("Python runs");
        assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), head, "{done:?}");
    } else {
        skipped("the audit trail by another program", "no target/peers; tests/run.sh makes it");
    }

    // Somebody writes to the file past us.
    let conn = rusqlite::Connection::open(site.data().join("journal.db")).expect("it opens");
    let sql = "drop trigger audit_keep; update audit set name = 'wu' where what = 'batch_opened'";
    conn.execute_batch(sql).expect("it is done");
    drop(conn);
    let (code, said, err) = capline(&["audit", "verify", &config, "--head", &head]).await;
    assert_eq!((code, said.as_str()), (Some(1), ""));
    assert!(
        err.contains("was changed, its hash is another one")
            && err.contains("the guard audit_keep"),
        "{err}"
    );
    let csv = site.path().join("trail.csv");
    let (code, said, err) = capline(&["audit", "export", &config, "--csv", &text(&csv)]).await;
    assert_eq!(code, Some(0), "{said} {err}");
    let (code, ..) = capline(&["audit", "verify", &text(site.path())]).await;
    assert_eq!(code, Some(2), "no journal there");
}
