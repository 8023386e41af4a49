//! The waterfall of a made-up morning: its losses add up, and what is unknown is a class of its own.

use axum::http::StatusCode;
use serde_json::Value;

use crate::web::fixture::kept::{BEGIN_US, DAY_US, GAP, HELD, Kept, app, get};
use domain::units::MINUTE_US;

async fn steps(record: Kept, query: &str) -> Value {
    let app = app(record);
    let (status, text) = get(&app, &format!("/api/v1/lines/L1/losses?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let losses: Value = serde_json::from_str(&text).expect("JSON");
    losses["waterfall"].clone()
}

fn ms(waterfall: &Value, id: &str) -> i64 {
    let steps = waterfall["steps"].as_array().expect("steps");
    let step = steps.iter().find(|step| step["id"] == id);
    step.and_then(|step| step["ms"].as_i64()).unwrap_or_else(|| panic!("{id} in {waterfall}"))
}

/// The moment after the last whole minute of the record, so that nothing moves while the test runs.
fn at(minute: i64) -> String {
    format!("at={}", (BEGIN_US + minute * MINUTE_US) / 1_000)
}

#[tokio::test]
async fn losses_add_up_to_the_span_less_the_effective_time() {
    for query in [at(120), at(90), at(GAP.start + 1), format!("window=day&{}", at(150))] {
        let waterfall = steps(Kept::morning(), &query).await;
        let losses: i64 = waterfall["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .filter(|step| step["id"] != "span" && step["id"] != "effective")
            .filter_map(|step| step["ms"].as_i64())
            .sum();
        let span = ms(&waterfall, "span");
        assert_eq!(span - losses, ms(&waterfall, "effective"), "{query}: {waterfall}");
        // Each bar begins where the one before ended.
        let bars: Vec<[i64; 2]> = waterfall["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .map(|step| [0, 1].map(|i| step["bar_ms"][i].as_i64().expect("a place")))
            .collect();
        assert_eq!(bars[0], [0, span]);
        for pair in bars[1..bars.len() - 1].windows(2) {
            assert!(pair[0].contains(&pair[1][0]) || pair[0].contains(&pair[1][1]), "{bars:?}");
        }
    }
}

#[tokio::test]
async fn what_nobody_saw_is_unknown_and_what_was_made_meanwhile_is_taken_off_it() {
    let minute_ms = MINUTE_US / 1_000;
    let waterfall = steps(Kept::morning(), &at(120)).await;
    assert_eq!(ms(&waterfall, "not_recorded"), (BEGIN_US - DAY_US) / 1_000);
    let held = HELD.end - HELD.start;
    assert_eq!(ms(&waterfall, "failures") + ms(&waterfall, "micro"), held * minute_ms);
    // Three minutes in which 19,300 capsules were made, at 6,500 a minute.
    let unknown = ms(&waterfall, "unknown");
    assert!((unknown - (3 * minute_ms - 19_300 * minute_ms / 6_500)).abs() <= 2, "{unknown}");
    // The counts of the gap are known within bounds, and so is the loss.
    let between =
        waterfall["steps"].as_array().expect("steps").iter().find(|s| s["id"] == "unknown");
    let between = between.map(|step| &step["between_ms"]).expect("it is there");
    assert!(
        between[0].as_i64() < Some(unknown) && Some(unknown) < between[1].as_i64(),
        "{between}"
    );
    // The negative control: a record without that gap has nothing unknown.
    let mut whole = Kept::morning();
    whole.stops.retain(|stop| stop.number != 1);
    whole.events.retain(|event| event.word != "gap");
    for period in &mut whole.periods {
        period.gaps.clear();
    }
    let without = steps(whole, &at(120)).await;
    assert!(ms(&without, "unknown").abs() <= 2, "{without}");
}

#[tokio::test]
async fn a_stop_that_a_border_cuts_is_marked() {
    let inside = steps(Kept::morning(), &at(HELD.start + 2)).await;
    assert_eq!((&inside["cut_before"], &inside["cut_after"]), (&false.into(), &true.into()));
    let after = steps(Kept::morning(), &at(HELD.end + 5)).await;
    assert_eq!((&after["cut_before"], &after["cut_after"]), (&false.into(), &false.into()));
}
