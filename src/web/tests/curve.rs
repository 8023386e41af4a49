//! The curve of a shift as the web tells it.

use super::*;

const CURVE: &str = "/api/v1/lines/L1/curve";

fn numbers(told: &Value, name: &str) -> Vec<i64> {
    told[name].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect()
}

/// The record of the fixture has the first minute of each span, and nothing after it.
#[tokio::test]
async fn a_curve_starts_at_nothing_grows_by_what_was_made_and_names_what_is_not_known() {
    let (app, _sender) = running();
    let told = get(&app, CURVE).await.json();
    let [at, low, best, high, target] =
        ["at_ms", "low", "best", "high", "target"].map(|name| numbers(&told, name));
    assert_eq!((at[0], best[0], target[0]), (told["window"]["from_ms"].as_i64().unwrap(), 0, 0));
    assert_eq!((at.len(), at[1] - at[0]), (2, 60_000));
    assert!(low[1] >= 6_440 && low[1] <= best[1] && best[1] <= high[1], "{told}");
    assert!(best.windows(2).all(|pair| pair[0] <= pair[1]), "{told}");
    // The target goes on to the end of the shift, which the span does not reach.
    let (end, to) = (told["end_ms"].as_i64().unwrap(), told["window"]["to_ms"].as_i64().unwrap());
    assert!(end >= to && told["target_end"].as_i64().unwrap() >= target[1], "{told}");
    let unknown = &told["unknown_ms"];
    assert_eq!(
        unknown[0][0].as_i64(),
        Some(at[0]),
        "the minute has a hundredth that is not: {told}"
    );
    assert!(unknown[0][1].as_i64().unwrap() <= to, "{told}");
}

#[tokio::test]
async fn a_curve_of_a_past_moment_ends_there_and_a_wrong_question_is_refused() {
    let (app, _sender) = running();
    let before = Clock::real().now().utc_us / 1_000 - 3_600_000;
    let told = get(&app, &format!("{CURVE}?at={before}")).await.json();
    let to = told["window"]["to_ms"].as_i64().unwrap();
    assert_eq!(to, before - before % 60_000);
    assert!(numbers(&told, "at_ms").iter().all(|at| *at <= to), "{told}");
    for (query, words) in [("window=month", "shift, previous, day, week"), ("at=soon", "at")] {
        let answer = get(&app, &format!("{CURVE}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.text().contains(words), "{query}: {}", answer.text());
    }
    let (app, _sender) = fixture::app(Clock::real(), Arc::new(Unreadable));
    assert_eq!(get(&app, CURVE).await.status, StatusCode::INTERNAL_SERVER_ERROR);
}
