//! What screens say of themselves: without a right to write, but from pages of ours only.

use serde_json::json;

use super::*;
use crate::web::fixture::Memory;

const ACK: &str = "/api/v1/ack/paint";

fn ack() -> Value {
    json!({
        "screen": "ab-cd", "load": "ef", "n": 1, "name": "<b>Wall 1</b>", "page": "/wall/L1", "line": "L1",
        "seq": 7, "painted_ago_ms": 90, "build": assets::build(), "shown": "visible",
    })
}

async fn say(app: &App, body: &str, origin: Option<&str>, kind: &str) -> Answer {
    let mut request = Request::post(ACK)
        .header(header::CONTENT_TYPE, kind)
        .header(header::HOST, "127.0.0.1:8080");
    if let Some(origin) = origin {
        request = request.header(header::ORIGIN, origin);
    }
    ask(app, request.body(Body::from(body.to_owned())).unwrap()).await
}

const OURS: Option<&str> = Some("http://127.0.0.1:8080");
const JSON: &str = "application/json";

#[tokio::test]
async fn a_screen_is_listed_also_where_nothing_may_be_written() {
    let memory = Arc::new(Memory::default());
    let (app, _sender) = fixture::app_with(Clock::real(), Arc::new(Record), memory, false);
    assert_eq!(get(&app, "/api/v1/displays").await.json(), json!([]));
    let said = say(&app, &ack().to_string(), OURS, JSON).await;
    assert_eq!(said.status, StatusCode::NO_CONTENT, "{}", said.text());
    let listed = get(&app, "/api/v1/displays").await.json()[0].clone();
    assert_eq!((&listed["state"], &listed["old_build"]), (&json!("live"), &json!(false)));
    // The text is kept as it was given; pages write it as text, never as markup.
    assert_eq!((&listed["name"], &listed["seq"]), (&json!("<b>Wall 1</b>"), &json!(7)));
    let page = get(&app, "/data").await;
    assert!(!page.text().contains("<b>Wall 1</b>"));
    let mut old = ack();
    (old["build"], old["n"]) = (json!("0"), json!(2));
    assert_eq!(say(&app, &old.to_string(), OURS, JSON).await.status, StatusCode::NO_CONTENT);
    assert_eq!(get(&app, "/api/v1/displays").await.json()[0]["old_build"], true);
}

#[tokio::test]
async fn nobody_else_and_nothing_large_is_heard() {
    let (app, _sender) = running();
    let good = ack().to_string();
    let mut long = ack();
    long["page"] = json!("x".repeat(3_000));
    let mut odd = ack();
    odd["extra"] = json!(1);
    let (long, odd) = (long.to_string(), odd.to_string());
    let (forbidden, bad) = (StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST);
    for (body, origin, kind, status, words) in [
        (&good, None, JSON, forbidden, "origin"),
        (&good, Some("http://evil.example"), JSON, forbidden, "origin"),
        (&good, Some("null"), JSON, forbidden, "origin"),
        (&good, Some("http://127.0.0.1:9090"), JSON, forbidden, "origin"),
        (&good, OURS, "text/plain", bad, "application/json"),
        (&long, OURS, JSON, bad, "2048 bytes"),
        (&odd, OURS, JSON, bad, "extra"),
        (&"{}".to_owned(), OURS, JSON, bad, "screen"),
    ] {
        let answer = say(&app, body, origin, kind).await;
        assert_eq!(answer.status, status, "{origin:?} {kind} {}", answer.text());
        assert!(answer.text().contains(words), "{words}: {}", answer.text());
    }
    assert_eq!(get(&app, "/api/v1/displays").await.json(), json!([]));
    let many = async || {
        for n in 1..90 {
            let mut body = ack();
            body["n"] = json!(n);
            if say(&app, &body.to_string(), OURS, JSON).await.status
                == StatusCode::TOO_MANY_REQUESTS
            {
                return true;
            }
        }
        false
    };
    assert!(many().await, "one screen may say as much as it likes");
}
