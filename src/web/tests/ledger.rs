//! Stops, periods and counters as programs get them.

use axum::http::StatusCode;
use serde_json::Value;

use super::{get, running};

#[tokio::test]
async fn stops_come_as_recorded_and_as_people_see_them() {
    let (app, _sender) = running();
    let stops = get(&app, "/api/v1/lines/L1/stops?from=0&to=600000&micro_s=36").await.json();
    let first = &stops["recorded"][0];
    assert_eq!(first["cause"], "internal");
    assert_eq!((&first["key"], &first["duration_us"]), (&"CF01".into(), &35_000_000.into()));
    assert_eq!((&first["micro"], &first["flags"][0]), (&true.into(), &"cut_after".into()));
    let second = &stops["recorded"][1];
    assert_eq!((&second["key"], &second["to_ms"]), (&Value::Null, &Value::Null));
    assert_eq!(second["candidates"], serde_json::json!(["BC05", "CW04"]));
    let parts: Vec<_> =
        (0..3).map(|i| stops["stops"][i]["id"].as_str().unwrap_or_default()).collect();
    assert_eq!(parts, ["7", "7.3", "8"]);
    assert_eq!((&stops["n_micro"], &stops["micro_ms"]), (&1.into(), &35_000.into()));
    // 35 s is not shorter than 35 s.
    let strict = get(&app, "/api/v1/lines/L1/stops?from=0&to=600000&micro_s=35").await.json();
    assert_eq!(strict["n_micro"], 0);
}

#[tokio::test]
async fn a_period_has_kpis_of_its_sums_with_their_doubt() {
    let (app, _sender) = running();
    let shift = get(&app, "/api/v1/lines/L1/shifts?from=0&to=600000").await.json()[0].clone();
    // 120 minutes less 24 planned and with 4 of set-up: 100; 6 of them unknown.
    let kpis = &shift["kpis"];
    assert_eq!((&shift["known_percent"], &shift["target"]), (&95.0.into(), &780_000.into()));
    assert_eq!(kpis["availability_percent"], 60.0);
    assert_eq!(kpis["coverage_percent"], 94.0);
    assert_eq!(kpis["oee_percent"], 60.0);
    assert_eq!(kpis["oee_low_percent"], 59.85);
    assert_eq!(kpis["oee_high_percent"], 66.0);
    assert_eq!(kpis["nee_percent"], 64.0);
    assert_eq!((&kpis["mttr_s"], &kpis["mtbf_s"]), (&600.0.into(), &1_920.0.into()));
    let batch = get(&app, "/api/v1/lines/L1/batches?from=0&to=600000").await.json()[0].clone();
    assert_eq!(batch["begun"], "matched");
    assert_eq!(batch["balance_percent"]["best"], 99.92);
    assert_eq!((&batch["balance"], &batch["kind"]), (&"within".into(), &"batch".into()));
}

#[tokio::test]
async fn what_is_asked_wrongly_of_the_ledger_is_told() {
    let (app, _sender) = running();
    let counter = get(&app, "/api/v1/lines/L1/counters/CF01.Nothing").await;
    assert_eq!(counter.status, StatusCode::NOT_FOUND);
    assert_eq!(counter.json()["code"], "no_counter");
    let balance = get(&app, "/api/v1/lines/L1/balance?by=week").await;
    assert_eq!(balance.status, StatusCode::BAD_REQUEST);
    assert!(balance.json()["message"].as_str().is_some_and(|text| text.contains("hour, shift")));
}

#[tokio::test]
async fn a_series_is_as_fine_as_its_span_allows() {
    let (app, _sender) = running();
    let fine = get(&app, "/api/v1/lines/L1/series?from=0&to=60000").await.json();
    assert_eq!((&fine["of"], &fine["step_ms"]), (&"second".into(), &1_000.into()));
    let points = fine["points"].as_array().expect("points");
    assert_eq!(points.len(), 60);
    assert_eq!(
        (&points[6]["good"]["best"], &points[7]["good"]["best"]),
        (&150.into(), &100.into())
    );
    assert_eq!(points[7]["time_us"], serde_json::json!([1_000_000, 0, 0, 0, 0, 0]));
    assert_eq!(points[7]["known_percent"], 100.0);
    let week = get(&app, "/api/v1/lines/L1/series?from=0&to=604800000").await.json();
    assert_eq!((&week["of"], &week["step_ms"]), (&"minute".into(), &600_000.into()));
    let month = get(&app, "/api/v1/lines/L1/series?from=0&to=2600000000").await.json();
    assert_eq!(month["of"], "hour");
    let long = get(&app, "/api/v1/lines/L1/series?from=0&to=2700000000").await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
}
