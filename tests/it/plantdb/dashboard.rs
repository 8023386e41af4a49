//! The example dashboard: each of its queries runs against the real tables and shows something.

use serde_json::Value;
use tokio_postgres::Client;

use super::book::{Book, drained};
use super::cluster::Cluster;
use crate::harness::repository;

/// Panels that are empty while all is well.
const EMPTY: [&str; 1] = ["Refused rows"];

/// Title and statement of each query and variable, with the macros of Grafana filled in.
pub(super) fn queries() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(repository("config/grafana-dashboard.json"));
    let dashboard: Value = serde_json::from_str(&text.expect("it is there")).expect("it is JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let word = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut queries = Vec::new();
    for panel in list(&dashboard["panels"]) {
        for target in list(&panel["targets"]) {
            queries.push((word(&panel["title"]), fill(&word(&target["rawSql"]))));
        }
    }
    for variable in list(&dashboard["templating"]["list"]) {
        if variable["type"] == "query" {
            queries.push((word(&variable["name"]), fill(&word(&variable["query"]))));
        }
    }
    queries
}

fn fill(sql: &str) -> String {
    let filled = sql
        .replace("$__timeFilter(t)", "t between '2026-01-05T00:00:00Z' and '2026-01-06T00:00:00Z'")
        .replace("$site", "Test")
        .replace("$line", "L1")
        .replace("$station", "CF01");
    assert!(!filled.contains('$'), "{sql} has a macro that this test does not know");
    filled
}

/// Runs all of them.
pub(super) async fn assert_shows(plant: &Client) {
    let queries = queries();
    assert!(queries.len() >= 8, "{} queries", queries.len());
    for (title, sql) in queries {
        let rows =
            plant.query(&sql, &[]).await.unwrap_or_else(|error| panic!("{title}: {error:?}"));
        assert_eq!(
            rows.is_empty(),
            EMPTY.contains(&title.as_str()),
            "{title}: {} rows",
            rows.len()
        );
    }
}

/// Shows: HIS-12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_shows_what_the_reader_may_see() {
    let Some(cluster) = Cluster::migrated("dashboard").await else { return };
    let dir = tempfile::tempdir().expect("there is room");
    let mut book = Book::open(dir.path());
    for _ in 0..10 {
        book.tick(3);
    }
    let (forwarder, _alarms) = book.forward(cluster.settings("edge-1", None));
    drained(&forwarder, &book).await;
    forwarder.stop().await;
    assert_shows(&cluster.client("capline_reader").await.expect("it may log in")).await;
}
