//! Batches by hand, end to end: opened, counted, killed, closed, and compared with what the plant knows.

use domain::units::Count;
use serde_json::{Value, json};
use simulators::Plant;

use crate::harness::{Api, LINE, PATIENCE, Site, count, until};
use crate::restart::{running_plant, serve};

const BATCHES: &str = "/api/v1/lines/L1/batches";

async fn order(api: Api, path: &str, body: Value) -> (u16, Value) {
    api.post(&format!("{BATCHES}{path}"), &body).await.expect("the service answers")
}

async fn done(api: Api, path: &str, body: Value) -> Value {
    let (status, answer) = order(api, path, body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn refused(api: Api, path: &str, body: Value, words: &str) {
    let (status, answer) = order(api, path, body).await;
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(status == 409 && message.contains(words), "{status} {answer}");
}

/// Lets the plant make some thousand capsules, counted to the last one; the total then.
async fn run(plant: &Plant, api: Api, begun: u64) -> u64 {
    plant.resume();
    api.counts_beyond(api.total().await.expect("a total").high() + 300).await;
    plant.hold();
    let made = plant.ledger().made - begun;
    api.counts(made).await;
    made
}

/// Stored batches as id and good capsules, oldest first.
async fn batches(api: Api) -> Vec<(String, Count)> {
    let batches = api.get(BATCHES).await.expect("the batches");
    let of = |batch: &Value| {
        let id = batch["name"].as_str().unwrap_or_default().to_owned();
        (id, count(&batch["good"]).expect("a count"))
    };
    batches.as_array().expect("a list").iter().map(of).collect()
}

/// What can be inside the filler, once it was judged.
async fn inside(api: Api) -> Value {
    until("a judged balance", PATIENCE, async || {
        let hours = api.get(&format!("/api/v1/lines/{LINE}/balance")).await?;
        let section = hours.as_array().and_then(|hours| hours.last()).ok_or("no hour")?;
        match &section["sections"][0]["inside"] {
            Value::Null => Err(section.to_string()),
            inside => Ok(inside.clone()),
        }
    })
    .await
}

/// Shows: CNT-08
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_by_hand_hold_what_the_plant_made_in_them_over_a_kill() {
    let site = Site::new();
    let plant = running_plant(&site).await;
    site.follow_untold(&plant);
    let begun = plant.ledger().made;
    let (service, api) = serve(&site).await;
    refused(api, "/close", json!({ "by": "li" }), "no batch is open").await;
    let nobodys = run(&plant, api, begun).await;

    done(api, "", json!({ "id": "B1", "product": "Vitamin C 500 mg", "by": "li" })).await;
    refused(api, "", json!({ "id": "B1", "by": "li" }), "is open already").await;
    let first = run(&plant, api, begun).await - nobodys;
    let balance = inside(api).await;

    // Killed in the moment in which the next one is promised.
    done(api, "", json!({ "id": "B2", "by": "wang" })).await;
    service.kill();
    let (_service, api) = serve(&site).await;
    let view = api.snapshot().await.expect("a view");
    assert_eq!((&view["batch"], &view["batch_by_hand"]), (&json!("B2"), &json!(true)));
    let again = inside(api).await;
    assert_eq!(again["since_ms"], balance["since_ms"], "the balance goes on");
    let second = run(&plant, api, begun).await - first - nobodys;
    refused(api, "/close", json!({ "id": "B1", "by": "wang" }), "B2 is open and not B1").await;
    let closed = done(api, "/close", json!({ "id": "B2", "by": "wang" })).await;
    assert_eq!(closed["did"], "closed");
    let total = run(&plant, api, begun).await;

    let expected = [("B1".to_owned(), first), ("B2".to_owned(), second)];
    let stored =
        until("both batches in the journal", PATIENCE, async || match batches(api).await {
            stored if stored.len() == 2 => Ok(stored),
            stored => Err(format!("{stored:?}")),
        })
        .await;
    for ((id, good), (expected, n)) in stored.iter().zip(&expected) {
        assert_eq!((id, *good), (expected, Count::exact(*n)));
    }
    let claimed = first + second;
    assert!(claimed < total && nobodys > 0, "some belong to no batch");
    let rows = api.get(BATCHES).await.expect("the batches");
    assert_eq!((&rows[0]["opened_by"], &rows[1]["closed_by"]), (&json!("li"), &json!("wang")));
    assert_eq!(rows[0]["product"], "Vitamin C 500 mg");
    let events = api.get("/api/v1/lines/L1/events?kind=batch").await.expect("events");
    let said: Vec<_> = events.as_array().into_iter().flatten().map(|e| &e["detail"]).collect();
    let words = [
        "opened by hand by li, product Vitamin C 500 mg",
        "opened by hand by wang",
        "closed by hand by wang",
    ];
    assert_eq!(said, words);
    plant.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filler_that_tells_its_batch_decides_alone() {
    let site = Site::new();
    let plant = running_plant(&site).await;
    let (_service, api) = serve(&site).await;
    refused(api, "", json!({ "id": "B1", "by": "li" }), "its id wins").await;
    refused(api, "/close", json!({ "by": "li" }), "its id wins").await;
    let view = api.snapshot().await.expect("a view");
    assert_eq!((&view["batch"], &view["batch_by_hand"]), (&view["batch_told"], &json!(false)));
    plant.stop().await;
}
