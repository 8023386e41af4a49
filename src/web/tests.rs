//! Tests of the web.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use domain::line::event::EventKind;
use domain::line::state::{State, TimeClass};
use domain::line::status::LineStatus;
use domain::units::{Count, HOUR_US, MINUTE_US, Moment, SECOND_US};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::Service;

use super::fixture::{self, CASES, Case, NOW_US, Record, Unreadable};
use super::i18n::{Key, Lang};
use super::view::{ChartView, ChartsView, LineView, Present, STALE_MS};
use super::{App, api, assets, routes};
use crate::clock::Clock;

const OVERVIEW: &str = "/";
const SNAPSHOT: &str = "/api/v1/lines/L1/snapshot";

type Sender = watch::Sender<Option<Arc<LineStatus>>>;

/// An answer, whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn running() -> (App, Sender) {
    let clock = Clock::real();
    let (app, sender) = fixture::app(clock, Arc::new(Record));
    sender.send_replace(Some(Arc::new(fixture::status(clock.now(), Case::Running))));
    (app, sender)
}

async fn ask(app: &App, request: Request<Body>) -> Answer {
    let response = super::router(app.clone(), true).call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

async fn get(app: &App, path: &str) -> Answer {
    ask(app, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn get_with(app: &App, path: &str, name: &str, value: &str) -> Answer {
    ask(app, Request::get(path).header(name, value).body(Body::empty()).unwrap()).await
}

/// Paths with blanks filled in, and every asset.
fn paths() -> Vec<String> {
    let fill = |path: &str| {
        let path = path.replace("{id}", "L1").replace("{name}", "app.css");
        path.replace("{characteristic}", "reject_fraction")
    };
    // What is only posted, or asks for a version that must be there, has tests of its own.
    let special = |path: &&str| path.contains("{version}") || path.contains("{incident}");
    routes().iter().map(|(path, _)| *path).filter(|p| !special(p)).map(fill).collect()
}

fn present(zone: &jiff::tz::TimeZone, utc_us: i64) -> Present<'_> {
    Present { now: fixture::moment(utc_us), speed: 1.0, zone }
}

fn view(status: &LineStatus, now_us: i64) -> LineView {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    LineView::new(&fixture::line(), Some(status), &present(&zone, now_us))
}

fn now() -> Moment {
    fixture::moment(NOW_US)
}

// Views ---------------------------------------------------------------------------------------------------------

#[test]
fn counts_keep_their_interval_and_differences_get_one() {
    let mut status = fixture::status(now(), Case::Running);
    let shift = status.shift.as_mut().unwrap();
    shift.good = Count::between(812_400, 812_460, 812_900);
    shift.target_now = 829_000;
    let shift = view(&status, NOW_US).shift.unwrap();
    assert_eq!((shift.good.best, shift.good.low, shift.good.high), (812_460, 812_400, 812_900));
    let difference = shift.difference;
    assert_eq!((difference.best, difference.low, difference.high), (-16_540, -16_600, -16_100));
    assert!(!shift.behind, "two percent behind is not abnormal");
}

#[test]
fn behind_needs_every_value_of_the_interval_to_be() {
    let mut status = fixture::status(now(), Case::Running);
    let shift = status.shift.as_mut().unwrap();
    (shift.good, shift.target_now) = (Count::between(800, 900, 949), 1_000);
    assert!(view(&status, NOW_US).shift.unwrap().behind);
    status.shift.as_mut().unwrap().good = Count::between(800, 900, 950);
    assert!(!view(&status, NOW_US).shift.unwrap().behind);
}

#[test]
fn numbers_are_rounded_once_and_in_rust() {
    let mut status = fixture::status(now(), Case::Running);
    status.speeds[1].per_minute = Some(6_484.6);
    status.speeds[1].plus_minus = 49.2;
    status.plc_speed = Some(6_499.96);
    let view = view(&status, NOW_US);
    assert_eq!(view.speeds[1].window, "1m");
    assert_eq!((view.speeds[1].per_minute, view.speeds[1].plus_minus), (Some(6_485), 50));
    assert_eq!(view.plc_speed, Some(6_500.0));
}

#[test]
fn what_is_no_number_is_not_shown_as_one() {
    let mut status = fixture::status(now(), Case::Running);
    status.plc_speed = Some(f64::NAN);
    status.speeds[0].per_minute = None;
    status.shift.as_mut().unwrap().plan = 0;
    let view = view(&status, NOW_US);
    assert_eq!(view.plc_speed, None);
    assert_eq!(view.speeds[0].per_minute, None);
    assert_eq!(view.shift.unwrap().plan_percent, None);
}

#[test]
fn a_gap_is_never_rounded_away() {
    let mut status = fixture::status(now(), Case::Running);
    for (coverage, shown) in
        [(1.0, 100.0), (0.99999, 99.9), (0.5, 50.0), (0.00001, 0.1), (0.0, 0.0)]
    {
        status.hours[0].coverage = coverage;
        assert_eq!(view(&status, NOW_US).hours[0].known_percent, shown, "{coverage}");
    }
}

#[test]
fn counts_of_a_gap_stand_in_their_hour_and_are_told_apart() {
    let mut status = fixture::status(now(), Case::Running);
    status.hours[0].good = Count::exact(1_000);
    status.hours[0].gap = Count::between(90, 100, 130);
    let hours = view(&status, NOW_US).hours;
    assert_eq!((hours[0].good.best, hours[0].good.high), (1_100, 1_130));
    assert_eq!(hours[0].gap.unwrap().best, 100);
    assert!(hours[1].gap.is_none());
}

#[test]
fn unknown_beats_all_when_the_line_stops_reporting() {
    let status = fixture::status(now(), Case::Running);
    let fresh = view(&status, NOW_US + STALE_MS * 1_000);
    assert_eq!((fresh.state.word, fresh.feed), ("execute", "current"));
    let stale = view(&status, NOW_US + STALE_MS * 1_000 + 1_000);
    assert_eq!((stale.state.word, stale.state.class), ("unknown", "unknown"));
    assert!(stale.stations.iter().all(|station| station.state.word == "unknown"));
    assert_eq!((stale.feed, stale.state.last), ("stalled", "execute"));
    assert_eq!(stale.state.for_ms, fresh.state.for_ms, "its duration stops counting");
}

#[test]
fn an_accelerated_line_is_stale_after_the_same_real_time() {
    let status = fixture::status(now(), Case::Running);
    let zone = jiff::tz::TimeZone::UTC;
    let at = |us: i64| Present { now: fixture::moment(NOW_US + us), speed: 60.0, zone: &zone };
    let feed = |us: i64| LineView::new(&fixture::line(), Some(&status), &at(us)).feed;
    assert_eq!(feed(200 * SECOND_US), "current");
    assert_eq!(feed(300 * SECOND_US), "stalled");
}

#[test]
fn before_the_first_status_everything_is_unknown_and_nothing_is_zero_by_guess() {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let view = LineView::new(&fixture::line(), None, &present(&zone, NOW_US));
    assert_eq!((view.feed, view.state.word, view.state.since_ms), ("waiting", "unknown", None));
    assert!(view.shift.is_none() && view.speeds.is_empty() && view.stations.is_empty());
    assert_eq!(view.offset_s, 8 * 3_600);
}

#[test]
fn a_device_that_is_down_is_another_fault_than_bad_tags() {
    let offline = view(&fixture::status(now(), Case::Offline), NOW_US);
    assert_eq!((offline.feed, offline.state.word), ("current", "unknown"));
    assert_eq!(offline.state.last, "execute");
    let fault = &offline.faults[0];
    assert_eq!(
        (fault.kind, fault.station.as_str(), fault.reason),
        ("plc_offline", "CF01", "timeout")
    );
    assert!(fault.counts && fault.heard);
    assert_eq!(offline.stations[0].state.word, "unknown");
    let bad = view(&fixture::status(now(), Case::BadTag), NOW_US);
    assert_eq!(bad.state.word, "execute");
    assert_eq!((bad.faults[0].kind, bad.faults[0].tags.len()), ("bad_data", 2));
    let never = view(&fixture::status(now(), Case::NeverHeard), NOW_US);
    assert!(!never.faults[0].heard && !never.faults[0].address.is_empty());
}

#[test]
fn charts_are_in_percent_and_compare_with_the_plain_chart() {
    let status = fixture::status(now(), Case::Running);
    let chart = ChartView::of(&status.charts[1]);
    assert_eq!((chart.center, chart.subgroup_minutes), (Some(0.43), 15));
    assert_eq!(chart.signals, 2);
    let above = |p: &&super::view::PointView| p.complete && p.p > p.ucl_p;
    assert_eq!(chart.plain_signals, chart.points.iter().filter(above).count());
    assert!(chart.plain_signals >= 1);
}

#[test]
fn stops_of_the_trend_come_from_the_record_and_the_latest_events_once_each() {
    let mut status = fixture::status(now(), Case::Running);
    let latest = status.events.iter().find(|event| event.kind == EventKind::Stop).unwrap().clone();
    let at = |minutes_ago: i64| NOW_US - minutes_ago * MINUTE_US;
    let stop = |from: i64, to: i64| {
        let (from_us, at_us) = (Some(at(from)), at(to));
        domain::line::event::Event { from_us, at_us, ..latest.clone() }
    };
    // Many newer events push a stop out of the latest; what ended before the trend is not drawn.
    status.events.insert(0, stop(3, 2));
    let stored = [stop(90, 80), stop(50, 49), latest.clone()];
    let stops = ChartsView::new(&fixture::line(), Some(&status), &stored).stops;
    let ends: Vec<i64> = stops.iter().map(|stop| stop.to_ms * 1_000).collect();
    assert_eq!(ends, [at(49), latest.at_us, at(2)]);
    assert!(stops.iter().all(|stop| stop.class == latest.word));
}

#[test]
fn time_before_the_first_reading_is_neither_target_nor_behind() {
    let mut status = fixture::status(now(), Case::Running);
    let start_us = status.hours[0].start_us;
    status.shift.as_mut().unwrap().watched_from_us = start_us + HOUR_US + 30 * MINUTE_US;
    for hour in &mut status.hours {
        (hour.good, hour.gap) = (Count::exact(100_000), Count::ZERO);
    }
    let (shift_target, before) = {
        let shift = status.shift.as_ref().unwrap();
        (shift.target_now, view(&status, NOW_US))
    };
    let hours = &before.hours;
    assert_eq!((hours[0].watched, hours[0].target, hours[0].behind), (false, 0, false));
    assert_eq!((hours[1].watched, hours[1].target, hours[1].behind), (true, 30 * 6_500, true));
    assert_eq!((hours[2].watched, hours[2].target), (true, 60 * 6_500));
    let shift = before.shift.unwrap();
    assert_eq!(shift.target_now, shift_target - 90 * 6_500);
    assert_eq!(shift.difference.best, shift.good.best as i64 - shift.target_now as i64);
    assert_eq!(shift.plan, status.shift.unwrap().plan, "the plan is of the whole shift");
}

#[test]
fn counts_of_nothing_do_not_push_events_out() {
    let mut status = fixture::status(now(), Case::Running);
    let shown = view(&status, NOW_US).events;
    let mut nothing = status.events[0].clone();
    (nothing.kind, nothing.word) = (EventKind::Count, "first".to_owned());
    for count in [None, Some(Count::ZERO)] {
        nothing.count = count;
        status.events.insert(0, nothing.clone());
    }
    assert_eq!(view(&status, NOW_US).events, shown);
    nothing.count = Some(Count::between(0, 0, 1));
    status.events.insert(0, nothing);
    assert_eq!(view(&status, NOW_US).events[0].word, "first");
}

#[test]
fn a_view_is_small_enough_to_be_sent_twice_a_second() {
    let json = serde_json::to_vec(&view(&fixture::status(now(), Case::Running), NOW_US)).unwrap();
    // Five stations and seven hours of a shift.
    assert!(json.len() < 7_500, "{} bytes", json.len());
}

// Texts ---------------------------------------------------------------------------------------------------------

#[test]
fn every_word_of_the_data_has_a_text() {
    let names: BTreeSet<&str> = Key::ALL.iter().map(|key| key.id()).collect();
    assert_eq!(names.len(), Key::ALL.len(), "two texts have one name");
    let states = State::ALL.map(|state| format!("state.{}", state.word()));
    let classes = TimeClass::ALL.map(|class| format!("class.{}", class.word()));
    let kinds = EventKind::ALL.map(|kind| format!("kind.{}", kind.word()));
    for name in states.iter().chain(&classes).chain(&kinds) {
        assert!(names.contains(name.as_str()), "{name}");
    }
}

#[test]
fn both_languages_have_the_same_blanks() {
    let blanks = |text: &str| -> BTreeSet<String> {
        text.split('{')
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()))
            .collect()
    };
    for key in Key::ALL {
        assert_eq!(blanks(key.en()), blanks(key.zh()), "{}", key.id());
        assert!(!key.en().is_empty() && !key.zh().is_empty(), "{}", key.id());
    }
}

#[test]
fn scripts_ask_only_for_texts_that_exist() {
    let names: BTreeSet<&str> = Key::ALL.iter().map(|key| key.id()).collect();
    for asset in assets::ASSETS.iter().filter(|asset| asset.name.ends_with(".mjs")) {
        let script = std::str::from_utf8(asset.bytes).unwrap();
        for call in [" t('", "(t('", "${t('", "[t('"] {
            for rest in script.split(call).skip(1) {
                let name = rest.split('\'').next().unwrap();
                assert!(names.contains(name), "{}: t('{name}')", asset.name);
            }
        }
    }
}

#[test]
fn both_at_once_says_the_blanks_once_where_it_can() {
    assert_eq!(Lang::Both.say(Key::Plan), "计划 plan {n}");
    assert_eq!(Lang::Both.say(Key::StateExecute), "运行 RUNNING");
    assert_eq!(Lang::Both.say(Key::SigmaZ), "σz {a}");
}

#[tokio::test]
async fn the_language_is_taken_from_address_cookie_and_browser_in_this_order() {
    let (app, _sender) = running();
    let lang = |answer: &Answer| {
        let rest = answer.text().split("data-lang=\"").nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    assert_eq!(lang(&get(&app, OVERVIEW).await), "en");
    let browser = get_with(&app, OVERVIEW, "accept-language", "zh-CN,zh;q=0.9,en;q=0.8").await;
    assert_eq!(lang(&browser), "zh");
    let other = get_with(&app, OVERVIEW, "accept-language", "de-DE,fr").await;
    assert_eq!(lang(&other), "en");
    assert_eq!(lang(&get_with(&app, OVERVIEW, "cookie", "theme=dark; lang=both").await), "both");
    let asked = get_with(&app, "/?lang=zh", "cookie", "lang=en").await;
    assert_eq!(lang(&asked), "zh");
    assert!(asked.header(header::SET_COOKIE).starts_with("lang=zh;"));
    assert!(asked.text().contains("<html lang=\"zh-CN\""));
}

#[tokio::test]
async fn the_theme_of_the_cookie_is_in_the_page_before_any_script_runs() {
    let (app, _sender) = running();
    let dark = get_with(&app, OVERVIEW, "cookie", "theme=dark").await;
    assert!(dark.text().contains("data-theme=\"dark\""));
    let odd = get_with(&app, OVERVIEW, "cookie", "theme=\"><script>").await;
    assert!(odd.text().contains("data-theme=\"auto\"") && !odd.text().contains("\"><script>"));
}

#[tokio::test]
async fn a_simulated_plant_is_marked_on_the_page() {
    let (app, _sender) = running();
    assert!(get(&app, OVERVIEW).await.text().contains("SIM simulated data"));
}

#[tokio::test]
async fn the_first_figures_come_with_the_page_and_cannot_break_out_of_it() {
    let (app, sender) = running();
    let mut status = fixture::status(Clock::real().now(), Case::Running);
    status.batch = Some("</script><script>alert(1)".into());
    sender.send_replace(Some(Arc::new(status)));
    let page = get(&app, OVERVIEW).await;
    let page = page.text();
    let block = page.split("<script id=\"first\" type=\"application/json\">").nth(1).unwrap();
    let first: Value = serde_json::from_str(block.split("</script>").next().unwrap()).unwrap();
    assert_eq!(first["view"]["batch"], "</script><script>alert(1)");
    let (mut came, mut asked) = (BTreeMap::new(), BTreeMap::new());
    shape(&first["view"], "", &mut came);
    shape(&get(&app, SNAPSHOT).await.json(), "", &mut asked);
    assert_eq!(came, asked);
    assert_eq!(first["charts"]["trend"]["start_ms"].as_array().unwrap().len(), 60);
}

// Routes --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let (app, _sender) = running();
    let mut asked: Vec<String> = paths().into_iter().filter(|path| path != "/events").collect();
    asked.extend(["/nothing".to_owned(), "/api/v1/lines/L9/snapshot".to_owned()]);
    for path in asked {
        let answer = get(&app, &path).await;
        let policy = answer.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer", "{path}");
        let keep = answer.header(header::CACHE_CONTROL);
        let is_file = path.starts_with("/assets/");
        assert_eq!(keep, if is_file { "no-cache" } else { "no-store" }, "{path}");
    }
}

#[tokio::test]
async fn every_route_answers() {
    let (app, _sender) = running();
    for path in paths().into_iter().filter(|path| path != "/events") {
        assert_eq!(get(&app, &path).await.status, StatusCode::OK, "{path}");
    }
}

#[test]
fn the_description_lists_every_route_of_programs() {
    let described: BTreeSet<String> = api::description().paths.paths.into_keys().collect();
    let is_page =
        |path: &&str| matches!(*path, "/" | "/spc" | "/spc/{characteristic}" | "/assets/{name}");
    let routed: BTreeSet<String> =
        routes().iter().map(|(path, _)| *path).filter(|p| !is_page(p)).map(str::to_owned).collect();
    assert_eq!(described, routed);
}

#[tokio::test]
async fn a_wrong_request_is_told_what_to_do() {
    let (app, _sender) = running();
    let minutes = |query: &str| format!("/api/v1/lines/L1/minutes?{query}");
    let cases = [
        ("/nothing".to_owned(), 404, "not_found", "/api/openapi.json"),
        ("/assets/secret.txt".to_owned(), 404, "not_found", "/api/openapi.json"),
        ("/api/v1/lines/L9/snapshot".to_owned(), 404, "no_line", "/api/v1/lines"),
        ("/events?line=L9".to_owned(), 404, "no_line", "/api/v1/lines"),
        ("/?line=L9".to_owned(), 404, "no_line", "/api/v1/lines"),
        (minutes("from=yesterday"), 400, "parameter", "2026-11-24T08:00:00+08:00"),
        (minutes("from=99999999999999999999"), 400, "parameter", "2026-11-24T08:00:00+08:00"),
        (minutes("from=2000&to=1000"), 400, "parameter", "swap them"),
        (minutes("from=0&to=1795500207000"), 400, "parameter", "in parts"),
        ("/api/v1/lines/L1/events?kind=fire".to_owned(), 400, "parameter", "count, state, stop"),
        (
            "/api/v1/lines/L1/charts/reject_fraction?subgroup=7".to_owned(),
            400,
            "parameter",
            "1, 5, 15",
        ),
        ("/api/v1/lines/L1/charts/beauty".to_owned(), 404, "no_chart", "characteristics"),
        ("/api/v1/lines/L1/charts/reject_fraction?subgroup=x".to_owned(), 400, "parameter", ""),
    ];
    for (path, status, code, way_out) in cases {
        let answer = get(&app, &path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/json", "{path}");
        let error = answer.json();
        assert_eq!(error["code"], code, "{path}");
        let words = format!("{} {}", error["message"], error["hint"]);
        assert!(words.contains(way_out), "{path}: {words}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_said_so() {
    let (app, _sender) = running();
    let answer = ask(&app, Request::post(SNAPSHOT).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json()["code"], "wrong_method");
}

#[tokio::test]
async fn the_cause_of_a_failure_stays_in_the_log() {
    let (app, _sender) = fixture::app(Clock::real(), Arc::new(Unreadable));
    for path in ["/api/v1/lines/L1/minutes", "/api/v1/lines/L1/events"] {
        let answer = get(&app, path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.text().contains("secret"), "{}", answer.text());
        assert!(answer.json()["hint"].as_str().unwrap().contains("try again"));
    }
}

#[tokio::test]
async fn moments_are_rfc_3339_or_milliseconds() {
    let (app, _sender) = running();
    let span = "from=2026-11-24T08:00:00%2B08:00&to=2026-11-24T09:00:00+08:00";
    let minutes = get(&app, &format!("/api/v1/lines/L1/minutes?{span}")).await.json();
    assert_eq!(minutes[0]["start_ms"], 1_795_478_400_000i64);
    assert_eq!(minutes[0]["good"]["high"], 6_460);
    assert_eq!(minutes[0]["rejected"]["best"], 28);
    let span = "from=1795478400000&to=1795478460000";
    let minutes = get(&app, &format!("/api/v1/lines/L1/minutes?{span}")).await.json();
    assert_eq!(minutes[0]["start_ms"], 1_795_478_400_000i64);
}

#[tokio::test]
async fn events_are_chosen_by_kind() {
    let (app, _sender) = running();
    let kinds = |answer: Answer| -> Vec<String> {
        let events = answer.json();
        let kind = |event: &Value| event["kind"].as_str().unwrap().to_owned();
        events.as_array().unwrap().iter().map(kind).collect()
    };
    let all = kinds(get(&app, "/api/v1/lines/L1/events").await);
    let some = kinds(get(&app, "/api/v1/lines/L1/events?kind=stop,%20batch").await);
    assert!(all.len() > some.len());
    assert_eq!(some, ["stop", "batch"]);
}

#[tokio::test]
async fn a_file_is_kept_by_its_hash_and_compared_by_its_name() {
    let (app, _sender) = running();
    let by_name = get(&app, "/assets/live.mjs").await;
    let tag = by_name.header(header::ETAG).to_owned();
    assert!(by_name.header(header::CONTENT_TYPE).starts_with("text/javascript"));
    let same = get_with(&app, "/assets/live.mjs", "if-none-match", &format!("W/{tag}")).await;
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let old = get_with(&app, "/assets/live.mjs", "if-none-match", "\"old\"").await;
    assert_eq!(old.status, StatusCode::OK);
    let by_hash = get(&app, &assets::href("live.mjs")).await;
    assert!(by_hash.header(header::CACHE_CONTROL).contains("immutable"));
    let wrong_hash = get(&app, "/assets/live.mjs?v=0").await;
    assert_eq!(wrong_hash.header(header::CACHE_CONTROL), "no-cache");
}

#[tokio::test]
async fn every_file_of_a_page_is_here_and_nothing_is_asked_from_elsewhere() {
    let (app, _sender) = running();
    let page = get(&app, OVERVIEW).await;
    let page = page.text();
    for address in ["href=\"", "src=\""].iter().flat_map(|name| page.split(name).skip(1)) {
        let address = address.split('"').next().unwrap().replace("&amp;", "&");
        assert!(address.starts_with('/') || address.starts_with(['#', '?']), "{address}");
        if address.starts_with("/assets/") {
            assert_eq!(get(&app, &address).await.status, StatusCode::OK, "{address}");
        }
    }
    for asset in &assets::ASSETS {
        let text =
            std::str::from_utf8(asset.bytes).unwrap().replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http:") && !text.contains("https:"), "{}", asset.name);
    }
    // The policy forbids them, so they would silently do nothing.
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
}

#[tokio::test]
async fn a_foreign_name_is_refused_on_the_loopback_address() {
    let (app, _sender) = running();
    for name in
        ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "192.168.1.4", "LOCALHOST"]
    {
        assert_eq!(get_with(&app, SNAPSHOT, "host", name).await.status, StatusCode::OK, "{name}");
    }
    for name in
        ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example"]
    {
        let answer = get_with(&app, SNAPSHOT, "host", name).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{name}");
        assert!(answer.json()["hint"].as_str().unwrap().contains("localhost"));
    }
}

#[tokio::test]
async fn ready_only_while_every_line_reports() {
    let (app, sender) = fixture::app(Clock::real(), Arc::new(Record));
    let ready = get(&app, "/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["lines"]["L1"], "waiting");
    assert_eq!(get(&app, "/healthz").await.status, StatusCode::OK);
    let now = Clock::real().now();
    sender.send_replace(Some(Arc::new(fixture::status(now, Case::Running))));
    assert_eq!(get(&app, "/readyz").await.status, StatusCode::OK);
    let earlier = Moment { utc_us: now.utc_us, mono_us: now.mono_us - 5 * SECOND_US };
    sender.send_replace(Some(Arc::new(fixture::status(earlier, Case::Running))));
    assert_eq!(get(&app, "/readyz").await.json()["lines"]["L1"], "stalled");
}

#[tokio::test]
async fn metrics_hold_the_line_its_links_and_the_gauges_of_the_service() {
    let (app, _sender) = running();
    let answer = get(&app, "/metrics").await;
    assert!(answer.header(header::CONTENT_TYPE).starts_with("application/openmetrics-text"));
    let text = answer.text();
    for line in [
        "capline_good_capsules_total{line=\"L1\"} ",
        "capline_line_state{line=\"L1\",state=\"execute\"} 1",
        "capline_link_up{line=\"L1\",station=\"CW04\"} 1",
        "capline_store_bytes{file=\"journal\"} 4096",
        "capline_speed_per_minute{line=\"L1\",window=\"1m\"} 6485",
        "# TYPE capline_polls counter",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    let mut described: Vec<&str> = text.lines().filter(|line| line.starts_with("# HELP")).collect();
    let n = described.len();
    described.dedup();
    assert_eq!(described.len(), n, "each name is described once");
}

// The stream ----------------------------------------------------------------------------------------------------

/// Serves `app` on a free port until the sender is dropped or used.
async fn serve(
    app: App,
) -> (std::net::SocketAddr, tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let served = tokio::spawn(async move {
        let stopped = async move {
            let _ = stopped.await;
        };
        super::serve(listener, app, stopped).await.unwrap();
    });
    (address, stop, served)
}

async fn open_stream(address: std::net::SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET /events?line=L1 HTTP/1.1\r\nhost: {address}\r\nlast-event-id: 41\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// What arrives until it holds `end`, or until the other side closes.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 65_536];
    while !text.contains(end) {
        let n = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        if n == 0 {
            break;
        }
        text.push_str(&String::from_utf8_lossy(&buffer[..n]));
    }
    text
}

/// The names of all members of an object, of all objects in it, and so on.
fn shape(value: &Value, path: &str, names: &mut BTreeMap<String, ()>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            names.insert(format!("{path}.{name}"), ());
            shape(value, &format!("{path}.{name}"), names);
        }),
        Value::Array(values) => values.iter().for_each(|value| shape(value, path, names)),
        _ => {}
    }
}

#[tokio::test]
async fn the_stream_begins_with_the_whole_present_in_the_shape_of_the_snapshot() {
    let (app, _sender) = running();
    let (address, _stop, _served) = serve(app.clone()).await;
    let mut stream = open_stream(address).await;
    let text = read_until(&mut stream, "event: charts").await;
    assert!(text.contains("text/event-stream") && !text.contains("content-encoding"), "{text}");
    assert!(text.contains("event: hb\n"), "{text}");
    assert!(text.contains("id: 42\n"), "numbers go on after the last one heard");
    let data = text.split("event: view\ndata: ").nth(1).unwrap().lines().next().unwrap();
    let (mut streamed, mut asked) = (BTreeMap::new(), BTreeMap::new());
    shape(&serde_json::from_str(data).unwrap(), "", &mut streamed);
    shape(&get(&app, SNAPSHOT).await.json(), "", &mut asked);
    assert_eq!(streamed, asked);
    assert!(streamed.contains_key(".stations.state.word"));
    assert_eq!(app.n_streams(), 1);
}

#[tokio::test]
async fn who_sends_a_request_byte_by_byte_is_let_go() {
    let (app, _sender) = running();
    let (address, _stop, _served) = serve(app).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    let begun = std::time::Instant::now();
    let closed = async {
        for byte in
            b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ".iter().chain(std::iter::repeat(&b'x'))
        {
            if slow.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let limit = super::HEAD_WITHIN + Duration::from_secs(5);
    tokio::time::timeout(limit, closed).await.expect("the connection is closed");
    assert!(begun.elapsed() >= super::HEAD_WITHIN / 2, "a slow but honest client has its time");
}

#[tokio::test]
async fn streams_end_when_the_service_stops() {
    let (app, _sender) = running();
    let (address, stop, served) = serve(app.clone()).await;
    let mut stream = open_stream(address).await;
    read_until(&mut stream, "event: view").await;
    stop.send(()).unwrap();
    let rest = read_until(&mut stream, "never").await;
    assert!(rest.ends_with("0\r\n\r\n") || rest.is_empty(), "the stream ends as it should");
    drop(stream);
    tokio::time::timeout(Duration::from_secs(2), served).await.unwrap().unwrap();
}

#[tokio::test]
async fn more_screens_than_allowed_are_told_so_and_leave_room_when_they_go() {
    let (app, _sender) = running();
    let all = app.0.streams.clone().acquire_many_owned(super::STREAMS as u32).await.unwrap();
    let answer = get(&app, "/events").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.json()["hint"].as_str().unwrap().contains("snapshot"));
    drop(all);
    assert_eq!(app.n_streams(), 0);
}

// Colours -------------------------------------------------------------------------------------------------------

/// The colours of the blocks of `app.css` that begin with `selector`.
fn tokens(css: &str, selector: &str) -> BTreeMap<String, [f64; 3]> {
    let block = css.split(selector).nth(1).unwrap().split('}').next().unwrap();
    let channel =
        |hex: &str, i: usize| f64::from(u8::from_str_radix(&hex[i..i + 2], 16).unwrap()) / 255.0;
    let token = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let hex = value.trim_end_matches(';').to_owned();
        Some((name.to_owned(), [0, 2, 4].map(|i| channel(&hex, i))))
    };
    block.lines().filter_map(token).collect()
}

/// Contrast after WCAG 2.2, "contrast ratio" and "relative luminance".
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    let light = |c: [f64; 3]| 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
    let (a, b) = (light(a) + 0.05, light(b) + 0.05);
    a.max(b) / a.min(b)
}

#[test]
fn every_pair_of_colours_can_be_told_apart() {
    let css = include_str!("assets/app.css");
    assert_eq!(
        tokens(css, ":root[data-theme='dark'] {"),
        tokens(css, ":root[data-theme='auto'] {"),
        "dark by choice and dark by device are the same"
    );
    let text = ["ink", "ink2", "p1", "p2", "fault"];
    for selector in [":root {", ":root[data-theme='dark'] {"] {
        let colours = tokens(css, selector);
        let of = |name: &str| colours[name];
        for name in text {
            for ground in ["card", "field"] {
                let contrast = contrast(of(name), of(ground));
                assert!(contrast >= 4.5, "{selector} {name} on {ground}: {contrast:.2}");
            }
        }
        assert!(contrast(of("on-fault"), of("fault")) >= 4.5, "{selector} band");
        // Marks that lie on each other: the pointer on what is normal, filling in a track.
        for (mark, ground) in
            [("ink", "grid"), ("ink2", "field"), ("ink2", "card"), ("fault", "card")]
        {
            let contrast = contrast(of(mark), of(ground));
            assert!(contrast >= 3.0, "{selector} {mark} on {ground}: {contrast:.2}");
        }
    }
}

#[test]
fn no_text_is_smaller_than_can_be_read() {
    let css = include_str!("assets/app.css");
    for size in css.split("font-size: ").skip(1).chain(css.split("font: bold ").skip(1)) {
        let px: f64 = size.split("px").next().unwrap().parse().unwrap();
        assert!(px >= 14.0, "{px} px");
    }
}

// For people ----------------------------------------------------------------------------------------------------

/// Serves the made-up line for a person to look at, when an address is given:
/// `CAPLINE_WEB_SERVE=127.0.0.1:8099 cargo test --lib web::tests::serves_for_eyes`.
#[tokio::test]
async fn serves_for_eyes() {
    let Ok(address) = std::env::var("CAPLINE_WEB_SERVE") else { return };
    let clock = Clock::real();
    let (app, sender) = fixture::app(clock, Arc::new(Record));
    let listener = TcpListener::bind(address).await.unwrap();
    let feed = async {
        loop {
            let word = fixture::case_file().and_then(|file| std::fs::read_to_string(file).ok());
            let word = word.unwrap_or_default();
            let case = CASES.iter().find(|(name, _)| *name == word.trim());
            let case = case.map_or(Case::Running, |(_, case)| *case);
            match word.trim() {
                "stalled" => {}
                "waiting" => drop(sender.send_replace(None)),
                _ => drop(sender.send_replace(Some(Arc::new(fixture::status(clock.now(), case))))),
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    };
    tokio::select! {
        () = feed => {}
        served = super::serve(listener, app, std::future::pending()) => served.unwrap(),
    }
}
