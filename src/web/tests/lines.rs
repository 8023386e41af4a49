//! Several lines: each is seen on the pages of the others.

use domain::units::LineId;
use serde_json::json;

use super::hand::post;
use super::*;
use crate::web::LineFeed;

const LINES: &str = "/api/v1/lines";

/// The line of the fixture, and another one beside it.
fn two_lines() -> (App, [Sender; 2]) {
    let (app, first) = running();
    let mut parts = app.parts().clone();
    let (second, status) = watch::channel(None);
    let LineFeed { config, charts, .. } = parts.lines[0].clone();
    let config = crate::config::LineConfig { id: LineId::new("L2"), ..config };
    parts.lines.push(LineFeed { config, status, charts, followers: Default::default() });
    (App::new(parts), [first, second])
}

/// Shows: SCR-09, SCR-01
#[tokio::test]
async fn lines_are_listed_with_their_states_and_calls() {
    let (app, [_first, second]) = two_lines();
    let told = async || {
        let lines = get(&app, LINES).await.json();
        let of = |line: &Value| {
            ["id", "state", "class", "untaken_calls", "taken_calls"].map(|name| line[name].clone())
        };
        let lines: Vec<_> = lines.as_array().unwrap().iter().map(of).collect();
        json!(lines)
    };
    // Nothing was heard of the second one: that is no state of rest.
    let running = json!(["L1", "execute", "run", 0, 0]);
    assert_eq!(told().await, json!([running, ["L2", "unknown", "unknown", 0, 0]]));
    let status = fixture::status(Clock::real().now(), Case::Running);
    second.send_replace(Some(Arc::new(status.clone())));
    let calls = "/api/v1/lines/L2/calls";
    for need in ["machine", "material"] {
        assert_eq!(post(&app, calls, &json!({ "need": need })).await.status, StatusCode::OK);
    }
    assert_eq!(told().await, json!([running, ["L2", "execute", "run", 2, 0]]));
    post(&app, &format!("{calls}/1/take"), &json!({ "by": "Li Wei" })).await;
    assert_eq!(told().await, json!([running, ["L2", "execute", "run", 1, 1]]));
    post(&app, &format!("{calls}/1/close"), &json!({ "by": "Li Wei" })).await;
    assert_eq!(told().await, json!([running, ["L2", "execute", "run", 1, 0]]));
    // What no longer reports is unknown, whatever it was; the call stands.
    let old_us = (STALE_MS + 1_000) * 1_000;
    let mut old = status;
    old.at.mono_us -= old_us;
    second.send_replace(Some(Arc::new(old)));
    assert_eq!(told().await, json!([running, ["L2", "unknown", "unknown", 1, 0]]));
}

/// The bar of a plant of one line has no place for others, and pages of it are as they are.
#[tokio::test]
async fn only_where_there_are_several_lines_the_bar_tells_of_them() {
    let (one, _sender) = running();
    let (two, _senders) = two_lines();
    for path in ["/", "/line", "/stops", "/data"] {
        let page = get(&one, path).await.text().to_owned();
        assert!(!page.contains("class=\"lines\"") && !page.contains("line-word"), "{path}");
        assert!(page.contains("<header class=\"bar\">"), "{path}");
        let page = get(&two, &format!("{path}?line=L1")).await.text().to_owned();
        assert!(page.contains("<header class=\"bar many\">"), "{path}");
        for line in ["L1", "L2"] {
            assert!(page.contains(&format!("data-of=\"{line}\"")), "{path}: {line}");
        }
    }
}
