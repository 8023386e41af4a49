//! What pages and JSON say of counts while a machine is silent, and of a plant that was never read.

use domain::line::minute::{Counted, Tally, TimeSplit};
use domain::line::rollup::Unread;
use domain::line::state::TimeClass;
use domain::units::StationId;

use super::fixture::kept::{self, Kept};
use super::*;
use crate::web::view::NowView;

/// An app around a record, and the line of this case with these counts unread.
fn app_of(record: Kept, case: Case, unread: Vec<Unread>) -> App {
    let memory = Arc::new(fixture::Memory::default());
    let clock = kept::clock();
    let (app, sender) = fixture::app_of(kept::line(), clock, Arc::new(record), memory, true);
    let status = LineStatus { unread, ..fixture::status(clock.now(), case) };
    sender.send_replace(Some(Arc::new(status)));
    app
}

/// What may have been counted in the last seconds.
fn at_most(counted: Counted, high: u64) -> Unread {
    let count = Count::between(0, 0, high);
    let tally = Tally { station: StationId::new("CF01"), counted, count };
    Unread { tally, since_us: kept::clock().now().utc_us - 10_000_000 }
}

async fn json(app: &App, path: &str) -> Value {
    let answer = get(app, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    serde_json::from_str(answer.text()).expect("JSON")
}

/// A morning of which the time is booked, and nothing else.
fn never_read() -> Kept {
    let mut kept = Kept::morning();
    for period in &mut kept.periods {
        let us = period.spending.time.total();
        period.spending.time = TimeSplit::default();
        period.spending.time.add(TimeClass::Unknown, us);
        (period.counts, period.gaps) = (Vec::new(), Vec::new());
    }
    for minute in &mut kept.minutes {
        minute.tallies.clear();
    }
    kept
}

fn high_and_low(count: &Value) -> (u64, u64) {
    (count["high"].as_u64().expect("a number"), count["low"].as_u64().expect("a number"))
}

#[tokio::test]
async fn a_period_that_goes_on_has_the_bounds_of_what_a_silent_machine_can_make() {
    let unread = vec![at_most(Counted::Good, 7_000), at_most(Counted::Infeed, 9_000)];
    let read = app_of(Kept::morning(), Case::Running, Vec::new());
    let silent = app_of(Kept::morning(), Case::Offline, unread);
    for path in ["shifts", "batches"] {
        let path = format!("/api/v1/lines/L1/{path}");
        let (before, now) = (json(&read, &path).await, json(&silent, &path).await);
        let (before, now) = (before[0]["good"].clone(), now[0]["good"].clone());
        let ((high, low), (more, same)) = (high_and_low(&before), high_and_low(&now));
        assert_eq!((more, same), (high + 7_000, low), "{path}");
    }
    // Hours that are over are not touched: what is unread was made since the last reading.
    let hours = "/api/v1/lines/L1/hours";
    assert_eq!(json(&read, hours).await[0], json(&silent, hours).await[0]);

    let told = json(&silent, "/api/v1/lines/L1/explain/good").await;
    let inputs = told["inputs"].as_array().expect("inputs");
    let part = inputs.iter().find(|input| input["id"] == "unread").expect("it is told");
    assert_eq!((&part["symbol"], &part["high"]), (&"U".into(), &7_000.into()));
    assert!(told["formula"].as_str().is_some_and(|formula| formula.ends_with(" + U")));
    let sum: i64 = inputs.iter().filter_map(|input| input["high"].as_i64()).sum();
    assert_eq!(told["result"]["high"].as_f64(), Some(sum as f64), "the parts add up");
    let before = json(&read, "/api/v1/lines/L1/explain/good").await;
    let high = |told: &Value| told["result"]["high"].as_f64().expect("a number");
    assert_eq!(high(&told) - high(&before), 7_000.0);
    let off = json(&silent, "/api/v1/lines/L1/explain/difference").await;
    let off_before = json(&read, "/api/v1/lines/L1/explain/difference").await;
    assert!(high(&off) > high(&off_before));
}

/// Shows: SCR-01
#[tokio::test]
async fn what_was_never_read_is_no_zero_in_json_page_report_and_explanation() {
    let never = app_of(never_read(), Case::NeverHeard, Vec::new());
    let read = app_of(Kept::morning(), Case::Running, Vec::new());
    let snapshot = json(&never, SNAPSHOT).await;
    for member in ["good", "difference", "rejected", "gap", "oee", "plan_percent"] {
        assert_eq!(snapshot["shift"][member], Value::Null, "{member}");
    }
    assert_eq!(snapshot["shift"]["behind"], false);
    for kind in ["shifts", "hours", "batches"] {
        let periods = json(&never, &format!("/api/v1/lines/L1/{kind}")).await;
        let period = periods.as_array().and_then(|all| all.last()).expect("a period");
        for member in ["good", "rejected"] {
            assert_eq!(period[member], Value::Null, "{kind} {member}");
        }
        assert_eq!(period["kpis"]["oee_percent"], Value::Null, "{kind}");
        assert_eq!(period["kpis"]["coverage_percent"], 0.0, "{kind}");
    }
    for value in ["good", "rejected", "infeed", "difference", "oee", "reject_fraction", "yield"] {
        let path = format!("/api/v1/lines/L1/explain/{value}");
        assert_eq!(json(&never, &path).await["result"], Value::Null, "{value}");
        assert_ne!(json(&read, &path).await["result"], Value::Null, "{value}: it was read");
    }
    // How much is known is known.
    let coverage = json(&never, "/api/v1/lines/L1/explain/coverage").await;
    assert_eq!(coverage["result"]["best"], 0.0);
    for (path, word) in [
        ("/report/shift?lang=en", "▨ not read"),
        ("/report/shift?lang=zh", "▨ 无读数"),
        ("/reports?lang=en", "▨ not read"),
    ] {
        // The texts that scripts read have the word once in any case.
        let never = get(&never, path).await.text().matches(word).count();
        let read = get(&read, path).await.text().matches(word).count();
        assert!(read <= 1 && never > read, "{path}: {never} and {read}");
    }
}

/// Two machines of which one is silent for the whole shift: no balance can be drawn over it.
#[tokio::test]
async fn no_balance_is_judged_of_what_was_not_read() {
    let sections = async |app: &App| {
        let path = "/api/v1/lines/L1/balance?by=shift";
        let view = json(app, path).await;
        view[0]["sections"].as_array().cloned().expect("sections")
    };
    let read = sections(&app_of(Kept::morning(), Case::Running, Vec::new())).await;
    assert!(!read.is_empty() && read.iter().all(|section| section["verdict"] != "unread"));
    let of_nothing = sections(&app_of(never_read(), Case::NeverHeard, Vec::new())).await;
    assert!(of_nothing.iter().all(|section| section["verdict"] == "unread"), "{of_nothing:?}");
    assert!(of_nothing.iter().all(|section| section["grown"] == Value::Null));
    // The record knows counts of the line, and the machine itself was not heard in the shift.
    let silent = sections(&app_of(Kept::morning(), Case::NeverHeard, Vec::new())).await;
    assert!(silent.iter().all(|section| section["verdict"] == "unread"), "{silent:?}");
}

/// A page that only knows the present does not pretend to show the past.
#[tokio::test]
async fn the_wall_and_the_list_of_reports_refuse_a_past_moment() {
    let app = app_of(Kept::morning(), Case::Running, Vec::new());
    for path in ["/wall/L1", "/wall", "/reports"] {
        let refused = get(&app, &format!("{path}?lang=en&at=2026-11-24T07:30:00Z")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(refused.text().contains("shows the present only"), "{path}");
        assert_eq!(get(&app, path).await.status, StatusCode::OK, "{path}: the present");
    }
}

/// The stream writes the output between two views of it: where a view has none, it has none either.
/// Shows: SCR-01
#[test]
fn what_was_never_read_is_no_zero_between_two_views() {
    let clock = kept::clock();
    let now = |case| NowView::of(&fixture::status(clock.now(), case)).good;
    assert_eq!(now(Case::NeverHeard), None);
    // The negative control: once it was read it has one, also while the machine is silent.
    assert!(now(Case::Running).is_some_and(|good| good.best > 0));
    assert!(now(Case::Offline).is_some());
}
