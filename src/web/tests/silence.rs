//! A machine that is silent for longer than its hours wait for it: what a real journal keeps of them, and what is said.

use domain::units::HOUR_US;

use super::filler::Filler;
use super::fixture::kept;
use super::*;
use crate::historian::{Historian, Options};
use crate::service::StoredHistory;

/// The filler is read for half an hour and makes 50 capsules a minute; then it is silent for so many hours. Returns with the
/// start of the first hour.
async fn silent(historian: &Historian, hours: i64) -> i64 {
    let first_us = (NOW_US.div_euclid(HOUR_US) - hours) * HOUR_US;
    let mut filler = Filler::new(first_us);
    for minute in 0..hours * 60 {
        let at = kept::at(first_us + minute * MINUTE_US);
        let is_heard = minute <= 30;
        filler.poll(at, is_heard.then(|| (State::Execute, 1_000 + 50 * minute.unsigned_abs())));
        historian.append(filler.tick(at)).unwrap().await.unwrap();
    }
    first_us
}

/// The hours of the record as the web tells them.
async fn told(hours: i64) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let historian = Historian::open(dir.path(), Options::default()).unwrap();
    let first_us = silent(&historian, hours).await;
    let history = Arc::new(StoredHistory(historian));
    let (app, _sender) =
        fixture::app_of(kept::line(), kept::clock(), history.clone(), history, true);
    let path = format!("/api/v1/lines/L1/hours?from={}", first_us / 1_000);
    let answer = get(&app, &path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    serde_json::from_str(answer.text()).expect("a list of hours")
}

/// Shows: SCR-02, CNT-01
#[tokio::test]
async fn an_hour_that_a_silent_machine_never_told_is_no_number_that_was_read() {
    let hours = told(26).await;
    let [first, second] = [&hours[0], &hours[1]];
    assert_eq!(first["closed"], true);
    let good = &first["good"];
    assert_eq!((good["low"].as_u64(), good["best"].as_u64()), (Some(1_500), Some(1_500)));
    // Half an hour of a machine that makes 6,500 a minute and a tenth.
    assert!((1_500 + 200_000..1_500 + 230_000).contains(&good["high"].as_u64().unwrap()), "{good}");
    // It was read once a minute, and what was made between two readings is of a gap as well.
    assert_eq!((&first["gap"]["best"], &first["estimated"]), (&1_500.into(), &true.into()));
    assert!(first["gap"]["high"].as_u64().unwrap() > 200_000, "its cause is a gap: {first}");
    assert_eq!(second["closed"], true);
    assert_eq!((&second["good"], &second["gap"]), (&Value::Null, &Value::Null), "it was not read");
    // The negative control: while it is waited for, an hour is open and its record has what was read.
    let hours = told(23).await;
    assert_eq!((&hours[0]["closed"], &hours[0]["good"]["high"]), (&false.into(), &1_500.into()));
}
