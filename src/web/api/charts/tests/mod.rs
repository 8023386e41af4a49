//! Charts over HTTP: what a workbench reads, and what people may write.

mod incidents;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use domain::line::minute::{Counted, Minute, Tally, TimeSplit};
use domain::quality::record::StoredIncident;
use domain::quality::signal::{Incident, Level};
use domain::spc::rules::{Hits, RuleId};
use domain::units::{Count, MINUTE_US, Reason, StationId};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::web::App;
use crate::web::fixture::kept::Kept;
use crate::web::fixture::{self, Memory};

const CHART: &str = "/api/v1/lines/L1/charts/reject_fraction";

/// An incident of the record, open and new.
fn incident(id: i64, opened_us: i64) -> StoredIncident {
    let incident = Incident {
        characteristic: "reject_fraction".into(),
        version: 1,
        opened_us,
        last_us: opened_us,
        rules: Hits::NONE.with(RuleId::N1),
        companion: Hits::NONE,
        n_points: 1,
        level: Level::Notice,
        over: false,
    };
    StoredIncident { id, incident, work: Vec::new() }
}

/// Hours of which the record of a bench begins before now: charts start with thirty.
const HOURS: i64 = 40;

/// A minute of a line that never stops, with so many rejects as in each of fifteen minutes of a burst, or fewer.
fn minute(start_us: i64, burst: bool) -> Minute {
    let rejected = if burst { 90 } else { 22 + (start_us / MINUTE_US * 7).rem_euclid(13) as u64 };
    let station = || StationId::new("CF01");
    let tally = |counted, n| Tally { station: station(), counted, count: Count::exact(n) };
    Minute {
        start_us,
        rev: 1,
        closed: true,
        time: TimeSplit([MINUTE_US, 0, 0, 0, 0, 0]),
        polls: 600,
        missed: 0,
        weights: Vec::new(),
        tallies: vec![
            tally(Counted::Good, 6_500 - rejected),
            tally(Counted::Reject(Reason::new("dented")), rejected),
        ],
    }
}

/// A line that has been running for days, with a burst in the fifteen minutes from `burst_us`.
pub(in crate::web) fn running(now_us: i64, burst_us: i64) -> Kept {
    let now = now_us.div_euclid(MINUTE_US);
    let burst = |us: i64| (burst_us..burst_us + 15 * MINUTE_US).contains(&us);
    let of = |i: i64| minute(i * MINUTE_US, burst(i * MINUTE_US));
    Kept { minutes: (now - HOURS * 60..now).map(of).collect(), ..Kept::default() }
}

struct Bench {
    app: App,
    now_us: i64,
    record: Arc<Memory>,
}

fn bench(writes: bool) -> Bench {
    let clock = Clock::real();
    let now_us = clock.now().utc_us;
    let length_us = 15 * MINUTE_US;
    let burst_us = (now_us.div_euclid(length_us) - 20) * length_us;
    let record = Arc::new(Memory::default());
    let history = Arc::new(running(now_us, burst_us));
    let (app, _) = fixture::app_with(clock, history, record.clone(), writes);
    Bench { app, now_us, record }
}

impl Bench {
    async fn ask(&self, request: Request<Body>) -> (StatusCode, Value) {
        let answer = fixture::ask(&self.app, request).await;
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// A span of so many whole subgroups up to the burst.
    fn baseline(&self, n: i64) -> (i64, i64) {
        let length_us = 15 * MINUTE_US;
        let to_us = (self.now_us.div_euclid(length_us) - 20) * length_us;
        ((to_us - n * length_us) / 1_000, to_us / 1_000)
    }
}

fn proposal((from, to): (i64, i64), author: &str) -> Value {
    json!({"author": author, "reason": "first baseline", "from": from.to_string(), "to": to.to_string()})
}

#[tokio::test]
async fn a_chart_comes_in_columns_of_one_length() {
    let chart = bench(false).get(CHART).await;
    let n = chart["t"].as_array().unwrap().len();
    assert!((119..=121).contains(&n), "{n} subgroups in thirty hours");
    for column in ["n", "x", "doubt", "p", "cl", "lcl", "ucl", "z", "fitness", "follows", "version"]
    {
        assert_eq!(chart[column].as_array().unwrap().len(), n, "{column}");
    }
    assert_eq!(chart["companion"]["name"], "ewma");
    assert_eq!(chart["by"], "trial", "nobody made limits yet");
    assert_eq!(chart["fitted"]["maturity"], "freezable");
    let sig = chart["sig"].as_array().unwrap();
    let at = sig.iter().find(|hit| hit[1] == "N1").unwrap()[0].as_u64().unwrap() as usize;
    assert_eq!(chart["x"][at], 15 * 90);
    assert_eq!(chart["gate"]["open"], false, "with a signal there is no capability");
    assert_eq!(chart["characteristic"]["unit"], "%");
    assert!(
        (chart["p"][at].as_f64().unwrap() - 90.0 / 65.0).abs() < 1e-6,
        "percent, rounded in Rust"
    );
}

/// The file of a chart is its answer turned round: a row for each subgroup.
#[tokio::test]
async fn the_file_of_a_chart_has_the_points_of_the_chart() {
    let bench = bench(false);
    let (from, to) = bench.baseline(0);
    let span = format!("{CHART}?from={}&to={}", from - 12 * 3_600_000, to + 3_600_000);
    let chart = bench.get(&span).await;
    let answer = fixture::get(&bench.app, &format!("{span}&format=csv&table=chart")).await;
    let text = answer.text().strip_prefix('\u{feff}').expect("a mark");
    assert!(!text.contains('"'), "no cell has a comma in it");
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<&str>>());
    let head = lines.next().expect("a head");
    let rows: Vec<Vec<&str>> = lines.collect();
    assert_eq!(rows.len(), chart["t"].as_array().unwrap().len());
    let at = |row: &[&str], name: &str| {
        let i = head.iter().position(|column| *column == name);
        row[i.unwrap_or_else(|| panic!("{name} in {head:?}"))].to_owned()
    };
    let shown = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        number => number.as_f64().unwrap().to_string(),
    };
    for (i, row) in rows.iter().enumerate() {
        for (name, column) in [
            ("n", &chart["n"]),
            ("x", &chart["x"]),
            ("value_percent", &chart["p"]),
            ("ucl_percent", &chart["ucl"]),
            ("z", &chart["z"]),
            ("ewma", &chart["companion"]["y"]),
            ("ewma_ucl", &chart["companion"]["ucl"]),
            ("fitness", &chart["fitness"]),
            ("follows", &chart["follows"]),
        ] {
            assert_eq!(at(row, name), shown(&column[i]), "{name}, row {i}");
        }
        let rules = chart["sig"].as_array().unwrap().iter().filter(|hit| hit[0] == i);
        let rules = rules.map(|hit| hit[1].as_str().unwrap()).collect::<Vec<_>>().join(" ");
        assert_eq!(at(row, "rules"), rules, "row {i}");
    }
    assert!(rows.iter().any(|row| at(row, "rules").contains("N1")), "the burst is in it");
    let moment: jiff::Timestamp = at(&rows[0], "start_utc").parse().unwrap();
    assert_eq!(chart["t"][0], moment.as_millisecond());

    let refused = fixture::get(&bench.app, &format!("{CHART}?format=csv&table=gold")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let told = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(told.contains("chart, weights, incidents, limits, lengths"), "{told}");
}

#[tokio::test]
async fn limits_are_proposed_replayed_and_approved_by_somebody_else() {
    let bench = bench(true);
    let limits = format!("{CHART}/limits");
    let (status, answer) = bench.post(&limits, proposal(bench.baseline(100), "An")).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(
        (&answer["limits"]["version"], &answer["limits"]["state"]),
        (&json!(1), &json!("proposed"))
    );
    assert_eq!(answer["limits"]["n_used"], 100);
    assert_eq!(bench.get(CHART).await["by"], "trial", "a proposal judges nothing");
    let replay = bench.get(&format!("{limits}/1/replay")).await;
    assert!(replay["judged"].as_u64().unwrap() >= 118, "{replay}");
    let decision = format!("{limits}/1/decision");
    let verdict = |by: &str| json!({"verdict": "approved", "by": by, "reason": "replayed"});
    let (status, refused) = bench.post(&decision, verdict("an")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(refused["message"].as_str().unwrap().contains("second person"), "{refused}");
    let (status, approved) = bench.post(&decision, verdict("Bo")).await;
    assert_eq!((status, &approved["state"]), (StatusCode::OK, &json!("approved")));
    assert_eq!(approved["sha256"], answer["limits"]["sha256"]);
    let chart = bench.get(CHART).await;
    assert_eq!((&chart["by"], &chart["limits"]["version"]), (&json!("in_force"), &json!(1)));
    assert_eq!(bench.post(&decision, verdict("Cy")).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_proposal_is_refused_with_the_way_out() {
    let bench = bench(true);
    let limits = format!("{CHART}/limits");
    let whole = bench.baseline(100);
    let leave_out = |t: i64, reason: &str| {
        let mut body = proposal(whole, "An");
        body["exclude"] = json!([{"t": t, "reason": reason}]);
        body
    };
    for (body, words) in [
        (proposal(whole, " "), "author is empty"),
        (proposal(bench.baseline(10), "An"), "fewer than 25"),
        (leave_out(whole.0, ""), "cause"),
        (leave_out(whole.0 + 1, "jam"), "use its start"),
        (json!({"author": "An"}), "missing field"),
    ] {
        let (status, answer) = bench.post(&limits, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(answer["message"].as_str().unwrap().contains(words), "{answer}");
    }
    let (status, answer) = bench.post(&limits, leave_out(whole.0, "jam")).await;
    assert_eq!((status, &answer["limits"]["n_used"]), (StatusCode::OK, &json!(99)));
}

#[tokio::test]
async fn nothing_is_written_where_the_service_only_shows() {
    let bench = bench(false);
    let body = proposal(bench.baseline(100), "An");
    let (status, answer) = bench.post(&format!("{CHART}/limits"), body).await;
    assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &json!("read_only")));
    assert!(bench.get(&format!("{CHART}/limits")).await.as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_page_of_somebody_else_writes_nothing() {
    let bench = bench(true);
    let body = || Body::from(proposal(bench.baseline(100), "An").to_string());
    let post = || Request::post(format!("{CHART}/limits")).header(header::HOST, "127.0.0.1:8080");
    let json = "application/json";
    for origin in ["http://evil.example", "http://127.0.0.1:9999", "null"] {
        let request = post().header(header::CONTENT_TYPE, json).header(header::ORIGIN, origin);
        let (status, answer) = bench.ask(request.body(body()).unwrap()).await;
        assert_eq!(
            (status, &answer["code"]),
            (StatusCode::FORBIDDEN, &json!("origin")),
            "{origin}"
        );
    }
    let plain = post().header(header::CONTENT_TYPE, "text/plain").body(body()).unwrap();
    assert_eq!(bench.ask(plain).await.0, StatusCode::BAD_REQUEST);
    let own =
        post().header(header::CONTENT_TYPE, json).header(header::ORIGIN, "http://127.0.0.1:8080");
    assert_eq!(bench.ask(own.body(body()).unwrap()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn other_lengths_are_shown_under_limits_of_their_own() {
    let bench = bench(true);
    bench.post(&format!("{CHART}/limits"), proposal(bench.baseline(100), "An")).await;
    let verdict = json!({"verdict": "approved", "by": "Bo", "reason": "replayed"});
    bench.post(&format!("{CHART}/limits/1/decision"), verdict).await;
    let single = bench.get(&format!("{CHART}?subgroup=1")).await;
    assert_eq!((&single["by"], &single["judged_live"]), (&json!("trial"), &json!(false)));
    assert_eq!(bench.get(CHART).await["judged_live"], true);
}

/// The row of the chart's own length says what the panel above it says, and rows of others do not move with the start of the span.
#[tokio::test]
async fn rows_of_other_lengths_are_of_the_subgroups_of_a_chart() {
    let bench = bench(true);
    bench.post(&format!("{CHART}/limits"), proposal(bench.baseline(100), "An")).await;
    let verdict = json!({"verdict": "approved", "by": "Bo", "reason": "replayed"});
    bench.post(&format!("{CHART}/limits/1/decision"), verdict).await;
    let chart = bench.get(CHART).await;
    let of = |chart: &Value, minutes: u64| -> Value {
        let rows = chart["lengths"].as_array().unwrap();
        rows.iter().find(|row| row["minutes"] == minutes).unwrap().clone()
    };
    let own = of(&chart, 15);
    assert_eq!(own["shown"], true);
    assert_eq!(own["n"], chart["fitted"]["n_used"]);
    for name in ["sigma_z_mr", "sigma_z_sd", "lag1"] {
        assert_eq!(own[name], chart["fitted"]["evidence"][name], "{name}");
        assert!(own[name].is_number(), "{name}");
    }
    assert_eq!(own["n1_plain"], chart["plain"]["signals"]);
    assert_eq!(own["n1_prime"], chart["plain"]["ours"]);
    // From any quarter of the first hour on, the whole hours are the same, and a quarter that is no whole hour is in none.
    let hour_us = bench.now_us.div_euclid(60 * MINUTE_US) * 60 * MINUTE_US;
    let from_us = hour_us - 20 * 60 * MINUTE_US;
    let hours = async |later: i64| {
        let (from, to) = ((from_us + later * MINUTE_US) / 1_000, hour_us / 1_000);
        of(&bench.get(&format!("{CHART}?from={from}&to={to}")).await, 60)
    };
    let whole = hours(15).await;
    assert_eq!((&whole["n"], &whole["shown"]), (&json!(19), &json!(false)));
    assert_eq!(whole, hours(30).await);
    assert_eq!(whole, hours(45).await);
}

/// With no data nothing is passed.
#[tokio::test]
async fn a_gate_without_a_point_is_not_judged() {
    let bench = bench(false);
    let (from, to) =
        (bench.now_us / 1_000 - 90 * 86_400_000, bench.now_us / 1_000 - 89 * 86_400_000);
    let chart = bench.get(&format!("{CHART}?from={from}&to={to}")).await;
    let gate = json!({
        "open": false, "n": 0, "n_least": 100, "enough": false, "n_recent": 0, "n_signals": null, "drifts": null
    });
    assert_eq!(chart["gate"], gate);
}

/// What is enough is said by the service: no page knows the numbers.
#[tokio::test]
async fn a_span_says_whether_it_is_long_enough() {
    let bench = bench(false);
    let of = async |n: i64| {
        let (from, to) = bench.baseline(n);
        let chart = bench.get(&format!("{CHART}?from={from}&to={to}")).await;
        let (fitted, gate) = (&chart["fitted"], &chart["gate"]);
        (fitted["n_used"].as_i64().unwrap(), fitted["may_propose"].clone(), gate["enough"].clone())
    };
    let (no, yes) = (json!(false), json!(true));
    assert_eq!(of(24).await, (24, no.clone(), no.clone()));
    assert_eq!(of(25).await, (25, yes.clone(), no.clone()));
    assert_eq!(of(99).await, (99, yes.clone(), no));
    assert_eq!(of(100).await, (100, yes.clone(), yes));
    let chart = bench.get(CHART).await;
    let out = chart["fitness"].as_array().unwrap().iter();
    let out = out.filter(|word| ["incomplete", "start_up"].contains(&word.as_str().unwrap()));
    assert_eq!(chart["fitted"]["n_left_out"], json!(out.count()));
    assert_eq!(chart["fitted"]["provisional_from"], 25);
}

const WORK: &str = "/api/v1/lines/L1/incidents/7/work";

/// Every way in which people write is closed where the service only shows, and to pages of somebody else.
/// Shows: ACC-01
#[tokio::test]
async fn every_post_has_the_same_guard() {
    let body = json!({"author": "An", "by": "Bo", "reason": "r", "verdict": "approved", "kind": "acknowledge"});
    let limits = format!("{CHART}/limits");
    for path in [limits.clone(), format!("{limits}/1/decision"), WORK.to_owned()] {
        let closed = bench(false);
        closed.record.incidents.lock().unwrap().push(incident(7, closed.now_us));
        let (status, answer) = closed.post(&path, body.clone()).await;
        assert_eq!(
            (status, &answer["code"]),
            (StatusCode::FORBIDDEN, &json!("read_only")),
            "{path}"
        );
        assert!(closed.record.incidents.lock().unwrap()[0].work.is_empty());
        let open = bench(true);
        let request = Request::post(&path)
            .header(header::HOST, "127.0.0.1:8080")
            .header(header::ORIGIN, "http://evil.example")
            .header(header::CONTENT_TYPE, "application/json");
        let (status, answer) = open.ask(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &json!("origin")), "{path}");
    }
}

#[tokio::test]
async fn a_decision_is_made_once_about_what_is_there() {
    let bench = bench(true);
    let limits = format!("{CHART}/limits");
    bench.post(&limits, proposal(bench.baseline(100), "An")).await;
    let decide = |version: u32, verdict: &str, by: &str| {
        let path = format!("{limits}/{version}/decision");
        let body = json!({"verdict": verdict, "by": by, "reason": "looked at"});
        let bench = &bench;
        async move { bench.post(&path, body).await }
    };
    for (version, verdict, by, words) in [
        (2, "approved", "Bo", "no limits of version 2"),
        (1, "perhaps", "Bo", "approved or rejected"),
        (1, "approved", "", "by is empty"),
        (1, "approved", "AN", "second person"),
    ] {
        let (status, answer) = decide(version, verdict, by).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(answer["message"].as_str().unwrap().contains(words), "{answer}");
    }
    assert_eq!(decide(1, "rejected", "An").await.0, StatusCode::OK, "an author may withdraw");
    let (status, answer) = decide(1, "approved", "Bo").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("decided already"), "{answer}");
    assert_eq!(bench.get(CHART).await["by"], "trial", "what was rejected judges nothing");
}

#[tokio::test]
async fn rules_and_companion_are_chosen_for_a_look() {
    let bench = bench(true);
    let chart = bench.get(&format!("{CHART}?rules=N1,N5&companion=cusum")).await;
    let ids: Vec<&str> =
        chart["rules"].as_array().unwrap().iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert_eq!((ids, &chart["rules_chosen"]), (vec!["N1", "N5", "LIMIT"], &json!(true)));
    let n = chart["t"].as_array().unwrap().len();
    let beside = &chart["companion"];
    assert_eq!((&beside["name"], beside["down"].as_array().unwrap().len()), (&json!("cusum"), n));
    assert!(beside["sig"].as_array().unwrap().iter().any(|hit| hit[1] == "UPPER"), "{beside}");
    let marks = chart["marks"].as_array().unwrap();
    assert!(marks.iter().all(|mark| mark["kind"] == "shift") && !marks.is_empty(), "{marks:?}");
    for (query, words) in [("rules=N9", "use N1 to N8"), ("companion=sums", "use ewma or cusum")] {
        let request = Request::get(format!("{CHART}?{query}")).body(Body::empty()).unwrap();
        let (status, answer) = bench.ask(request).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(answer["message"].as_str().unwrap().contains(words), "{answer}");
    }
}
