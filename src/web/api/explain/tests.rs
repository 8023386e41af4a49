//! Each number is computed again from its inputs, and the rows of the table from which they come are added up.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use domain::units::MINUTE_US;
use serde_json::Value;

use super::Explained;
use crate::web::App;
use crate::web::fixture::kept::{BEGIN_US, DAY_US, Kept, app, get};

async fn explain(app: &App, value: &str, query: &str) -> Value {
    let (status, text) = get(app, &format!("/api/v1/lines/L1/explain/{value}?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{value}?{query}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

fn inputs(view: &Value) -> &Vec<Value> {
    view["inputs"].as_array().expect("inputs")
}

/// The inputs of a formula by their symbols.
fn terms(view: &Value) -> BTreeMap<String, f64> {
    let direct = inputs(view).iter().filter(|input| input["of"] == "");
    let mut terms = BTreeMap::new();
    for input in direct {
        let symbol = input["symbol"].as_str().expect("a symbol").to_owned();
        *terms.entry(symbol).or_insert(0.0) += input["best"].as_f64().expect("a number");
    }
    terms
}

/// The result of a formula in the symbols of its inputs: what a person with pencil and paper would get.
fn computed(view: &Value) -> f64 {
    let terms = terms(view);
    let of = |symbol: &str| terms.get(symbol).copied().unwrap_or(0.0);
    // A rate is one over the ideal time of an item, in minutes.
    let ideal_us = |n: &str| of(n) / of("1/PRI") * 60e6;
    match view["formula"].as_str().expect("a formula") {
        formula if formula.starts_with("N = M + ") => {
            of("M") + of("O") + of("G") + of("B") + of("U")
        }
        "N = G" => of("G"),
        // Time counts in tenths of a second.
        "D = N − ⌊r · t⌉" => of("N") - (of("r") * (of("t") / 1e5).round() / 600.0).round(),
        "v = N / t" => of("N") / of("t") * 60e6,
        "F = N + n / t · T" => of("N") + (of("n") / of("t") * of("T")).round(),
        "X / (X + O + N)" => of("X") / (of("X") + of("O") + of("N")) * 100.0,
        "X / (X + N)" => of("X") / (of("X") + of("N")) * 100.0,
        "k / t" => of("k") / of("t") * 100.0,
        "N / I" => of("N") / of("I") * 100.0,
        "Σ S" => of("S"),
        "ΣTBF / n" => of("ΣTBF") / of("n"),
        "ΣTTR / n" => of("ΣTTR") / of("n"),
        "APT / PBT" => of("APT") / of("PBT") * 100.0,
        "PRI · PQ / APT" => ideal_us("PQ") / of("APT") * 100.0,
        "GQ / PQ" => of("GQ") / of("PQ") * 100.0,
        "PQ / AOET" => of("PQ") / of("AOET") * 60e6,
        "PRI · GQ / PBT" => ideal_us("GQ") / of("PBT") * 100.0,
        formula => panic!("no test knows {formula}"),
    }
}

/// Whether the parts of each input add up to it, bound by bound.
fn parts_add_up(view: &Value) -> Result<(), String> {
    for input in inputs(view).iter().filter(|input| input["of"] == "") {
        let parts =
            || inputs(view).iter().filter(|part| part["of"] == input["symbol"] && part["of"] != "");
        for bound in ["low", "best", "high"] {
            let sum: i64 = parts().filter_map(|part| part[bound].as_i64()).sum();
            if parts().count() > 0 && Some(sum) != input[bound].as_i64() {
                return Err(format!(
                    "{bound} of {}: {sum} and not {}",
                    input["symbol"], input[bound]
                ));
            }
        }
    }
    Ok(())
}

/// Columns of a table summed over the rows of a kind.
fn sums(table: &str, row: &str) -> BTreeMap<String, i64> {
    let mut lines = table.trim_start_matches('\u{feff}').lines();
    let head: Vec<&str> = lines.next().expect("a head").split(',').collect();
    let mut sums = BTreeMap::new();
    for line in lines.filter(|line| line.starts_with(row)) {
        for (name, cell) in head.iter().zip(line.split(',')) {
            if let Ok(n) = cell.parse::<i64>() {
                *sums.entry((*name).to_owned()).or_insert(0) += n;
            }
        }
    }
    sums
}

const BASES: [&str; 13] = [
    "",
    "kind=hour&start=1795503600000",
    "kind=batch",
    "window=shift",
    "window=day",
    "reason=dented",
    "window=day&reason=unseparated&station=CF01",
    // As of half past seven, in the middle of an hour: what is over, and what went on then.
    "at=1795505400000",
    "kind=hour&start=1795500000000&at=1795505400000",
    "kind=hour&start=1795503600000&at=1795505400000",
    "kind=batch&at=1795505400000",
    "window=shift&at=1795505400000",
    "window=day&reason=dented&at=1795505400000",
];

/// Whether a number can be explained so: a reason belongs to rejects.
fn fits(value: &str, basis: &str) -> bool {
    !basis.contains("reason") || value.starts_with("reject")
}

/// Shows: SCR-05
#[tokio::test]
async fn every_number_is_what_its_formula_makes_of_its_inputs() {
    let app = app(Kept::morning());
    for value in Explained::ALL {
        for basis in BASES.into_iter().filter(|basis| fits(value.word(), basis)) {
            let view = explain(&app, value.word(), basis).await;
            let what = format!("{}?{basis}: {view}", value.word());
            let result = view["result"]["best"].as_f64();
            // Without a failure there is no mean of them.
            let is_mean = matches!(value, Explained::Mtbf | Explained::Mttr);
            if result.is_none() && is_mean {
                assert_eq!(terms(&view)["n"], 0.0, "{what}");
                continue;
            }
            let (result, computed) = (result.expect(&what), computed(&view));
            // A status of the fixture has rates that are not those of its counts.
            if !value.is_of_now() {
                assert!(
                    (result - computed).abs() <= 1e-9 * result.abs().max(1.0),
                    "{computed}: {what}"
                );
            }
            assert_eq!(parts_add_up(&view), Ok(()), "{what}");
            let low = view["result"]["low"].as_f64().expect(&what);
            assert!(low <= result, "{what}");
            assert!(view["result"]["high"].as_f64().is_none_or(|high| high >= result), "{what}");
        }
    }
}

#[tokio::test]
async fn the_rows_of_the_table_add_up_to_the_number() {
    let app = app(Kept::morning());
    for (value, column) in
        [("good", "good"), ("rejected", "rejected"), ("infeed", "infeed"), ("samples", "samples")]
    {
        for basis in BASES.into_iter().filter(|basis| fits(value, basis)) {
            let view = explain(&app, value, basis).await;
            let (status, table) =
                get(&app, view["rows"]["href"].as_str().expect("an address")).await;
            assert_eq!(status, StatusCode::OK, "{table}");
            let (minutes, gaps) = (sums(&table, "minute"), sums(&table, "gap"));
            let going = inputs(&view).iter().find(|input| input["id"] == "going");
            for (bound, end) in [("best", ""), ("low", "_low"), ("high", "_high")] {
                let name = format!("{column}{end}");
                let going = going.map_or(0, |going| going[bound].as_i64().expect("a number"));
                let sum = minutes[&name] + gaps[&name] + going;
                assert_eq!(
                    Some(sum as f64),
                    view["result"][bound].as_f64(),
                    "{value}?{basis} {bound}"
                );
            }
            assert_eq!(view["rows"]["exact"], true, "{view}");
        }
    }
    let view = explain(&app, "availability", "kind=hour&start=1795503600000").await;
    let (_, table) = get(&app, view["rows"]["href"].as_str().expect("an address")).await;
    let minutes = sums(&table, "minute");
    for (input, column) in
        [("run", "run_us"), ("internal", "internal_us"), ("unknown", "unknown_us")]
    {
        let part = inputs(&view).iter().find(|part| part["id"] == input && part["of"] == "PBT");
        let part = part.expect("it is a part of the busy time");
        assert_eq!(
            (part["best"].as_i64(), part["in_rows"].as_bool()),
            (Some(minutes[column]), Some(true))
        );
    }
}

#[tokio::test]
async fn rejects_of_one_reason_are_those_of_its_counter_alone() {
    let app = app(Kept::morning());
    let best = |view: &Value| view["result"]["best"].as_f64().expect("a number");
    let all = explain(&app, "rejected", "").await;
    let mut sum = 0.0;
    for reason in ["dented", "unseparated"] {
        let one = explain(&app, "rejected", &format!("reason={reason}")).await;
        let tags = one["tags"].as_array().expect("tags");
        assert!(!tags.is_empty() && tags.iter().all(|tag| tag["reason"] == reason), "{one}");
        assert_ne!(best(&one), best(&all));
        sum += best(&one);
        let share = explain(&app, "reject_fraction", &format!("reason={reason}")).await;
        assert_eq!(share["formula"], "X / (X + O + N)");
    }
    assert_eq!(sum, best(&all));
}

/// A number of a past moment is what a page of that moment shows, and knows nothing of what came later.
#[tokio::test]
async fn a_number_of_the_past_is_what_it_was() {
    let app = app(Kept::morning());
    let at_ms = (BEGIN_US + 90 * MINUTE_US) / 1_000;
    let good = async |query: &str| {
        explain(&app, "good", query).await["result"]["best"].as_f64().expect("a number")
    };
    let (then, now) = (good(&format!("at={at_ms}")).await, good("").await);
    assert!(then < now, "{then} {now}");
    let (_, page) = get(&app, &format!("/?at={at_ms}")).await;
    let shown =
        page.split("\"shift\":{").nth(1).and_then(|rest| rest.split("\"good\":{\"best\":").nth(1));
    let shown = shown.and_then(|rest| rest.split(',').next()?.parse::<f64>().ok());
    assert_eq!(shown, Some(then));
    // An hour that was over is the same whenever it is asked of.
    let hour = format!("kind=hour&start={}", BEGIN_US / 1_000);
    assert_eq!(good(&hour).await, good(&format!("{hour}&at={at_ms}")).await);
    // One that went on then is not, and one that had not begun is not there.
    let next = format!("kind=hour&start={}", BEGIN_US / 1_000 + 3_600_000);
    assert!(good(&format!("{next}&at={at_ms}")).await < good(&next).await);
    let later = format!("kind=hour&start={}&at={at_ms}", BEGIN_US / 1_000 + 7_200_000);
    let path = format!("/api/v1/lines/L1/explain/good?{later}");
    assert_eq!(get(&app, &path).await.0, StatusCode::NOT_FOUND);
    // What rests on the last minutes rests on those before the moment.
    let speed = explain(&app, "speed", &format!("at={at_ms}")).await;
    let minute = Kept::morning().minutes[89].tallies[1].count.best();
    assert_eq!(speed["inputs"][0]["best"].as_u64(), Some(minute), "{speed}");
    let (status, text) = get(&app, "/api/v1/lines/L1/explain/good?at=soon").await;
    assert!(status == StatusCode::BAD_REQUEST && text.contains("no moment"), "{text}");
}

/// The negative control: rows that are missing are seen, and what they lack is named.
#[tokio::test]
async fn a_minute_that_is_missing_in_the_rows_is_not_passed_over() {
    let mut record = Kept::morning();
    let lost = record.minutes.remove(20);
    let app = app(record);
    let view = explain(&app, "good", "").await;
    assert_eq!(view["rows"]["exact"], false, "{view}");
    let border =
        inputs(&view).iter().find(|input| input["id"] == "border").expect("what is missing");
    assert_eq!(border["best"].as_u64(), Some(lost.tallies[1].count.best()));
    assert_eq!(view["result"]["best"].as_f64(), Some(computed(&view)));
    let (_, table) = get(&app, view["rows"]["href"].as_str().expect("an address")).await;
    let sum = sums(&table, "minute")["good"] + sums(&table, "gap")["good"];
    assert_ne!(Some(sum as f64 + 3_200.0), view["result"]["best"].as_f64());
}

#[tokio::test]
async fn an_explanation_says_where_the_number_comes_from_and_what_is_not_known() {
    let app = app(Kept::morning());
    let view = explain(&app, "good", "").await;
    assert_eq!((view["from_ms"].as_i64(), &view["name"]), (Some(DAY_US / 1_000), &"day".into()));
    let tags = view["tags"].as_array().expect("tags");
    let text = include_str!("../../../../plc-maps/cf01-modbus.toml");
    assert!(!tags.is_empty());
    for tag in tags {
        assert_eq!(tag["file"], "plc-maps/cf01-modbus.toml");
        let line = tag["line"].as_u64().expect("a line") as usize;
        let entry = text.lines().skip(line - 1).take(3).collect::<Vec<_>>().join("\n");
        assert!(entry.contains(tag["tag"].as_str().expect("a tag")), "{line}: {entry}");
    }
    assert_eq!((view["n_causes"].as_u64(), &view["causes"][0]["word"]), (Some(3), &"gap".into()));
    let unrecorded =
        view["left_out"].as_array().expect("a list").iter().find(|one| one["id"] == "unrecorded");
    // The clock goes on while the test runs.
    let before = BEGIN_US - DAY_US;
    let us = unrecorded.and_then(|one| one["us"].as_i64()).unwrap_or_default();
    assert!((before..before + 60_000_000).contains(&us), "{us}");
    let oee = explain(&app, "oee", "").await;
    assert_eq!(oee["iso"], "OEE index");
    for note in ["unknown_stands", "by_state"] {
        assert!(oee["left_out"].to_string().contains(note), "{oee}");
    }
    assert!(oee["result"]["low"].as_f64() < oee["result"]["high"].as_f64());
    // A machine without counters of its own has nothing to be explained by, and says so by zero.
    let other = explain(&app, "good", "station=PS02").await;
    assert_eq!(
        (other["result"]["best"].as_f64(), other["tags"].as_array().map(Vec::len)),
        (Some(0.0), Some(0))
    );
}

#[tokio::test]
async fn what_cannot_be_explained_is_answered_with_what_can() {
    let app = app(Kept::morning());
    let ask = async |path: &str| get(&app, &format!("/api/v1/lines/L1/explain/{path}")).await;
    let (status, text) = ask("beauty").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(
        text.contains("no_value") && Explained::ALL.iter().all(|value| text.contains(value.word())),
        "{text}"
    );
    for (path, status, words) in [
        ("good?kind=week", StatusCode::BAD_REQUEST, "shift, batch, hour"),
        ("good?station=XX", StatusCode::BAD_REQUEST, "CF01"),
        ("good?reason=dented", StatusCode::BAD_REQUEST, "belongs to rejected"),
        ("rejected?reason=beauty", StatusCode::BAD_REQUEST, "dented"),
        ("rejected?station=PS02&reason=dented", StatusCode::BAD_REQUEST, "no reason"),
        ("good?window=year", StatusCode::BAD_REQUEST, "week"),
        ("good?start=-1", StatusCode::BAD_REQUEST, "milliseconds"),
        ("good?start=9223372036854775807", StatusCode::BAD_REQUEST, "milliseconds"),
        ("good?kind=shift&start=1", StatusCode::NOT_FOUND, "no_period"),
        ("good?micro_s=x", StatusCode::BAD_REQUEST, "micro_s"),
    ] {
        let (found, text) = ask(path).await;
        assert_eq!(found, status, "{path}: {text}");
        assert!(text.contains(words), "{path}: {text}");
    }
    for wrong in ["gaps=year", "station=XX", "from=soon"] {
        let (status, text) = get(&app, &format!("/api/v1/lines/L1/minutes.csv?{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {text}");
    }
}
