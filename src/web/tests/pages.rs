//! What the pages behind the overview ask for: losses with reasons, rejects, data, reports.

use serde_json::json;

use super::*;
use crate::web::fixture::Memory;

const LOSSES: &str = "/api/v1/lines/L1/losses";
const REVISIONS: &str = "/api/v1/lines/L1/stops/revisions";

fn said() -> Value {
    json!({ "part": "7", "cause": "internal", "reason": "Electrical fault", "by": "Li Wei", "why": "fuse" })
}

fn with(name: &str, value: &str) -> Value {
    let mut body = said();
    body[name] = value.into();
    body
}

async fn post(app: &App, body: &Value, origin: Option<&str>) -> Answer {
    let mut request = Request::post(REVISIONS)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::HOST, "127.0.0.1:8080");
    if let Some(origin) = origin {
        request = request.header(header::ORIGIN, origin);
    }
    ask(app, request.body(Body::from(body.to_string())).unwrap()).await
}

/// Shows: ACC-01
#[tokio::test]
async fn a_reason_is_kept_under_a_name_and_never_for_another_page() {
    let (app, _sender) = running();
    let kept = post(&app, &said(), Some("http://127.0.0.1:8080")).await;
    assert_eq!((kept.status, &kept.json()["number"]), (StatusCode::OK, &json!(4)));
    assert_eq!(post(&app, &said(), None).await.status, StatusCode::OK, "a program");
    for origin in ["http://evil.example", "http://127.0.0.1:9090", "null"] {
        let refused = post(&app, &said(), Some(origin)).await;
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (StatusCode::FORBIDDEN, &json!("origin"))
        );
    }
    for (name, value, words) in [
        ("by", "  ", "by is empty"),
        ("why", "", "why is empty"),
        ("reason", "", "reason is empty"),
        ("cause", "bad luck", "no cause"),
        ("part", "seven", "no stop"),
        ("part", "9", "read the list again"),
    ] {
        let refused = post(&app, &with(name, value), None).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name}");
        assert!(refused.text().contains(words), "{name}: {}", refused.text());
    }
}

/// Shows: ACC-01
#[tokio::test]
async fn nothing_is_written_where_the_service_only_shows() {
    let memory = Arc::new(Memory::default());
    let (app, _sender) = fixture::app_with(Clock::real(), Arc::new(Record), memory, false);
    let refused = post(&app, &said(), None).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (StatusCode::FORBIDDEN, &json!("read_only"))
    );
    assert!(get(&app, "/stops").await.text().contains("data-writes=\"false\""));
}

#[tokio::test]
async fn losses_hold_what_was_recorded_and_what_was_said() {
    let (app, _sender) = running();
    let losses = get(&app, &format!("{LOSSES}?window=day&micro_s=10")).await.json();
    let stops = losses["stops"].as_array().unwrap();
    // Stop 7 was split five seconds after its begin; stop 8 lasts. Newest first.
    let ids: Vec<&str> = stops.iter().map(|stop| stop["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["8", "7.3", "7"]);
    assert_eq!(stops[0]["to_ms"], Value::Null);
    assert_eq!(stops[0]["stations"], json!(["BC05", "CW04"]));
    assert_eq!((&stops[1]["lasted_ms"], &stops[2]["lasted_ms"]), (&json!(30_000), &json!(5_000)));
    assert_eq!((&stops[2]["micro"], &stops[1]["micro"]), (&json!(true), &json!(false)));
    assert_eq!(stops[2]["said"][0]["by"], "li");
    // The hours of the fixture begin with the span and are whole: nothing of it is missing.
    assert_eq!(losses["recorded_from_ms"], losses["window"]["from_ms"]);
    // All lost time is in exactly one row, and the last row completes it.
    let rows = losses["losses"].as_array().unwrap();
    let sum = |rows: &[Value], name: &str| {
        rows.iter().map(|row| row[name].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!(sum(rows, "ms"), sum(stops, "inside_ms"));
    assert_eq!(sum(rows, "n"), 3);
    assert_eq!(rows.last().unwrap()["cumulative_percent"], 100.0);
    assert!(rows.iter().any(|row| row["cause"] == "micro"));
    // A row is the sum of the stops that it names.
    for row in rows {
        let named = row["stops"].as_array().unwrap();
        let own: Vec<_> =
            stops.iter().filter(|stop| named.contains(&stop["id"])).cloned().collect();
        assert_eq!((own.len(), sum(&own, "inside_ms")), (named.len(), row["ms"].as_i64().unwrap()));
    }
}

#[tokio::test]
async fn spans_have_names_and_others_are_refused() {
    let (app, _sender) = running();
    for (window, hours) in [("day", 24), ("week", 168)] {
        let span = get(&app, &format!("{LOSSES}?window={window}")).await.json()["window"].clone();
        let ms = span["to_ms"].as_i64().unwrap() - span["from_ms"].as_i64().unwrap();
        assert_eq!(ms, hours * 3_600_000, "{window}");
    }
    // The fixture has no shift rules: a shift is a day, and the one before ends where this one begins.
    let this = get(&app, &format!("{LOSSES}?window=shift")).await.json()["window"].clone();
    let before = get(&app, &format!("{LOSSES}?window=previous")).await.json()["window"].clone();
    assert_eq!(before["to_ms"], this["from_ms"]);
    assert_eq!((&before["open"], &this["open"]), (&json!(false), &json!(true)));
    let refused = get(&app, &format!("{LOSSES}?window=month")).await;
    assert!(refused.status == StatusCode::BAD_REQUEST && refused.text().contains("previous"));
}

#[tokio::test]
async fn rejects_are_ranked_and_compared_with_the_span_before() {
    let (app, _sender) = running();
    let rejects = get(&app, "/api/v1/lines/L1/rejects?window=day").await.json();
    let row = &rejects["rows"][0];
    assert_eq!((&row["reason"], &row["share_percent"]), (&json!("dented"), &json!(100.0)));
    assert_eq!(row["rejected"]["best"], 900);
    // 900 of 390,900; Wilson's interval holds it.
    assert_eq!(row["ppm"], 2_302.4);
    let [low, high] = [0, 1].map(|i| row["wilson"][i].as_f64().unwrap());
    assert!(low < 2_302.4 && 2_302.4 < high && high - low < 400.0, "{low} {high}");
    // The record gives the same for every span: nothing can have changed.
    assert_eq!((&row["difference_ppm"], &row["verdict"]), (&json!(0.0), &json!("chance")));
    // What the test was made of is told with it.
    assert_eq!((&row["before_total"]["best"], &row["z"]), (&json!(390_900), &json!(0.0)));
    assert_eq!(row["dispersion_df"], Value::Null, "two hours are too few");
    // Two of 24 hours are recorded, and of these six minutes were not seen.
    assert_eq!(rejects["coverage_percent"], 7.9);
}

#[tokio::test]
async fn data_lists_tags_with_what_was_counted_and_says_when_the_store_fails() {
    let (app, _sender) = running();
    let data = get(&app, "/api/v1/lines/L1/data").await.json();
    let [journal, raw, both] =
        ["bytes", "raw_bytes", "total_bytes"].map(|size| data["store"][size].as_f64().unwrap());
    assert_eq!((journal, raw, both), (4_096.0, 1_024.0, 5_120.0));
    assert_eq!(data["store"]["failing"], false);
    assert_eq!(
        data["n_entries"].as_u64().unwrap(),
        data["entries"].as_array().unwrap().len() as u64
    );
    let (app, _sender) = fixture::app(Clock::real(), Arc::new(Unreadable));
    for path in ["/api/v1/lines/L1/data", LOSSES, "/api/v1/lines/L1/rejects", "/report/shift"] {
        let answer = get(&app, path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(!answer.text().contains("secret"), "{path}");
    }
}

/// Shows: SIM-04
#[tokio::test]
async fn a_report_says_what_it_rests_on_and_bears_the_mark_of_a_simulation() {
    let (app, _sender) = running();
    let now = Clock::real().now().utc_us / 1_000;
    let path = format!("/report/shift?start={}", now - 7_200_000);
    let sheet = get(&app, &path).await;
    // Behind the sheet stand the texts of the scripts.
    let text = sheet.text().split("</main>").next().unwrap();
    for part in
        ["c0ffee", "Data SHA-256", "SIM simulated data", "watermark", "Reviewer", "not recorded"]
    {
        // The two hours of the fixture are recorded whole.
        assert_eq!(text.contains(part), part != "not recorded", "{part}");
    }
    assert!(!text.contains(" style=") && !text.contains(" onclick="));
    let hash = |answer: &Answer| {
        let rest = answer.text().split("Data SHA-256").nth(1).unwrap().to_owned();
        rest.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned()
    };
    assert_eq!(hash(&sheet).len(), 64);
    let batch = get(&app, &format!("/report/batch?start={}", now - 7_200_000)).await;
    assert!(
        batch.text().contains("99.92\u{a0}%"),
        "the balance of the fixture: 390,900 of 391,200"
    );
    assert_ne!(hash(&batch), hash(&sheet), "another period has another hash");
}

#[tokio::test]
async fn every_page_is_in_the_bar_and_every_address_in_it_answers() {
    let (app, _sender) = running();
    let overview = get(&app, OVERVIEW).await;
    let bar =
        overview.text().split("<nav").nth(1).unwrap().split("</nav>").next().unwrap().to_owned();
    let addresses: Vec<&str> =
        bar.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    for path in ["/line", "/stops", "/rejects", "/spc", "/reports", "/data"] {
        let address = addresses.iter().find(|address| address.starts_with(path));
        let page = get(&app, address.unwrap_or(&"/nothing")).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert_eq!(page.text().matches("aria-current=\"page\"").count(), 1, "{path}");
    }
    assert!(!get(&app, "/wall/L1").await.text().contains("<nav"));
    assert_eq!(get(&app, "/wall/L9").await.status, StatusCode::NOT_FOUND);
}
