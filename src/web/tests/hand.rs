//! What people write about a line: batches opened and closed, stops split, merged and explained.

use serde_json::json;

use super::*;
use crate::web::fixture::Memory;

const OPEN: &str = "/api/v1/lines/L1/batches";
const CLOSE: &str = "/api/v1/lines/L1/batches/close";
const REVISIONS: &str = "/api/v1/lines/L1/stops/revisions";

pub(super) async fn post(app: &App, path: &str, body: &Value) -> Answer {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::HOST, "127.0.0.1:8080");
    ask(app, request.body(Body::from(body.to_string())).unwrap()).await
}

pub(super) async fn refused(app: &App, path: &str, body: Value, status: StatusCode, words: &str) {
    let answer = post(app, path, &body).await;
    assert_eq!(answer.status, status, "{body}: {}", answer.text());
    assert!(answer.text().contains(words), "{body}: {}", answer.text());
}

#[tokio::test]
async fn a_batch_is_opened_and_closed_once_and_by_somebody() {
    let (app, _sender) = running();
    let conflict = StatusCode::CONFLICT;
    refused(&app, CLOSE, json!({ "by": "li" }), conflict, "no batch is open").await;
    let opened = post(&app, OPEN, &json!({ "id": " B1 ", "product": "", "by": "li" })).await;
    assert_eq!((opened.status, &opened.json()["did"]), (StatusCode::OK, &json!("opened")));
    assert_eq!(opened.json()["id"], "B1");
    refused(&app, OPEN, json!({ "id": "B1", "by": "li" }), conflict, "is open already").await;
    refused(&app, CLOSE, json!({ "id": "B2", "by": "li" }), conflict, "B1 is open and not B2")
        .await;
    let closed = post(&app, CLOSE, &json!({ "id": "B1", "by": "li" })).await;
    assert_eq!((closed.status, &closed.json()["did"]), (StatusCode::OK, &json!("closed")));
}

#[tokio::test]
async fn an_order_without_its_words_is_no_order() {
    let (app, _sender) = running();
    let bad = StatusCode::BAD_REQUEST;
    let long = "x".repeat(41);
    for (body, words) in [
        (json!({ "id": "  ", "by": "li" }), "id is empty"),
        (json!({ "id": "\u{7}", "by": "li" }), "id is empty"),
        (json!({ "id": long, "by": "li" }), "longer than 40"),
        (json!({ "id": "B1", "by": " " }), "by is empty"),
        (json!({ "id": "B1" }), "by"),
        (json!({ "id": "B1", "by": "li", "start": 1 }), "start"),
    ] {
        refused(&app, OPEN, body, bad, words).await;
    }
    refused(&app, CLOSE, json!({ "id": "", "by": "li" }), bad, "id is empty").await;
    let none = "/api/v1/lines/L9/batches";
    refused(&app, none, json!({ "id": "B1", "by": "li" }), StatusCode::NOT_FOUND, "no_line").await;
}

#[tokio::test]
async fn no_batch_is_opened_where_the_service_only_shows_or_for_another_page() {
    let memory = Arc::new(Memory::default());
    let (app, _sender) = fixture::app_with(Clock::real(), Arc::new(Record), memory, false);
    let body = json!({ "id": "B1", "by": "li" });
    for path in [OPEN, CLOSE] {
        refused(&app, path, body.clone(), StatusCode::FORBIDDEN, "read_only").await;
    }
    let (app, _sender) = running();
    for (name, value, status) in [
        (header::ORIGIN, "http://evil.example", StatusCode::FORBIDDEN),
        (header::CONTENT_TYPE, "text/plain", StatusCode::BAD_REQUEST),
    ] {
        let mut request = Request::post(OPEN).header(header::HOST, "127.0.0.1:8080");
        request = request.header(&name, value);
        if name != header::CONTENT_TYPE {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let answer = ask(&app, request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(answer.status, status, "{value}");
    }
    // Nothing of all that was carried out.
    let closed = post(&app, CLOSE, &json!({ "by": "li" })).await;
    assert!(closed.text().contains("no batch is open"), "{}", closed.text());
}

#[tokio::test]
async fn batches_tell_who_opened_them_and_for_which_product() {
    let (app, _sender) = running();
    let batch = get(&app, "/api/v1/lines/L1/batches?from=0&to=600000").await.json()[0].clone();
    assert_eq!(batch["opened_by"], "li");
    assert_eq!(batch["product"], "Vitamin C 500 mg");
    assert_eq!(batch["closed_by"], Value::Null);
}

fn says(act: Value) -> Value {
    let mut body = json!({ "by": "Li Wei", "why": "two jams" });
    let members = body.as_object_mut().unwrap();
    members.extend(act.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn stops_are_split_and_merged_within_what_was_recorded() {
    let (app, _sender) = running();
    // Stop 7 lasts 35 s and was split after 5 s by revision 3; stop 8 lasts.
    for act in [
        json!({ "act": "split", "part": "7.3", "after_ms": 10_000 }),
        json!({ "act": "merge", "part": "7", "with": "7.3" }),
        json!({ "act": "assign", "part": "7", "cause": "planned", "reason": "cleaning" }),
        json!({ "part": "8", "cause": "blocked", "reason": "box is full", "seen": 0 }),
        json!({ "act": "undo", "part": "7", "seen": 3 }),
        json!({ "act": "split", "part": "7", "after_ms": 1_000, "seen": 3 }),
    ] {
        let answer = post(&app, REVISIONS, &says(act.clone())).await;
        assert_eq!(answer.status, StatusCode::OK, "{act}: {}", answer.text());
    }
    let bad = StatusCode::BAD_REQUEST;
    for (act, words) in [
        (json!({ "act": "split", "part": "7.3", "after_ms": 30_000 }), "split it at a time inside"),
        (json!({ "act": "split", "part": "7.3", "after_ms": -1 }), "split it at a time inside"),
        (json!({ "act": "split", "part": "7" }), "after_ms is missing"),
        (json!({ "act": "split", "part": "8", "after_ms": 1_000 }), "has not ended"),
        (json!({ "act": "split", "part": "99", "after_ms": 1_000 }), "read the list again"),
        (json!({ "act": "merge", "part": "7.3", "with": "8" }), "merge neighbours only"),
        (json!({ "act": "merge", "part": "7.3" }), "with is missing"),
        (json!({ "act": "forget", "part": "7" }), "no act"),
        (json!({ "act": "undo", "part": "99" }), "read the list again"),
        (json!({ "part": "7", "cause": "planned" }), "reason is missing"),
    ] {
        refused(&app, REVISIONS, says(act), bad, words).await;
    }
}

#[tokio::test]
async fn who_has_not_seen_the_last_revision_decides_anew() {
    let (app, _sender) = running();
    let act = |seen: u64| says(json!({ "act": "merge", "part": "7", "with": "7.3", "seen": seen }));
    refused(&app, REVISIONS, act(2), StatusCode::CONFLICT, "revised meanwhile, by revision 3")
        .await;
    assert_eq!(post(&app, REVISIONS, &act(3)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_stop_has_a_history_with_its_original() {
    let (app, _sender) = running();
    let history = get(&app, "/api/v1/lines/L1/stops/7").await.json();
    assert_eq!(history["recorded"][0]["duration_us"], 35_000_000);
    assert_eq!(history["stops"].as_array().map(Vec::len), Some(2));
    assert_eq!(history["revisions"][0]["act"], "split");
    assert_eq!(history["revisions"][0]["after_ms"], 5_000);
    for path in ["/api/v1/lines/L1/stops/99", "/api/v1/lines/L1/stops/seven"] {
        let none = get(&app, path).await;
        assert_eq!((none.status, &none.json()["code"]), (StatusCode::NOT_FOUND, &json!("no_stop")));
    }
}
