//! A report becomes final: gaps are explained first, and what is kept is one file that does not change.

use domain::digest::sha256;
use domain::line::rollup::PeriodKind;
use domain::line::stop::Cause;
use serde_json::json;

use super::hand::{post, refused};
use super::*;
use crate::web::fixture::kept::{self, Kept};

const GAPS: &str = "/api/v1/lines/L1/reports/gaps";
const FINAL: &str = "/api/v1/lines/L1/reports/final";

/// Start of a shift that is over, UTC milliseconds.
fn start() -> i64 {
    Clock::real().now().utc_us / 1_000 - 9_000_000
}

async fn standing(app: &App, start: i64) -> Value {
    get(app, &format!("/api/v1/lines/L1/reports?kind=shift&start_ms={start}")).await.json()
}

fn finalise(start: i64, sha256: &Value) -> Value {
    json!({ "kind": "shift", "start_ms": start, "lang": "zh", "data_sha256": sha256, "by": "An" })
}

/// Somebody explains all gaps of a shift: the hash of the figures that come of it.
async fn explained(app: &App, start: i64) -> Value {
    let gaps = standing(app, start).await;
    let names: Vec<&Value> = gaps["gaps"].as_array().unwrap().iter().map(|g| &g["gap"]).collect();
    let said =
        json!({ "kind": "shift", "start_ms": start, "gaps": names, "by": "Bo", "why": "cable" });
    post(app, GAPS, &said).await.json()["data_sha256"].clone()
}

/// Shows: SCR-08
#[tokio::test]
async fn the_list_of_reports_says_what_is_not_final_and_explains_its_numbers() {
    let (app, _sender) = running();
    let list = get(&app, "/reports?lang=en").await;
    assert!(list.text().contains("Not made final yet") && !list.text().contains("✔ v"));
    for query in ["kind=batch&amp;start=", "kind=shift&amp;start="] {
        let output = format!("data-explain=\"good\" data-query=\"{query}");
        assert!(list.text().contains(&output), "{output}");
    }
}

#[tokio::test]
async fn a_report_with_unexplained_gaps_is_not_made_final() {
    let (app, _sender) = running();
    let start = start();
    let before = standing(&app, start).await;
    let gaps: Vec<&Value> = before["gaps"].as_array().unwrap().iter().collect();
    assert!(!gaps.is_empty() && before["finals"] == json!([]), "{before}");
    let conflict = StatusCode::CONFLICT;
    let words = format!("{} gaps are not explained", gaps.len());
    refused(&app, FINAL, finalise(start, &before["data_sha256"]), conflict, &words).await;

    let said = |gaps: Value| json!({ "kind": "shift", "start_ms": start, "gaps": gaps, "by": "Bo", "why": "cable <b>" });
    let bad = StatusCode::BAD_REQUEST;
    refused(&app, GAPS, said(json!([])), bad, "gaps is empty").await;
    refused(&app, GAPS, said(json!(["e99"])), bad, "no gap \\\"e99\\\"").await;
    let names: Vec<&Value> = gaps.iter().map(|gap| &gap["gap"]).collect();
    let after = post(&app, GAPS, &said(json!(names))).await.json();
    assert_eq!(after["gaps"][0]["said"][0]["by"], "Bo");
    // The figures rest on what was said too: who looked before has not seen all of it.
    assert_ne!(after["data_sha256"], before["data_sha256"]);
    refused(&app, FINAL, finalise(start, &before["data_sha256"]), conflict, "have changed").await;

    let made = post(&app, FINAL, &finalise(start, &after["data_sha256"])).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    let again = post(&app, FINAL, &finalise(start, &after["data_sha256"])).await.json();
    assert_eq!((&made.json()["version"], &again["version"]), (&json!(1), &json!(2)));
    assert_eq!(standing(&app, start).await["finals"].as_array().unwrap().len(), 2);
    let sheet = get(&app, &format!("/report/shift?start={start}")).await;
    assert!(sheet.text().contains("↳ cable &lt;b&gt; — Bo"), "the explanation is on paper");
}

/// Shows: SCR-08
#[tokio::test]
async fn a_final_report_is_one_file_with_its_hash_and_needs_nothing_else() {
    let (app, _sender) = running();
    let start = start();
    let seen = explained(&app, start).await;
    let made = post(&app, FINAL, &finalise(start, &seen)).await.json();
    let number = made["number"].as_i64().unwrap();
    let path = format!("/report/final?line=L1&start={start}&number={number}");
    let file = get(&app, &path).await;
    assert_eq!(file.status, StatusCode::OK);
    assert_eq!(sha256(&file.body), made["page_sha256"]);
    assert_eq!(file.header("x-content-sha256"), sha256(&file.body));
    let disposition = file.header(header::CONTENT_DISPOSITION);
    assert!(disposition.starts_with("attachment; filename=\"L1_shift_"), "{disposition}");
    assert!(disposition.ends_with("_v1_zh_SIM.html\""), "{disposition}");
    let text = file.text();
    for part in ["定稿报告 v1", "An", "watermark", "SIM 模拟", "@page", "<svg", "cable"] {
        assert!(text.contains(part), "{part}");
    }
    assert!(text.contains(seen.as_str().unwrap()), "the hash that was looked at");
    for other in ["<script", "<link", "src=", "href=", "url(http", "@import", "id=\"closing\""] {
        assert!(!text.contains(other), "it needs {other}");
    }
    // What a page of the service has, the check finds.
    let sheet = get(&app, &format!("/report/shift?start={start}")).await;
    assert!(["<script", "<link", "href="].iter().all(|other| sheet.text().contains(other)));
    let none = get(&app, &format!("/report/final?line=L1&start={start}&number=77")).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

/// The hour of the morning in which the machine was held, as a shift that is over.
fn shift_that_is_over() -> Kept {
    let mut record = Kept::morning();
    let mut shift = record.periods[1].clone();
    (shift.kind, shift.name) = (PeriodKind::Shift, "A".into());
    record.periods.retain(|period| period.kind != PeriodKind::Shift);
    record.periods.push(shift);
    record
}

/// After a report was made final somebody gives a stop another cause.
#[tokio::test]
async fn a_final_report_whose_figures_have_changed_since_says_so() {
    let record = shift_that_is_over();
    let start = record.periods.last().unwrap().start_us / 1_000;
    let app = kept::app(record.clone());
    let seen = explained(&app, start).await;
    let made = post(&app, FINAL, &finalise(start, &seen)).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());

    let mut changed = record;
    changed.stops[1].cause = Cause::Planned;
    let history = Arc::new(changed);
    let later = App::new(crate::web::AppParts { history, ..app.parts().clone() });
    // The negative control is the record as it was.
    assert_eq!(standing(&app, start).await["fits"], true);
    assert_eq!(standing(&later, start).await["fits"], false);
    let path = format!("/report/shift?start={start}&lang=en");
    let shown = |page: &Answer| page.text().split("id=\"texts\"").next().unwrap().to_owned();
    assert!(!shown(&get(&app, &path).await).contains("figures changed after v1"));
    assert!(shown(&get(&later, &path).await).contains("△ figures changed after v1"));
    let zh = get(&later, &path.replace("lang=en", "lang=zh")).await;
    assert!(zh.text().contains("v1 定稿后数据有变化"));
    // The next version fits again.
    let seen = standing(&later, start).await["data_sha256"].clone();
    assert_eq!(post(&later, FINAL, &finalise(start, &seen)).await.json()["version"], 2);
    assert_eq!(standing(&later, start).await["fits"], true);
    // And without a final version there is nothing that could fit.
    let none = standing(&kept::app(shift_that_is_over()), start).await;
    assert_eq!((&none["fits"], &none["finals"]), (&Value::Null, &json!([])));
}

/// What a report says of a period does not depend on limits that were made, or approved, after it had ended.
#[tokio::test]
async fn limits_that_came_after_the_period_do_not_change_its_final_report() {
    let record = shift_that_is_over();
    let period = record.periods.last().unwrap().clone();
    let (start, end_us) = (period.start_us / 1_000, period.end_us.unwrap());
    let page = format!("/report/shift?start={start}&lang=en");
    for (made_us, decided_us, fits) in [
        (end_us + MINUTE_US, end_us + MINUTE_US, true),
        (end_us - MINUTE_US, end_us + MINUTE_US, true),
        // The negative control: limits that were there by then judge, and the comparison is another one.
        (end_us - MINUTE_US, end_us - MINUTE_US, false),
    ] {
        let app = kept::app(record.clone());
        let seen = explained(&app, start).await;
        assert_eq!(post(&app, FINAL, &finalise(start, &seen)).await.status, StatusCode::OK);
        let charts = fixture::overview(kept::at(made_us));
        let mut limits = charts.reject_fraction.and_then(|chart| chart.limits).expect("limits");
        limits.made_us = made_us;
        limits.decision.as_mut().expect("it was approved").at_us = decided_us;
        let (line, system) = (kept::line().id, domain::audit::Actor::system());
        app.parts().quality.add_limits(&line, limits, &system).expect("it is kept");
        assert_eq!(standing(&app, start).await["fits"], fits, "{made_us} {decided_us}");
        let sheet = get(&app, &page).await;
        let sheet = sheet.text().split("id=\"texts\"").next().unwrap();
        assert_eq!(sheet.contains("Nothing is compared"), fits, "{made_us} {decided_us}");
        assert_eq!(sheet.contains("id=\"charts\""), !fits, "{made_us} {decided_us}");
    }
}

/// A report without its limits would say that there were none, and its hash would be that of other figures.
#[tokio::test]
async fn a_report_whose_limits_cannot_be_read_is_not_made() {
    let app = kept::app(shift_that_is_over());
    let start = shift_that_is_over().periods.last().unwrap().start_us / 1_000;
    for (limits_unreadable, status) in
        [(true, StatusCode::INTERNAL_SERVER_ERROR), (false, StatusCode::OK)]
    {
        let quality = Arc::new(fixture::Memory { limits_unreadable, ..Default::default() });
        let app = App::new(crate::web::AppParts { quality, ..app.parts().clone() });
        let standing = format!("/api/v1/lines/L1/reports?kind=shift&start_ms={start}");
        for path in [format!("/report/shift?start={start}"), standing] {
            assert_eq!(get(&app, &path).await.status, status, "{path}");
        }
    }
}

/// The list makes no report anew: it comes where stops, without which there is no report, cannot be read. Whether a kept
/// one fits it does not say by itself, and leaves a place for the answer.
#[tokio::test]
async fn the_list_of_reports_does_not_wait_for_the_reports() {
    let record = shift_that_is_over();
    let start = record.periods.last().unwrap().start_us / 1_000;
    let app = kept::app(record.clone());
    let seen = explained(&app, start).await;
    assert_eq!(post(&app, FINAL, &finalise(start, &seen)).await.status, StatusCode::OK);
    let history = Arc::new(Kept { stops_unreadable: true, ..record });
    let blind = App::new(crate::web::AppParts { history, ..app.parts().clone() });
    let list = get(&blind, "/reports?lang=en").await;
    assert_eq!(list.status, StatusCode::OK);
    let place = format!(
        "class=\"fits\" role=\"status\" data-kind=\"shift\" data-start=\"{start}\" data-version=\"1\""
    );
    assert!(list.text().contains("✔ v1") && list.text().contains(&place), "{}", list.text());
    assert!(list.text().contains("comparing with the data of now"));
    // The negative control: a report cannot be made of that record.
    let path = format!("/api/v1/lines/L1/reports?kind=shift&start_ms={start}");
    assert_eq!(get(&blind, &path).await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn what_is_left_for_who_comes_next_is_typed_once_and_stands_on_the_sheet() {
    let (app, _sender) = running();
    let start = start();
    let before = standing(&app, start).await;
    assert_eq!(before["handover"]["said"], json!([]));
    let path = format!("/report/shift?start={start}&lang=en");
    let lines = |page: &Answer| {
        let text = page.text().split("<div class=\"lines\">").nth(1).unwrap().to_owned();
        text.split("</div>").next().unwrap().matches("<p>").count()
    };
    assert_eq!(lines(&get(&app, &path).await), 3);
    let said = json!({ "kind": "shift", "start_ms": start, "gaps": [before["handover"]["gap"]], "by": "Bo", "why": "vacuum <low>" });
    let after = post(&app, GAPS, &said).await.json();
    assert_eq!(after["handover"]["said"][0]["why"], "vacuum <low>");
    // It explains no gap, and the figures rest on it: what is made final has been read with it.
    assert_eq!(after["gaps"][0]["said"], json!([]));
    assert_ne!(after["data_sha256"], before["data_sha256"]);
    let sheet = get(&app, &path).await;
    assert!(sheet.text().contains("vacuum &lt;low&gt; — Bo") && lines(&sheet) == 2);
    let other =
        json!({ "kind": "shift", "start_ms": start, "gaps": ["h1"], "by": "Bo", "why": "x" });
    refused(&app, GAPS, other, StatusCode::BAD_REQUEST, "no gap \\\"h1\\\"").await;
}

#[tokio::test]
async fn a_service_that_only_shows_makes_nothing_final() {
    let memory = Arc::new(fixture::Memory::default());
    let (app, _sender) = fixture::app_with(Clock::real(), Arc::new(Record), memory, false);
    let forbidden = StatusCode::FORBIDDEN;
    refused(&app, FINAL, finalise(start(), &json!("")), forbidden, "read_only").await;
    refused(&app, GAPS, json!({}), forbidden, "read_only").await;
}
