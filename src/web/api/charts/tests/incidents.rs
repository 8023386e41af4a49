//! Incidents as work: what people write of them, and those of all charts that have not ended.

use super::*;

#[tokio::test]
async fn an_incident_is_acknowledged_explained_and_handed_over() {
    let bench = bench(true);
    bench.record.incidents.lock().unwrap().push(incident(7, bench.now_us - MINUTE_US));
    let before = &bench.get("/api/v1/lines/L1/incidents").await[0];
    assert_eq!((&before["acknowledged"], &before["owner"]), (&json!(false), &Value::Null));
    for (kind, text) in [
        ("acknowledge", ""),
        ("cause", "worn dosing disc"),
        ("action", "disc changed, 200 capsules checked"),
        ("owner", "Li Wei"),
        ("owner", "Bo"),
        ("note", "handed over at 20:00"),
    ] {
        let (status, answer) =
            bench.post(WORK, json!({"author": "An", "kind": kind, "text": text})).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{kind}: {answer}");
    }
    let after = &bench.get(CHART).await["incidents"][0];
    assert_eq!((&after["acknowledged"], &after["owner"]), (&json!(true), &json!("Bo")));
    let work = after["work"].as_array().unwrap();
    assert_eq!(work.len(), 6, "nothing that was said is changed");
    assert_eq!((&work[1]["kind"], &work[1]["text"]), (&json!("cause"), &json!("worn dosing disc")));
}

/// Those that have not ended are asked for of all charts at once, with what they are and who has them.
#[tokio::test]
async fn open_incidents_of_all_charts_are_told_together() {
    let bench = bench(true);
    let mut all = vec![incident(7, bench.now_us - 50 * 60 * MINUTE_US), incident(8, bench.now_us)];
    all[0].incident.characteristic = "speed".into();
    all[0].incident.rules = Hits::NONE.with(RuleId::N2);
    all.push(incident(9, bench.now_us));
    all[2].incident.over = true;
    *bench.record.incidents.lock().unwrap() = all;
    bench.post(WORK, json!({"author": "An", "kind": "owner", "text": "Li Wei"})).await;
    let open = bench.get("/api/v1/lines/L1/incidents?open=true").await;
    let told = |one: &Value| {
        let owner = one["owner"].as_str().map(str::to_owned);
        (one["characteristic"].as_str().unwrap().to_owned(), one["beyond"] == true, owner)
    };
    let told: Vec<_> = open.as_array().unwrap().iter().map(told).collect();
    let speed = ("speed".to_owned(), false, Some("Li Wei".to_owned()));
    assert_eq!(told, [speed, ("reject_fraction".to_owned(), true, None)]);
    let whole = bench.get("/api/v1/lines/L1/incidents").await;
    assert_eq!(
        whole.as_array().unwrap().len(),
        3,
        "the negative control: not asked, none is left out"
    );
    let refused = fixture::get(&bench.app, "/api/v1/lines/L1/incidents?open=perhaps").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn work_that_says_nothing_or_of_nothing_is_refused() {
    let bench = bench(true);
    bench.record.incidents.lock().unwrap().push(incident(7, bench.now_us));
    let long = "x".repeat(1_001);
    for (path, body, words) in [
        (WORK, json!({"author": " ", "kind": "acknowledge"}), "author is empty"),
        (WORK, json!({"author": "An", "kind": "cause", "text": " "}), "text is empty"),
        (WORK, json!({"author": "An", "kind": "note", "text": long}), "text"),
        (
            WORK,
            json!({"author": "An", "kind": "shrug", "text": "x"}),
            "kind must be one of acknowledge",
        ),
        (WORK, json!({"author": "An"}), "missing field"),
        (
            "/api/v1/lines/L1/incidents/8/work",
            json!({"author": "An", "kind": "acknowledge"}),
            "no incident 8",
        ),
    ] {
        let (status, answer) = bench.post(path, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(answer["message"].as_str().unwrap().contains(words), "{answer}");
    }
    assert!(bench.record.incidents.lock().unwrap()[0].work.is_empty());
}
