//! Calls for help and alerts as the web takes and shows them.

use serde_json::json;

use super::hand::{post, refused};
use super::*;
use crate::web::fixture::Memory;

const CALLS: &str = "/api/v1/lines/L1/calls";
const TAKE: &str = "/api/v1/lines/L1/calls/1/take";
const CLOSE: &str = "/api/v1/lines/L1/calls/1/close";

/// Shows: SCR-09
#[tokio::test]
async fn a_call_is_on_every_screen_until_it_is_closed() {
    let (app, _sender) = running();
    assert_eq!(get(&app, SNAPSHOT).await.json()["calls"], json!([]));
    // One tap: no name, no words.
    let call = post(&app, CALLS, &json!({ "need": "machine", "station": "CF01" })).await;
    assert_eq!((call.status, &call.json()["number"]), (StatusCode::OK, &json!(1)));
    let again = post(&app, CALLS, &json!({ "need": "machine", "station": "CF01" })).await;
    assert_eq!(again.json()["number"], 1, "a double tap is one call");
    let shown = get(&app, SNAPSHOT).await.json()["calls"].clone();
    assert_eq!((&shown[0]["need"], &shown[0]["station"]), (&json!("machine"), &json!("CF01")));
    assert_eq!((&shown[0]["taken"], shown.as_array().map(Vec::len)), (&Value::Null, Some(1)));

    let taken = post(&app, TAKE, &json!({ "by": "Li Wei" })).await.json();
    assert_eq!(taken["taken"]["by"], "Li Wei");
    let conflict = StatusCode::CONFLICT;
    refused(&app, TAKE, json!({ "by": "Wang" }), conflict, "taken by Li Wei already").await;
    let late = post(&app, TAKE, &json!({ "by": "Wang" })).await.json();
    assert!(late["message_zh"].as_str().unwrap().contains("已由 Li Wei 响应"), "{late}");
    assert_eq!(post(&app, TAKE, &json!({ "by": "Li Wei" })).await.status, StatusCode::OK);
    let closed = post(&app, CLOSE, &json!({ "by": "Wang", "text": "jam cleared" })).await.json();
    assert_eq!(closed["closed"]["text"], "jam cleared");
    refused(&app, CLOSE, json!({ "by": "Li Wei" }), conflict, "closed by Wang already").await;
    assert_eq!(get(&app, SNAPSHOT).await.json()["calls"], json!([]));
    // The record keeps it.
    let kept = get(&app, CALLS).await.json();
    assert_eq!((&kept[0]["number"], kept.as_array().map(Vec::len)), (&json!(1), Some(1)));
    assert_eq!(kept[0]["closed"]["by"], "Wang");
}

#[tokio::test]
async fn a_call_that_means_nothing_is_refused_with_the_way_out() {
    let (app, _sender) = running();
    let bad = StatusCode::BAD_REQUEST;
    let long = "x".repeat(81);
    for (body, words) in [
        (json!({ "need": "coffee" }), "use machine, material, quality, other"),
        (json!({ "need": "machine", "station": "XX99" }), "no station"),
        (json!({ "need": "machine", "by": long }), "longer than 80"),
        (json!({ "need": "machine", "who": "me" }), "who"),
        (json!({}), "need"),
    ] {
        refused(&app, CALLS, body, bad, words).await;
    }
    refused(&app, TAKE, json!({ "by": " " }), bad, "by is empty").await;
    let none = StatusCode::NOT_FOUND;
    refused(&app, TAKE, json!({ "by": "Li" }), none, "no_call").await;
    refused(&app, "/api/v1/lines/L1/calls/one/close", json!({ "by": "Li" }), none, "no_call").await;
    refused(&app, "/api/v1/lines/L9/calls", json!({ "need": "other" }), none, "no_line").await;
    assert_eq!(get(&app, CALLS).await.json(), json!([]), "nothing of all that was kept");
}

#[tokio::test]
async fn nobody_calls_from_another_page_or_where_nothing_may_be_written() {
    let (app, _sender) = running();
    let body = json!({ "need": "machine", "by": "Li" });
    for path in [CALLS, TAKE, CLOSE] {
        let request = Request::post(path)
            .header(header::HOST, "127.0.0.1:8080")
            .header(header::ORIGIN, "http://evil.example")
            .header(header::CONTENT_TYPE, "application/json");
        let answer = ask(&app, request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    let memory = Arc::new(Memory::default());
    let (app, _sender) = fixture::app_with(Clock::real(), Arc::new(Record), memory, false);
    for path in [CALLS, TAKE, CLOSE] {
        refused(&app, path, body.clone(), StatusCode::FORBIDDEN, "read_only").await;
    }
    assert!(get(&app, OVERVIEW).await.text().contains("data-calls=\"false\""));
}

#[tokio::test]
async fn alerts_show_their_rules_what_is_open_and_what_was_told() {
    let (app, _sender) = running();
    let alerts = get(&app, "/api/v1/alerts").await.json();
    assert_eq!(
        (&alerts["rules"][0]["longer_ms"], &alerts["rules"][0]["send"][0]),
        (&json!(600_000), &json!("maintenance"))
    );
    assert_eq!(
        (&alerts["open"][0]["alert"], &alerts["open"][0]["closed_ms"]),
        (&json!(7), &Value::Null)
    );
    assert_eq!(
        (&alerts["closed"][0]["alert"], alerts["closed"].as_array().map(Vec::len)),
        (&json!(6), Some(1))
    );
    let lasted = |of: &str| alerts[of][0]["lasted_ms"].clone();
    assert_eq!((lasted("closed"), lasted("open")), (json!(90_000), Value::Null));
    let [told, failed] = [0, 1].map(|i| alerts["deliveries"][i].clone());
    assert_eq!(
        (&told["ending"], &told["status"], &told["subject"]),
        (&json!("delivered"), &json!(204), &json!("L1"))
    );
    assert_eq!((&failed["status"], &failed["error"]), (&Value::Null, &json!("connection refused")));
}
