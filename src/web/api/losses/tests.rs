//! The waterfall of a made-up morning: its losses add up, and what is unknown is a class of its own.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use domain::line::stop::key_cause::KeyCause;
use domain::line::stop::{Cause, Stop};
use domain::units::{MINUTE_US, StationId};
use serde_json::Value;

use crate::web::fixture::kept::{BEGIN_US, DAY_US, GAP, HELD, Kept, app, at as moment, get};

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
        let of = |id: &str| {
            let steps = waterfall["steps"].as_array().expect("steps");
            steps.iter().find(|step| step["id"] == id).and_then(|step| step["seconds"].as_i64())
        };
        let unknown = of("unknown").zip(of("not_recorded")).map(|(a, b)| (a + b) * 1_000);
        assert_eq!(waterfall["unknown_ms"].as_i64(), unknown, "{query}: {waterfall}");
        // And so do whole seconds, as they are shown.
        let whole: Vec<(&str, i64)> = waterfall["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .filter_map(|step| Some((step["id"].as_str()?, step["seconds"].as_i64()?)))
            .collect();
        let (first, last) = (whole[0].1, whole[whole.len() - 1].1);
        let lost: i64 = whole[1..whole.len() - 1].iter().map(|(_, seconds)| seconds).sum();
        assert_eq!((first, first - lost), (span / 1_000, last), "{query}: {whole:?}");
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

async fn losses(record: Kept, query: &str) -> Value {
    let (status, text) = get(&app(record), &format!("/api/v1/lines/L1/losses?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

/// Stopped is not the same as not seen.
#[tokio::test]
async fn what_nobody_saw_is_neither_lost_time_nor_a_stop() {
    let minute_ms = MINUTE_US / 1_000;
    let view = losses(Kept::morning(), &at(120)).await;
    let held_ms = (HELD.end - HELD.start) * minute_ms;
    assert_eq!((&view["n_stops"], &view["lost_ms"]), (&1.into(), &held_ms.into()));
    assert_eq!((&view["planned_ms"], &view["unplanned_ms"]), (&0.into(), &held_ms.into()));
    let unseen = serde_json::json!({ "n": 1, "ms": (GAP.end - GAP.start) * minute_ms });
    assert_eq!(view["unseen"], unseen);
    let rows = view["losses"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row["cause"] != "no_signal"), "{rows:?}");
    // It can be given a cause, and is a stop then: that is the negative control too.
    let mut said = Kept::morning();
    said.stops[0].cause = Cause::Planned;
    let view = losses(said, &at(120)).await;
    let both_ms = held_ms + (GAP.end - GAP.start) * minute_ms;
    assert_eq!((&view["n_stops"], &view["lost_ms"]), (&2.into(), &both_ms.into()));
    assert_eq!(
        (&view["unseen"]["n"], &view["planned_ms"]),
        (&0.into(), &(both_ms - held_ms).into())
    );
    assert_eq!(view["unplanned_ms"], held_ms, "{view}");
}

/// What stands below a mean is what it is the mean of.
#[tokio::test]
async fn sums_of_failures_divide_to_their_means() {
    let mut record = Kept::morning();
    for period in &mut record.periods {
        period.spending.failures *= 3;
    }
    let view = losses(record, "window=day").await;
    assert_eq!(view["failures"], 3, "{view}");
    for (sum, mean) in [("repair_ms", "mttr_s"), ("between_failures_ms", "mtbf_s")] {
        let of = |name: &str| view[name].as_f64().unwrap_or_else(|| panic!("{name} in {view}"));
        let (sum, mean) = (of(sum), of(mean));
        assert!(sum > 0.0 && (sum / 3_000.0 - mean).abs() <= 0.05, "{sum} ms, {mean} s");
    }
    let held_ms = (HELD.end - HELD.start) * MINUTE_US / 1_000;
    assert_eq!(view["repair_ms"], held_ms, "{view}");
}

#[tokio::test]
async fn losses_are_ranked_by_time_by_count_and_by_machine() {
    let mut record = Kept::morning();
    // Three short stops of another machine, five minutes in all.
    for (i, minutes) in [(10, 1), (20, 2), (30, 2)] {
        let from = BEGIN_US + i * MINUTE_US;
        let stop = Stop {
            number: 10 + i as u64,
            from: moment(from),
            to: Some(moment(from + minutes * MINUTE_US)),
            cause: Cause::Blocked,
            key: KeyCause::Station(StationId::new("CW04")),
            ..record.stops[1].clone()
        };
        record.stops.push(Stop { reason: None, ..stop });
    }
    record.stops.sort_by_key(|stop| stop.from.utc_us);
    let first = async |by: &str| {
        let view = losses(record.clone(), &format!("micro_s=30&by={by}&{}", at(120))).await;
        let rows = view["losses"].as_array().expect("rows").clone();
        let n: i64 = rows.iter().filter_map(|row| row["n"].as_i64()).sum();
        assert_eq!((n, &rows[1]["cumulative_percent"]), (4, &100.0.into()), "{rows:?}");
        rows[0].clone()
    };
    let [time, count] = [first("time").await, first("count").await];
    assert_eq!((&time["cause"], &count["cause"]), (&"internal".into(), &"blocked".into()));
    assert_eq!((&count["n"], &count["share_percent"]), (&3.into(), &75.0.into()));
    let station = first("station").await;
    assert_eq!((&station["station"], &station["cause"]), (&"CF01".into(), &"".into()));
    let (status, text) = get(&app(record), "/api/v1/lines/L1/losses?by=weight").await;
    assert!(status == StatusCode::BAD_REQUEST && text.contains("time, count, station"), "{text}");
}

/// Two buttons that read alike are one loss under two names.
#[tokio::test]
async fn no_two_reasons_that_are_offered_read_alike() {
    let view = losses(Kept::morning(), &at(120)).await;
    let choices = view["choices"].as_array().expect("reasons");
    for name in ["en", "zh"] {
        let titles: BTreeSet<String> =
            choices.iter().map(|one| one["title"][name].to_string()).collect();
        assert_eq!(titles.len(), choices.len(), "{choices:?}");
    }
    let has = |reason: &str| choices.iter().any(|one| one["reason"] == reason);
    // The general word and that of the machine are both 机械故障.
    assert!(has("mechanical breakdown") && !has("Mechanical fault") && has("Electrical fault"));
}

/// A short stop over the change of a shift: in the shift counts what of it lies there, and the table of stops proves it.
#[tokio::test]
async fn micro_stops_count_the_time_inside_the_span_and_say_of_what_they_are_the_sum() {
    let mut record = Kept::morning();
    let held = record.stops[1].clone();
    let (from, to) = (moment(DAY_US - MINUTE_US), moment(DAY_US + 2 * MINUTE_US));
    let early = Stop { number: 9, from, to: Some(to), ..held.clone() };
    let unsaid = Stop {
        number: 10,
        from: moment(BEGIN_US + 110 * MINUTE_US),
        to: Some(moment(BEGIN_US + 111 * MINUTE_US)),
        reason: None,
        ..held
    };
    record.stops.extend([early, unsaid]);
    let query = format!("window=shift&{}", at(150));
    let view = losses(record.clone(), &query).await;
    assert_eq!((&view["n_micro"], &view["micro_ms"]), (&2.into(), &180_000.into()), "{view}");
    // Hour by hour they are the same stops; the one that began before the span is of its first hour.
    let hours = view["micro_hours"].as_array().expect("hours");
    let sum = |name: &str| hours.iter().filter_map(|hour| hour[name].as_i64()).sum::<i64>();
    assert_eq!((hours.len(), sum("n"), sum("ms")), (9, 2, 180_000), "{view}");
    let hour = |i: usize| (&hours[i]["n"], &hours[i]["ms"], &hours[i]["known_percent"]);
    assert_eq!(hours[0]["hour_ms"], DAY_US / 1_000);
    // Of the first nothing is recorded, and of the eighth three minutes were not seen.
    assert_eq!(hour(0), (&1.into(), &120_000.into(), &0.0.into()));
    assert_eq!(hour(7), (&1.into(), &60_000.into(), &95.0.into()));
    assert_eq!(hour(6), (&0.into(), &0.into(), &100.0.into()));
    assert_eq!(view["recorded_ms"], 150 * MINUTE_US / 1_000, "{view}");
    let path = format!("/api/v1/lines/L1/explain/micro_stops?{query}");
    let app = app(record);
    let (_, text) = get(&app, &path).await;
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(told["result"]["best"], 180e6, "{told}");
    let inputs = told["inputs"].as_array().expect("inputs");
    let inputs: Vec<_> = inputs.iter().map(|one| (&one["title"]["en"], &one["best"])).collect();
    let (jam, none) = (Value::from("capsule jam"), Value::Null);
    assert_eq!(inputs, [(&jam, &120_000_000.into()), (&none, &60_000_000.into())]);
    let (status, table) = get(&app, told["rows"]["href"].as_str().expect("an address")).await;
    assert_eq!(status, StatusCode::OK, "{table}");
    let mut lines = table.trim_start_matches('\u{feff}').lines();
    let head: Vec<&str> = lines.next().expect("a head").split(',').collect();
    let place = |name| head.iter().position(|head| *head == name).expect("a column");
    let (micro, inside) = (place("micro"), place("inside_span_ms"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let short = rows.iter().filter(|row| row[micro] == "true");
    let sum: f64 = short.map(|row| row[inside].parse::<f64>().expect("a number")).sum();
    assert_eq!((sum, &told["rows"]["sum"]), (180_000.0, &"micro_stops".into()));
    assert!(rows.len() > 2, "other stops are in it too");
}
