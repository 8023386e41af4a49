use axum::http::StatusCode;
use domain::line::minute::Counted;
use domain::line::state::State;
use serde_json::Value;

use super::*;
use crate::web::fixture;
use crate::web::fixture::kept::{self, BEGIN_US, GAP, HELD, Kept, MINUTES, app, get};

fn time(minute: i64) -> i64 {
    BEGIN_US + minute * MINUTE_US
}

fn at(record: &Kept, minute: i64) -> domain::line::status::LineStatus {
    let status = present_at(record, &kept::line(), time(minute)).expect("it can be read");
    status.expect("something is recorded")
}

/// What the ledger has of good capsules in the first minutes, gaps that had ended included.
fn made(record: &Kept, minutes: i64) -> Count {
    let station = &kept::line().output;
    let counted = record.minutes.iter().take(usize::try_from(minutes).expect("few"));
    let counted: Count = counted.map(|minute| minute.count(station, &Counted::Good)).sum();
    let gap = record.events.iter().find(|event| event.word == "gap").and_then(|event| event.count);
    if minutes >= GAP.end { counted + gap.expect("there is a gap") } else { counted }
}

/// Shows: SCR-06
#[test]
fn a_past_moment_has_the_state_and_the_count_of_the_ledger() {
    let record = Kept::morning();
    for (minute, state) in [
        (1, State::Execute),
        (60, State::Execute),
        (GAP.start + 1, State::Unknown),
        (GAP.end + 5, State::Execute),
        (HELD.start + 2, State::Held),
        (HELD.end + 1, State::Execute),
        (MINUTES - 1, State::Execute),
    ] {
        let status = at(&record, minute);
        assert_eq!(status.state.state, state, "minute {minute}");
        let shift = status.shift.expect("it is a shift");
        let counted = made(&record, minute);
        // In the middle of a gap, what it will have brought is known only within its bounds.
        let inside = GAP.contains(&(minute - 1)) && minute < GAP.end;
        assert!(
            inside || shift.good == counted,
            "minute {minute}: {} and not {counted}",
            shift.good
        );
        assert!(shift.good.low() <= counted.best() && counted.best() <= shift.good.high());
        // Never what came later: the negative control of a sum that takes whole periods.
        assert!(shift.good.high() <= made(&record, MINUTES).high());
        let watched: Count = status.hours.iter().map(|hour| hour.good + hour.gap).sum();
        assert_eq!(watched, shift.good, "minute {minute}: the hour board has the same");
    }
    let whole = record.periods.iter().find(|period| period.kind == PeriodKind::Shift).expect("one");
    let of_shift = whole.count(&kept::line().output, &Counted::Good);
    assert_ne!(at(&record, 60).shift.map(|shift| shift.good), Some(of_shift));
}

#[test]
fn a_stop_is_told_as_long_as_it_had_lasted() {
    let record = Kept::morning();
    let status = at(&record, HELD.start + 2);
    assert_eq!(status.at.mono_us - status.state.since_mono_us, 2 * MINUTE_US);
    let title = status.state.stop_title.expect("the machine told why");
    assert_eq!(&*title.en, "capsule jam");
    // What is not recorded is not made up.
    assert_eq!((status.plc_speed, status.speeds[0].per_minute), (None, None));
    assert!(status.stations.iter().all(|station| station.measures.is_empty()));
    assert!(status.events.iter().all(|event| event.at_us <= time(HELD.start + 2)));
    let running = at(&record, HELD.end + 10);
    assert_eq!(running.at.mono_us - running.state.since_mono_us, 10 * MINUTE_US);
}

#[test]
fn the_hour_that_went_on_holds_its_minutes_until_then_and_no_more() {
    let record = Kept::morning();
    let config = kept::line();
    let station = &config.output;
    let until = time(90);
    let hours_at =
        |to_us: i64| hours(&record, &config, (time(0), to_us), true).map(|at| at.rollups);
    let hours = hours_at(until).expect("it can be read");
    let good: Count = hours.iter().map(|hour| hour.count(station, &Counted::Good)).sum();
    assert_eq!(good, made(&record, 90));
    let stored = record.rollups(&config.id, PeriodKind::Hour, time(0), until).expect("hours");
    let later: Count = stored.iter().map(|hour| hour.count(station, &Counted::Good)).sum();
    assert!(later.best() > good.best(), "the stored hour went on after that");
    assert_eq!(hours.last().map(|hour| hour.spending.failures), Some(0));
    let after = hours_at(time(HELD.end + 1)).expect("hours");
    assert_eq!(after.last().map(|hour| hour.spending.failures), Some(1));
}

/// A minute says that something was planned; where no machine said what, nobody can tell whether that was set-up.
#[tokio::test]
async fn without_a_word_of_set_up_what_rests_on_it_is_not_known() {
    let mut record = Kept::morning();
    let minute = &mut record.minutes[95];
    minute.time = domain::line::minute::TimeSplit([0, 0, 0, MINUTE_US, 0, 0]);
    let shift = at(&record, 97).shift.expect("it is a shift");
    assert!(!shift.setup_known);
    let kpis = shift.kpis;
    assert_eq!(
        (kpis.oee, kpis.oee_between, kpis.availability, kpis.mtbf_us),
        (None, None, None, None)
    );
    assert!(kpis.quality_ratio.is_some(), "that does not rest on it");
    // The negative control: before that minute, and once the hour is over, which was booked as it went on.
    for minute in [95, 121] {
        let shift = at(&record, minute).shift.expect("it is a shift");
        assert!(shift.setup_known && shift.kpis.oee.is_some(), "minute {minute}");
    }
    let app = app(record);
    let json = async |path: String| {
        let (status, text) = get(&app, &path).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let at_ms = time(97) / 1_000;
    for value in ["oee", "availability", "mtbf"] {
        let view = json(format!("/api/v1/lines/L1/explain/{value}?at={at_ms}")).await;
        assert_eq!((&view["result"], &view["worked"]), (&Value::Null, &"–".into()), "{value}");
        let why = view["left_out"].as_array().expect("notes");
        assert!(why.iter().any(|note| note["id"] == "setup_unknown"), "{value}: {view}");
    }
    let losses = json(format!("/api/v1/lines/L1/losses?at={at_ms}")).await;
    assert_eq!((&losses["mtbf_s"], &losses["setup_known"]), (&Value::Null, &false.into()));
    let (_, page) = get(&app, &format!("/?at={at_ms}")).await;
    assert!(page.contains("\"oee\":null,\"setup_known\":false"));
}

#[test]
fn a_moment_is_past_and_readable_or_it_is_refused() {
    let now = time(10);
    assert_eq!(moment_of("2026-11-24T14:03:12+08:00", now), Ok(time(3)));
    assert_eq!(moment_of("2026-11-24T14:03:12 08:00", now), Ok(time(3)), "a plus sign of a query");
    assert_eq!(moment_of("2026-11-24T06:03:59Z", now), Ok(time(3)));
    assert_eq!(moment_of("1795500180000", now), Ok(time(3)));
    assert_eq!(moment_of("2026-11-24T06:10:00Z", now), Err(NoReplay::Future));
    assert_eq!(moment_of("2126-11-24T06:10:00Z", now), Err(NoReplay::Future));
    for text in ["yesterday", "", "2026-11-24", "99999999999999999999", "-5", "<script>"] {
        assert_eq!(moment_of(text, now), Err(NoReplay::Unreadable), "{text}");
    }
}

#[tokio::test]
async fn a_page_of_the_past_says_so_and_leads_on_and_back() {
    let app = app(Kept::morning());
    for (path, words) in [
        ("/?lang=en", ["REPLAY", "2026-11-24 15:30:00 +08:00", "Back to live", "+1 h"]),
        ("/?lang=zh", ["回放", "2026-11-24 15:30:00 +08:00", "返回实时", "+1 小时"]),
        ("/stops?lang=en", ["REPLAY", "2026-11-24 15:30:00 +08:00", "Back to live", "−1 min"]),
        ("/rejects?lang=en", ["REPLAY", "2026-11-24 15:30:00 +08:00", "Back to live", "−1 h"]),
        ("/line?lang=en", ["REPLAY", "2026-11-24 15:30:00 +08:00", "Back to live", "−1 min"]),
        ("/spc?lang=en", ["REPLAY", "2026-11-24 15:30:00 +08:00", "Back to live", "+1 h"]),
    ] {
        let (status, page) = get(&app, &format!("{path}&at=2026-11-24T15:30:20%2B08:00")).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        for word in words {
            assert!(page.contains(word), "{path}: {word}");
        }
        assert!(
            page.contains("data-link=\"replay\"")
                && page.contains("at=2026-11-24T15:31:00%2B08:00")
        );
        // The choice of a language keeps the moment, and the way back keeps all but that.
        assert!(page.contains("at=2026-11-24T15:30:20%2B08:00&amp;lang=zh\""), "{path}");
        let live = format!(
            "id=\"live\" href=\"?line=L1&amp;{}\"",
            path.split_once('?').expect("a choice").1
        );
        assert!(page.contains(&live), "{path}: {live}");
    }
    let (_, page) = get(&app, "/?at=2026-11-24T15:30:00%2B08:00").await;
    let block =
        page.split("<script id=\"first\" type=\"application/json\">").nth(1).expect("figures");
    let first: Value =
        serde_json::from_str(block.split("</script>").next().expect("an end")).expect("JSON");
    let good = first["view"]["shift"]["good"]["best"].as_u64();
    assert_eq!(good, Some(made(&Kept::morning(), 90).best()));
    // Live pages are as they were.
    let (_, live) = get(&app, "/").await;
    assert!(live.contains("data-link=\"late\"") && !live.contains("id=\"replay\""));
}

/// A status holds the newest events, of which a busy hour has more than stops that the trend shows.
#[tokio::test]
async fn all_stops_of_the_past_hour_are_in_its_trend_whatever_else_happened() {
    let mut record = Kept::morning();
    let stop = record.events.last().expect("the stop of the morning").clone();
    record.events.retain(|event| event.kind != EventKind::Stop);
    for i in 0..8 {
        let at_us = time(62 + 3 * i);
        record.events.push(Event { at_us, from_us: Some(at_us - MINUTE_US), ..stop.clone() });
    }
    let other = Event { kind: EventKind::Count, from_us: None, word: "wrap".into(), ..stop };
    for i in 0..30 {
        record.events.push(Event { at_us: time(88) + i * 1_000_000, ..other.clone() });
    }
    record.events.sort_by_key(|event| event.at_us);
    let newest = at(&record, 90).events;
    let in_status = newest.iter().filter(|event| event.kind == EventKind::Stop).count();
    assert!(in_status < 8, "the newest events alone have {in_status} of them");
    let (_, page) = get(&app(record), "/?at=2026-11-24T15:30:00%2B08:00").await;
    let block =
        page.split("<script id=\"first\" type=\"application/json\">").nth(1).expect("figures");
    let first: Value =
        serde_json::from_str(block.split("</script>").next().expect("an end")).expect("JSON");
    assert_eq!(first["charts"]["stops"].as_array().map(Vec::len), Some(8));
}

#[tokio::test]
async fn a_moment_that_cannot_be_shown_is_answered_in_words_with_the_way_out() {
    let app = app(Kept::morning());
    for (path, words) in [
        ("/?lang=en&at=soon", "This is no moment"),
        ("/?lang=zh&at=soon", "不是可识别的时刻"),
        ("/?lang=en&at=2126-01-01T00:00:00Z", "is not past"),
        ("/stops?lang=en&at=2001-01-01T00:00:00Z", "Nothing is recorded"),
        ("/data?lang=zh&at=2026-11-24T07:30:00Z", "本页仅显示当前"),
        ("/spc?lang=en&at=2126-11-24T07:30:00Z", "is not past"),
        ("/line?lang=en&at=soon", "This is no moment"),
        ("/data?lang=en&at=2026-11-24T07:30:00Z", "shows the present only"),
    ] {
        let (status, page) = get(&app, path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert!(page.contains(words) && page.contains("id=\"live\""), "{path}");
    }
    let (_, page) = get(&app, "/?at=%22%3E%3Cscript%3Ealert(1)").await;
    assert!(!page.contains("<script>alert"));
    for route in ["losses", "rejects", "tags", "bores", "charts/reject_fraction"] {
        let (status, text) = get(&app, &format!("/api/v1/lines/L1/{route}?at=soon")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
        assert!(text.contains("no moment"), "{text}");
        let (status, _) =
            get(&app, &format!("/api/v1/lines/L1/{route}?at=2026-11-24T07:30:00Z")).await;
        assert_eq!(status, StatusCode::OK);
    }
}

#[tokio::test]
async fn losses_of_a_past_moment_know_nothing_of_what_came_later() {
    let app = app(Kept::morning());
    let losses = async |minute: i64| {
        let path = format!("/api/v1/lines/L1/losses?at={}", time(minute) / 1_000);
        let (_, text) = get(&app, &path).await;
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let during = losses(HELD.start + 2).await;
    assert_eq!(
        (&during["stops"][0]["to_ms"], &during["stops"][0]["lasted_ms"]),
        (&Value::Null, &120_000.into())
    );
    assert_eq!(
        (&during["failures"], during["stops"].as_array().map(Vec::len)),
        (&0.into(), Some(2))
    );
    let after = losses(HELD.end + 1).await;
    assert_eq!((&after["failures"], &after["stops"][0]["lasted_ms"]), (&1.into(), &420_000.into()));
    assert_eq!(losses(5).await["stops"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn tags_of_a_past_moment_are_what_was_read_last_before_it() {
    let app = app(Kept::morning());
    let tags = async |minute: i64| {
        let path = format!("/api/v1/lines/L1/tags?at={}", time(minute) / 1_000);
        let (_, text) = get(&app, &path).await;
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let good = |view: &Value| {
        let tags = view["tags"].as_array().expect("tags").clone();
        let is_it = |tag: &&Value| tag["tag"] == "CF01.Admin.ProdProcessedCount[0].AccCount";
        tags.iter().find(is_it).expect("it is in the map").clone()
    };
    let view = tags(90).await;
    let tag = good(&view);
    // The fixture reads the number of the minute, one second before its end.
    assert_eq!(tag["raw"].as_f64(), Some((time(89) / MINUTE_US) as f64), "{tag}");
    assert_eq!(tag["read_ms"].as_i64(), Some((time(90) - 1_000_000) / 1_000));
    assert_eq!((&view["kept"], &tag["counter"]), (&true.into(), &Value::Null));
    // Where nothing was read, nothing is made up.
    let silent = tags(GAP.start + 2).await;
    assert_eq!((&silent["kept"], &good(&silent)["read_ms"]), (&false.into(), &Value::Null));
}

#[tokio::test]
async fn a_chart_of_a_past_moment_has_no_point_after_it() {
    let app = app(Kept::morning());
    let chart = async |query: &str| {
        let path = format!("/api/v1/lines/L1/charts/reject_fraction?{query}");
        let (status, text) = get(&app, &path).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let last = |chart: &Value| {
        chart["t"].as_array().and_then(|t| t.last()?.as_i64()).expect("there is a point")
    };
    let at_ms = time(90) / 1_000;
    let then = chart(&format!("at={at_ms}")).await;
    let length_ms = then["subgroup_minutes"].as_i64().expect("a number") * MINUTE_US / 1_000;
    assert!(last(&then) + length_ms <= at_ms, "{}", last(&then));
    assert_eq!(then["to_ms"].as_i64(), Some(at_ms));
    // An end that lies later does not show more; the negative control is the same question about now.
    let later = chart(&format!("at={at_ms}&to={}", time(170) / 1_000)).await;
    assert_eq!(later["t"], then["t"]);
    let now = chart(&format!("to={}", time(170) / 1_000)).await;
    assert!(last(&now) > last(&then));
    let path = format!("/api/v1/lines/L1/charts/reject_fraction?at={at_ms}&from={}", at_ms + 1);
    assert_eq!(get(&app, &path).await.0, StatusCode::BAD_REQUEST);
}

/// Nothing can be written on a page of the past.
#[tokio::test]
async fn pages_of_the_past_offer_no_writing() {
    let app = app(Kept::morning());
    for (path, mark) in [("/line", "data-writes=\"false\""), ("/spc", "data-writes=\"false\"")] {
        let (_, then) = get(&app, &format!("{path}?at=2026-11-24T15:30:00%2B08:00")).await;
        let (_, now) = get(&app, path).await;
        assert!(then.contains(mark) && !now.contains(mark), "{path}");
    }
}

/// The overview of a past moment and the workbench of that moment show one chart, by the limits that were there then.
#[tokio::test]
async fn the_chart_of_the_overview_is_that_of_the_workbench() {
    let app = app(Kept::morning());
    let charts = fixture::overview(domain::units::Moment { utc_us: time(0), mono_us: 0 });
    let limits = charts.reject_fraction.and_then(|chart| chart.limits).expect("limits");
    let later = domain::quality::limits::Limits {
        version: limits.version + 1,
        made_us: time(120),
        ..limits.clone()
    };
    for version in [limits.clone(), later] {
        let line = kept::line().id;
        let kept = app.parts().quality.add_limits(&line, version, &domain::audit::Actor::system());
        kept.expect("it is kept");
    }
    let at_ms = time(90) / 1_000;
    let (_, page) = get(&app, &format!("/?at={at_ms}")).await;
    let block =
        page.split("<script id=\"first\" type=\"application/json\">").nth(1).expect("figures");
    let first: Value =
        serde_json::from_str(block.split("</script>").next().expect("an end")).expect("JSON");
    let shown = &first["charts"]["reject_fraction"];
    let path = format!("/api/v1/lines/L1/charts/reject_fraction?at={at_ms}");
    let worked: Value = serde_json::from_str(&get(&app, &path).await.1).expect("JSON");
    let points = shown["points"].as_array().expect("points");
    assert!(points.len() > 3, "{shown}");
    let same = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
        // The one is rounded to four decimals, the other to six.
        (Some(a), Some(b)) => (a - b).abs() <= 0.000_05,
        (a, b) => a == b,
    };
    for (i, point) in points.iter().enumerate() {
        for (mine, theirs) in
            [("t", "t"), ("x", "x"), ("n", "n"), ("p", "p"), ("cl", "cl"), ("ucl", "ucl")]
        {
            assert!(same(&point[mine], &worked[theirs][i]), "{i} {mine}: {point} {worked}");
        }
        assert_eq!(point["version"], worked["version"][i], "{i}");
        let rules: Vec<&Value> = worked["sig"].as_array().into_iter().flatten().collect();
        let rules = rules.iter().filter(|signal| signal[0] == i).count();
        assert_eq!(point["rules"].as_array().map(Vec::len), Some(rules), "{i}");
    }
    assert_eq!(shown["limits"]["version"], limits.version, "the later version is not there yet");
    assert_eq!(worked["limits"]["version"], limits.version);
    assert_eq!(first["view"]["reject"]["limits"], shown["limits"]);
    assert_eq!(first["view"]["incidents"], Value::Null, "which were open is on the page of charts");
}
