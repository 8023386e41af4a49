//! Courses of tags, last readings, clocks of devices, and tables that leave as files.

use domain::line::minute::{Counted, Tally};
use domain::line::second::{SecondTally, Seconds, Spell};
use domain::line::state::TimeClass;
use domain::units::{Reason, StationId};

use super::fixture::kept::{self, BEGIN_US, GAP, HELD, Kept, NOW_US};
use super::*;

const GOOD: &str = "CF01.Admin.ProdProcessedCount%5B0%5D.AccCount";

fn at_ms(minute: i64) -> i64 {
    (BEGIN_US + minute * MINUTE_US) / 1_000
}

async fn trends(tags: &str, span: (i64, i64)) -> Answer {
    let app = kept::app(Kept::morning());
    let (from, to) = (at_ms(span.0), at_ms(span.1));
    get(&app, &format!("/api/v1/lines/L1/trends?tags={tags}&from={from}&to={to}&step=60")).await
}

#[tokio::test]
async fn a_course_is_a_rate_of_counters_and_a_value_of_measures_and_tells_where_it_was_not_read() {
    let answer = trends(&format!("{GOOD},CF01.Vacuum"), (60, 110)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let view = answer.json();
    assert_eq!((&view["step_ms"], &view["from_ms"]), (&60_000.into(), &at_ms(60).into()));
    let [good, vacuum] = [&view["tags"][0], &view["tags"][1]];
    assert_eq!((&good["kind"], &vacuum["kind"]), (&"rate".into(), &"value".into()));
    assert_eq!(vacuum["unit"], "kPa");
    for tag in [good, vacuum] {
        assert_eq!((&tag["kept"], tag["start_ms"].as_array().unwrap().len()), (&true.into(), 50));
        // The fixture reads once a second: of the last one nothing is known yet.
        let gaps = [[at_ms(GAP.start) - 1_000, at_ms(GAP.end)], [at_ms(110) - 1_000, at_ms(110)]];
        assert_eq!(tag["gaps_ms"], serde_json::json!(gaps), "{}", tag["tag"]);
        let first = (GAP.start - 60) as usize;
        for i in 0..50 {
            let unread = (first..first + 3).contains(&i);
            assert_eq!(tag["best"][i] == Value::Null, unread, "{} {i}", tag["tag"]);
            assert_eq!(tag["known_percent"][i] == 0.0, unread, "{} {i}", tag["tag"]);
        }
    }
    // A minute in which the machine stood was read, and it made nothing.
    let held = (HELD.start - 60) as usize;
    assert_eq!((&good["best"][held], &good["known_percent"][held]), (&0.0.into(), &100.0.into()));
    // The ledger has 6,400 and a little for that minute, all of which was read.
    let minute = 6_400.0 + (65.0 * 37.0) % 90.0;
    assert_eq!(good["best"][5], minute);
    // The fixture reads the second of the minute; scale and offset are those of the map.
    let [low, best, high] = ["low", "best", "high"].map(|of| vacuum[of][5].as_f64().unwrap());
    assert!(low < best && best < high, "{low} {best} {high}");
}

/// What is counted at this moment is in the record a little later; until then it is not nothing.
#[tokio::test]
async fn the_course_of_a_counter_does_not_fall_at_its_end() {
    let ends = async |told_s: u8| {
        let mut record = Kept::morning();
        let minute = record.minutes.last().expect("the one that goes on").start_us;
        record.seconds = vec![Seconds {
            start_us: minute,
            rev: 0,
            closed: false,
            spells: vec![Spell {
                offset_us: 0,
                us: i64::from(told_s) * SECOND_US,
                class: TimeClass::Run,
            }],
            tallies: vec![SecondTally {
                station: StationId::new("CF01"),
                counted: Counted::Good,
                counts: (0..told_s).map(|second| (second, Count::exact(100))).collect(),
            }],
        }];
        let (from, to) = (minute / 1_000, NOW_US / 1_000);
        let path = format!("/api/v1/lines/L1/trends?tags={GOOD}&from={from}&to={to}&step=10");
        get(&kept::app(record), &path).await.json()["tags"][0]["best"].clone()
    };
    // The last reading is of a second before the end.
    assert_eq!(ends(29).await, serde_json::json!([6_000.0, 6_000.0, 6_000.0]));
    // Most of the last ten seconds is told: that is a rate, of the time that is told.
    assert_eq!(ends(27).await, serde_json::json!([6_000.0, 6_000.0, 6_000.0]));
    assert_eq!(ends(22).await, serde_json::json!([6_000.0, 6_000.0, null]));
}

#[tokio::test]
async fn a_course_is_a_table_with_both_clocks_too() {
    let app = kept::app(Kept::morning());
    let (from, to) = (at_ms(60), at_ms(75));
    let path =
        format!("/api/v1/lines/L1/trends?tags={GOOD}&from={from}&to={to}&step=60&format=csv");
    let answer = get(&app, &path).await;
    let text = answer.text().strip_prefix('\u{feff}').expect("a mark").to_owned();
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 16);
    assert_eq!(lines[0], "utc,local,step_ms,station,tag,kind,unit,best,low,high,coverage_percent");
    let begin = "2026-11-24T07:00:00Z,2026-11-24T15:00:00+08:00,60000,CF01,";
    assert!(lines[1].starts_with(begin), "{}", lines[1]);
    assert!(lines[11].ends_with(",rate,1/min,,,,0"), "not read: {}", lines[11]);
}

#[tokio::test]
async fn what_cannot_be_drawn_is_refused_with_what_can() {
    let several = "CF01.Vacuum,CF01.MotorCurrent,CF01.RoomTemp";
    assert_eq!(trends(several, (0, 10)).await.status, StatusCode::OK);
    for (tags, span, words) in [
        (format!("{several},CF01.RoomRH"), (0, 10), "4 tags are too many; 3 can be compared"),
        ("CF01.Status.StateCurrent".to_owned(), (0, 10), "there is no tag"),
        ("nothing".to_owned(), (0, 10), "CF01.Vacuum"),
        (String::new(), (0, 10), "there is no tag"),
        (several.to_owned(), (0, 8 * 60 + 1), "8 hours at most"),
        (several.to_owned(), (-40 * 24 * 60, 0), "8 hours at most"),
        (several.to_owned(), (5, 5), "from does not lie before to"),
        ("x".repeat(4_000), (0, 10), "there is no tag"),
        (format!("CF01.Vacuum&{}x=1", "tags=CF01.Vacuum&".repeat(500)), (0, 10), "duplicate field"),
    ] {
        let refused = trends(&tags, span).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{tags}");
        let view = refused.json();
        assert!(view["message"].as_str().unwrap().contains(words), "{tags}: {view}");
        let is_own = words.contains("too many") || words.contains("8 hours");
        assert!(!is_own || view["message_zh"].as_str().unwrap().contains("最"), "{view}");
    }
    // Each once, however often it is named.
    let twice = trends("CF01.Vacuum,CF01.Vacuum", (0, 10)).await.json();
    assert_eq!(twice["tags"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn every_tag_says_what_was_read_last_and_why_it_is_not_to_be_trusted() {
    let (clock, memory) = (kept::clock(), Arc::new(fixture::Memory::default()));
    let record = Arc::new(Kept::morning());
    let (app, sender) = fixture::app_of(kept::line(), clock, record, memory, true);
    let data = async |case: Case| {
        sender.send_replace(Some(Arc::new(fixture::status(clock.now(), case))));
        get(&app, "/api/v1/lines/L1/data").await.json()
    };
    let running = data(Case::Running).await;
    let doubt = |view: &Value, i: usize| view["tags"][i]["doubt"].as_str().unwrap().to_owned();
    assert_eq!([0, 1, 2].map(|i| doubt(&running, i)), ["", "bad", "never"]);
    let [first, second] = [&running["tags"][0], &running["tags"][1]];
    assert_eq!((&first["read"]["value"], &first["read"]["quality"]), (&7.0.into(), &"good".into()));
    assert_eq!(
        (&second["read"]["value"], &second["read"]["quality"]),
        (&Value::Null, &"bad".into())
    );
    assert!(first["period_ms"].as_f64().unwrap() > 0.0);
    assert!(first["map"].as_str().unwrap().starts_with("plc-maps/cf01-modbus.toml:"));
    // The negative control: nothing of a device that is not heard is good.
    let offline = data(Case::Offline).await;
    assert!((0..3).all(|i| doubt(&offline, i) == "offline"), "{offline}");
    assert_eq!(
        running["config_sha256"].as_str().map(str::len),
        offline["config_sha256"].as_str().map(str::len)
    );

    // One device tells a time, and its clock is a quarter of a second behind.
    let clocks = running["clocks"].as_array().expect("clocks");
    let of = |id: &str| clocks.iter().find(|clock| clock["station"] == id).expect("a clock");
    assert_eq!(
        (&of("BC05")["ahead_ms"], &of("BC05")["verdict"]),
        (&(-250).into(), &"close".into())
    );
    assert_eq!((&of("CF01")["ahead_ms"], &of("CF01")["verdict"]), (&Value::Null, &"none".into()));
}

/// Each table that leaves as a file: where it is, the beginning of the file's name, and words of its head.
fn tables() -> Vec<(String, &'static str, &'static str)> {
    let line = "/api/v1/lines/L1";
    let chart = format!("{line}/charts/reject_fraction");
    let hour = format!("from={}&to={}", at_ms(0), NOW_US / 1_000);
    vec![
        (format!("{line}/data?table=tags"), "L1_tags", "read_utc,read_local,age_ms"),
        (format!("{line}/data?table=polls"), "L1_polls", "late_p99_ms"),
        (format!("{line}/data?table=ledger"), "L1_ledger", "at_utc,at_local"),
        (format!("{line}/data?table=balance"), "L1_balance", "went_in_low_capsules"),
        (format!("{line}/data?table=clocks"), "L1_clocks", "ahead_ms"),
        (format!("{line}/tags?table=tags"), "L1_tags", "read_utc,read_local"),
        (format!("{line}/losses?window=day&table=stops"), "L1_stops", "start_utc,start_local"),
        (format!("{line}/losses?window=day&table=losses"), "L1_losses", "lost_ms"),
        (format!("{line}/losses?window=day&table=waterfall"), "L1_waterfall", "time_ms"),
        (format!("{line}/losses?window=day&table=micro_stops"), "L1_micro_stops", "micro_ms"),
        (format!("{line}/rejects?window=day&table=rejects"), "L1_rejects", "fraction_ppm"),
        (format!("{line}/rejects?window=day&table=hours"), "L1_hours", "hour_utc,hour_local"),
        (format!("{line}/bores?window=day"), "L1_bores", "station,bore,weights,mean_mg"),
        (format!("{line}/hours?{hour}"), "L1_hours", "start_utc,start_local"),
        (format!("{line}/shifts?{hour}"), "L1_shifts", "good_capsules,good_low_capsules"),
        (format!("{line}/batches?{hour}"), "L1_batches", "balance_low_percent"),
        (format!("{line}/calls?{hour}"), "L1_calls", "opened_utc,opened_local"),
        (format!("{chart}?table=chart"), "L1_reject_fraction_chart", "value_percent,lcl_percent"),
        (format!("{chart}?table=weights"), "L1_reject_fraction_weights", "from_mg,to_mg,weights"),
        (format!("{chart}?table=incidents"), "L1_reject_fraction_incidents", "opened_utc"),
        (format!("{chart}?table=limits"), "L1_reject_fraction_limits", "decided_by,decided_utc"),
        (format!("{chart}?table=lengths"), "L1_reject_fraction_lengths", "subgroup_minutes"),
        (
            "/api/v1/sim?table=injections".to_owned(),
            "L1_seed42_x1_injections",
            "noticed_utc,noticed_local",
        ),
        (
            "/api/v1/sim?table=false_alarms".to_owned(),
            "L1_seed42_x1_false_alarms",
            "at_utc,at_local,kind",
        ),
        ("/api/v1/sim?table=signs".to_owned(), "L1_seed42_x1_signs", "delay_p50_ms"),
        ("/api/v1/sim?table=truth".to_owned(), "L1_seed42_x1_truth", "truth_least_capsules"),
        ("/api/v1/alerts?table=alerts".to_owned(), "capline_alerts", "opened_utc,opened_local"),
        ("/api/v1/alerts?table=deliveries".to_owned(), "capline_deliveries", "at_utc,at_local"),
        ("/api/v1/displays?table=displays".to_owned(), "capline_displays", "painted_ago_ms"),
    ]
}

/// The head of each table and its first row, as far as names go: a column without its unit is seen here.
#[tokio::test]
async fn every_table_of_the_screens_is_a_file_with_units_and_both_clocks() {
    let app = kept::app(Kept::morning());
    let line = "/api/v1/lines/L1";
    for (path, file, words) in &tables() {
        let answer = get(&app, &format!("{path}&format=csv")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        assert_eq!(answer.header(header::CONTENT_TYPE), "text/csv; charset=utf-8", "{path}");
        let name = answer.header(header::CONTENT_DISPOSITION);
        assert!(name.contains(&format!("filename=\"{file}_")), "{path}: {name}");
        let text = answer.text().strip_prefix('\u{feff}').expect("a mark");
        assert!(text.split("\r\n").next().unwrap().contains(words), "{path}: {text}");
    }
    // Rows, not only heads: what the screen shows of the same answer.
    let stops = get(&app, &format!("{line}/losses?window=day&format=csv")).await;
    let json = get(&app, &format!("{line}/losses?window=day")).await.json();
    let rows = json["stops"].as_array().expect("stops").len();
    assert_eq!(stops.text().trim_end().split("\r\n").count(), rows + 1);
    assert!(rows >= 2 && stops.text().contains(",internal,"), "{}", stops.text());
    // A table that is not there is refused with those that are.
    let refused = get(&app, &format!("{line}/losses?format=csv&table=gold")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.json()["message"].as_str().unwrap().contains("stops, losses, waterfall"));
}

/// What people and machines name begins with what a spreadsheet takes for a formula, and has breaks and quotes in it.
#[tokio::test]
async fn no_name_becomes_a_formula_or_another_row_in_any_table() {
    const NAMES: [&str; 4] = ["=1+\"1\"", "@SUM(A1)", "+cmd|' /C calc'!A0\r\n\"x\",y", "\t-1-1"];
    let mut record = Kept::morning();
    let [batch, reason, detail, word] = NAMES;
    let rename = |tally: &mut Tally| {
        if tally.counted.is_reject() {
            tally.counted = Counted::Reject(Reason::new(reason));
        }
    };
    record.minutes.iter_mut().flat_map(|minute| &mut minute.tallies).for_each(rename);
    for period in &mut record.periods {
        period.name = batch.into();
        period.counts.iter_mut().for_each(rename);
    }
    for event in &mut record.events {
        (event.detail, event.word) = (detail.to_owned(), word.to_owned());
    }
    let app = kept::app(record);
    let mut guarded = Vec::new();
    for (path, ..) in tables() {
        let answer = get(&app, &format!("{path}&format=csv")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        let text = answer.text().strip_prefix('\u{feff}').expect("a mark");
        // A row that is longer or shorter than the head is an error of the reader.
        for row in csv::Reader::from_reader(text.as_bytes()).records() {
            for field in &row.unwrap_or_else(|error| panic!("{path}: {error}")) {
                let is_formula = field
                    .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n']);
                assert!(!is_formula || field.parse::<f64>().is_ok(), "{path}: {field:?}");
                guarded.extend(field.strip_prefix('\'').map(str::to_owned));
            }
        }
    }
    // The negative control: each of the names came as far as a table.
    for name in NAMES {
        assert!(guarded.iter().any(|found| found == name), "{name:?} in {guarded:?}");
    }
}
