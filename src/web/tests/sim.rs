//! The simulated plant: there only where a plant is simulated, handled by people only as anything else is.

use serde_json::json;

use super::hand::{post, refused};
use super::*;
use crate::web::AppParts;
use crate::web::fixture::{MadeUpPlant, Memory};

const SIM: &str = "/api/v1/sim";
const INJECT: &str = "/api/v1/sim/inject";
const HOLD: &str = "/api/v1/sim/hold";
const CLEAR: &str = "/api/v1/sim/clear";
const RESET: &str = "/api/v1/sim/reset";

/// The made-up line with a plant of its own, and that plant.
fn simulated() -> (App, Arc<MadeUpPlant>, Sender) {
    let (app, sender) = running();
    let plant = Arc::new(MadeUpPlant::default());
    let parts = AppParts { simulator: Some(plant.clone()), ..app.parts().clone() };
    (App::new(parts), plant, sender)
}

fn real() -> (App, Sender) {
    let (app, sender) = running();
    (App::new(AppParts { simulator: None, ..app.parts().clone() }), sender)
}

/// Shows: SIM-05
#[tokio::test]
async fn a_real_plant_has_nothing_of_a_simulated_one() {
    let (app, _sender) = real();
    for path in ["/sim", SIM, INJECT, HOLD, CLEAR, RESET] {
        let answer = get(&app, path).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (StatusCode::NOT_FOUND, &json!("not_found")),
            "{path}"
        );
        let answer = post(&app, path, &json!({ "fault": "mute", "held": true })).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let page = get(&app, OVERVIEW).await;
    assert!(!page.text().contains("/sim?"), "nothing leads there");
    let description = get(&app, "/api/openapi.json").await.json();
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() > 30 && !paths.keys().any(|path| path.contains("/sim")), "{paths:?}");
    // The negative control: where there is one, all of it is there.
    let (app, _plant, _sender) = simulated();
    assert!(get(&app, OVERVIEW).await.text().contains("href=\"/sim?line=L1\""));
    let description = get(&app, "/api/openapi.json").await.json();
    for path in [SIM, INJECT, HOLD, CLEAR, RESET] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
    let page = get(&app, "/sim").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("data-writes=\"true\""));
}

/// Shows: SIM-06
#[tokio::test]
async fn a_fault_that_is_put_in_is_told_with_its_verdict() {
    let (app, plant, _sender) = simulated();
    let put = post(&app, INJECT, &json!({ "fault": "mute", "seconds": 30 })).await.json();
    assert_eq!(
        (&put["fault"], &put["verdict"], &put["lasts"]),
        (&json!("mute"), &json!("waiting"), &json!(true))
    );
    assert_eq!(put["to_ms"].as_i64().unwrap() - put["from_ms"].as_i64().unwrap(), 30_000);
    let usual = post(&app, INJECT, &json!({ "fault": "late" })).await.json();
    assert_eq!(usual["to_ms"].as_i64().unwrap() - usual["from_ms"].as_i64().unwrap(), 60_000);
    assert_eq!(usual["verdict"], "silent");
    // Long ago nothing was said of one.
    plant.injections.lock().unwrap()[0].from_us -= 20 * SECOND_US;
    let sim = get(&app, SIM).await.json();
    let verdicts: Vec<&Value> =
        sim["injections"].as_array().unwrap().iter().map(|one| &one["verdict"]).collect();
    assert_eq!(verdicts, [&json!("missed"), &json!("silent")]);
    let down = &sim["signs"][0];
    assert_eq!(
        (&down["kind"], &down["word"], &down["station"]),
        (&json!("link"), &json!("down"), &json!("CF01"))
    );
    assert_eq!((&down["injected"], &down["missed"]), (&json!(1), &json!(1)));
    assert_eq!(sim["signs"][1]["false_alarms"], Value::Null, "a plant does that by itself");
    assert_eq!(post(&app, CLEAR, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(get(&app, SIM).await.json()["injections"][0]["lasts"], false);
}

/// Shows: SIM-08
#[tokio::test]
async fn the_truth_stands_beside_the_count_and_says_when_it_does_not_agree() {
    let (app, _plant, _sender) = simulated();
    let sim = get(&app, SIM).await.json();
    let truth = &sim["truth"][0];
    assert_eq!((&truth["least"], &truth["most"]), (&json!(0), &json!(1)));
    assert!(truth["counted"]["low"].as_u64().unwrap() > 1, "{truth}");
    assert_eq!(truth["agrees"], false, "{truth}");
    assert_eq!(
        (&sim["seed"], &sim["held"], &sim["line"]),
        (&json!(42), &json!(false), &json!("L1"))
    );
}

#[tokio::test]
async fn the_clock_is_held_and_another_run_is_asked_for() {
    let (app, plant, _sender) = simulated();
    assert_eq!(post(&app, HOLD, &json!({ "held": true })).await.status, StatusCode::NO_CONTENT);
    assert_eq!(get(&app, SIM).await.json()["held"], true);
    let asked = post(&app, RESET, &json!({ "seed": 7, "speed": 10.0 })).await;
    assert_eq!(asked.status, StatusCode::NO_CONTENT);
    refused(
        &app,
        RESET,
        json!({ "seed": 7, "speed": 3.0 }),
        StatusCode::BAD_REQUEST,
        "use 1, 10 or 60",
    )
    .await;
    refused(&app, RESET, json!({ "seed": -1, "speed": 1.0 }), StatusCode::BAD_REQUEST, "-1").await;
    assert_eq!(*plant.runs.lock().unwrap(), [(7, 10.0)]);
}

#[tokio::test]
async fn what_is_no_order_is_refused() {
    let (app, plant, _sender) = simulated();
    let bad = StatusCode::BAD_REQUEST;
    refused(&app, INJECT, json!({ "fault": "fire" }), bad, "use mute, reset, late").await;
    // The clock has a button of its own.
    refused(&app, INJECT, json!({ "fault": "hold" }), bad, "there is no fault").await;
    for seconds in [0, 43_201] {
        refused(
            &app,
            INJECT,
            json!({ "fault": "mute", "seconds": seconds }),
            bad,
            "from 1 to 43200",
        )
        .await;
    }
    refused(&app, INJECT, json!({ "fault": "mute", "who": 1 }), bad, "who").await;
    assert!(plant.injections.lock().unwrap().is_empty());
    post(&app, INJECT, &json!({ "fault": "mute" })).await;
    let again = json!({ "fault": "mute" });
    refused(&app, INJECT, again, StatusCode::CONFLICT, "on already").await;
}

/// Shows: ACC-01
#[tokio::test]
async fn no_fault_is_put_in_for_another_page_or_where_the_service_only_shows() {
    let (app, plant, _sender) = simulated();
    for (name, value, status) in [
        (header::ORIGIN, "http://evil.example", StatusCode::FORBIDDEN),
        (header::CONTENT_TYPE, "text/plain", StatusCode::BAD_REQUEST),
    ] {
        for (path, body) in [
            (INJECT, json!({ "fault": "mute" })),
            (HOLD, json!({ "held": true })),
            (CLEAR, json!({})),
            (RESET, json!({ "seed": 1, "speed": 1.0 })),
        ] {
            let mut request = Request::post(path).header(header::HOST, "127.0.0.1:8080");
            request = request.header(&name, value);
            if name != header::CONTENT_TYPE {
                request = request.header(header::CONTENT_TYPE, "application/json");
            }
            let answer = ask(&app, request.body(Body::from(body.to_string())).unwrap()).await;
            assert_eq!(answer.status, status, "{path} {value}");
        }
    }
    let memory = Arc::new(Memory::default());
    let (shows, _sender) = fixture::app_with(Clock::real(), Arc::new(Record), memory, false);
    refused(&shows, INJECT, json!({ "fault": "mute" }), StatusCode::FORBIDDEN, "read_only").await;
    assert!(get(&shows, "/sim").await.text().contains("data-writes=\"false\""));
    assert!(plant.injections.lock().unwrap().is_empty() && plant.runs.lock().unwrap().is_empty());
}
