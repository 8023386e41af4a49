//! The configuration read again by a person, and screens that follow another one.

use serde_json::json;

use super::hand::post;
use super::*;
use crate::web::Shown;
use crate::web::fixture::Memory;

const RELOAD: &str = "/api/v1/reload";

#[tokio::test]
async fn a_mistake_comes_back_with_its_place_and_its_way_out() {
    let (app, _sender) = running();
    let answer = post(&app, RELOAD, &json!({ "by": "Li" })).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let refused = answer.json();
    assert_eq!(
        (&refused["code"], &refused["problems"].as_array().unwrap().len()),
        (&json!("configuration"), &1)
    );
    assert!(refused["problems"][0].as_str().unwrap().starts_with("plant.toml:7: "), "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("the old one goes on"), "{refused}");
    assert_ne!(refused["message"], refused["message_zh"], "it is said in Chinese too");
    let standing = get(&app, RELOAD).await.json();
    assert_eq!(standing, json!({ "config_sha256": "c0ffee", "last": null }));
}

#[tokio::test]
async fn only_who_may_write_reads_it_again() {
    let (writes, _sender) = running();
    let foreign = Request::post(RELOAD)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ORIGIN, "http://evil.example");
    let foreign = ask(&writes, foreign.body(Body::from("{}")).unwrap()).await;
    assert_eq!(
        (foreign.status, &foreign.json()["code"]),
        (StatusCode::FORBIDDEN, &json!("origin"))
    );
    let plain = Request::post(RELOAD).header(header::HOST, "127.0.0.1:8080");
    let plain = ask(&writes, plain.body(Body::from("{}")).unwrap()).await;
    assert_eq!(plain.status, StatusCode::BAD_REQUEST, "a form of another page cannot do it either");
    let (shows, _sender) =
        fixture::app_with(Clock::real(), Arc::new(Record), Arc::new(Memory::default()), false);
    let refused = post(&shows, RELOAD, &json!({})).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (StatusCode::FORBIDDEN, &json!("read_only"))
    );
    assert!(!get(&shows, "/data").await.text().contains("reload-button"));
    assert!(get(&writes, "/data").await.text().contains("reload-button"));
}

#[tokio::test]
async fn each_request_is_answered_by_what_runs_now() {
    let (app, _sender) = running();
    let shown = Shown::from(app);
    let mut router = crate::web::router(shown.clone(), true);
    let mut status = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.call(request).await.unwrap().status()
    };
    assert_eq!(status(SNAPSHOT).await, StatusCode::OK);
    shown.showing().change(|parts| parts.lines.clear());
    assert_eq!(status(SNAPSHOT).await, StatusCode::NOT_FOUND, "the line is gone");
    assert_eq!(shown.now().parts().lines.len(), 0);
}
