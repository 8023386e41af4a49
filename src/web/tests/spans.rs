//! Spans that are asked for: batches beside shifts and days, and links that change one choice and keep the others.

use domain::line::minute::{Counted, Tally};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::units::{Reason, StationId};

use super::*;
use crate::web::fixture::kept::{self, BEGIN_US, Kept};

/// Start of a batch in the middle of an hour, and of the one that goes on, UTC milliseconds.
const FIRST_MS: i64 = (BEGIN_US + 10 * MINUTE_US) / 1_000;
const SECOND_MS: i64 = (BEGIN_US + 60 * MINUTE_US) / 1_000;
/// What the first one rejected.
const DENTED: u64 = 451;

/// How long that is, milliseconds: most of the hour and not all of it.
const LONG_MS: i64 = 40 * MINUTE_US / 1_000;

/// The morning with a short batch before the one that goes on.
fn app() -> App {
    let mut record = Kept::morning();
    let is_batch = |period: &&Rollup| period.kind == PeriodKind::Batch;
    let open = record.periods.iter().find(is_batch).expect("a batch").clone();
    let tally = |counted, count| Tally { station: StationId::new("CF01"), counted, count };
    let first = Rollup {
        name: "B0".into(),
        start_us: FIRST_MS * 1_000,
        end_us: Some((FIRST_MS + LONG_MS) * 1_000),
        closed: true,
        counts: vec![
            tally(Counted::Good, Count::exact(180_000)),
            tally(Counted::Reject(Reason::new("dented")), Count::exact(DENTED)),
        ],
        gaps: Vec::new(),
        ..open
    };
    record.periods.insert(0, first);
    kept::app(record)
}

fn path(what: &str, window: &str) -> String {
    format!("/api/v1/lines/L1/{what}?window={window}")
}

#[tokio::test]
async fn a_batch_is_a_span_by_its_start_and_by_its_id() {
    let app = app();
    for what in ["losses", "rejects", "bores"] {
        for named in ["B0".to_owned(), FIRST_MS.to_string()] {
            let span =
                get(&app, &path(what, &format!("batch:{named}"))).await.json()["window"].clone();
            assert_eq!((&span["name"], &span["batch"]), (&"B0".into(), &true.into()), "{span}");
            assert_eq!(span["from_ms"], FIRST_MS);
            assert_eq!(span["to_ms"], FIRST_MS + LONG_MS);
            assert_eq!(span["open"], false);
        }
        // One that goes on ends now; the same start of another kind of period is none.
        let open = get(&app, &path(what, "batch:B1")).await.json()["window"].clone();
        assert_eq!((&open["open"], &open["from_ms"]), (&true.into(), &SECOND_MS.into()));
        for unknown in ["batch:B9", "batch:", "batch:1", "shift:B0", "batch:-7"] {
            let refused = get(&app, &path(what, unknown)).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{what} {unknown}");
            let told = refused.json();
            assert_eq!(told["message"], "nothing is stored of that shift or batch");
            assert_eq!(told["message_zh"], "该班次或批次无记录");
        }
    }
    let shift = get(&app, &path("losses", &format!("shift:{}", kept::DAY_US / 1_000))).await.json();
    assert_eq!(
        (&shift["window"]["name"], &shift["window"]["batch"]),
        (&"day".into(), &false.into())
    );
    let odd = get(&app, &path("losses", "lot:B0")).await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
    assert!(odd.text().contains("batch:"), "{}", odd.text());
    // As of a past moment there is none that began after it.
    let past = format!("batch:B1&at={}", SECOND_MS - 300_000);
    assert_eq!(get(&app, &path("losses", &past)).await.status, StatusCode::NOT_FOUND);
}

/// Its counts are those of the batch, as its report has them, and not those of the clock hours that it touches.
#[tokio::test]
async fn rejects_of_a_batch_are_its_own_and_are_compared_with_the_batch_before() {
    let app = app();
    let rejects = get(&app, &path("rejects", "batch:B0")).await.json();
    assert_eq!(rejects["total"]["rejected"]["best"], DENTED, "{rejects}");
    let row = |i: usize| (&rejects["rows"][i]["reason"], &rejects["rows"][i]["rejected"]["best"]);
    // A reason that rejected in what it is compared with has a row too.
    assert_eq!(row(0), (&"dented".into(), &DENTED.into()), "{rejects}");
    assert_eq!(row(1), (&"unseparated".into(), &0.into()), "{rejects}");
    let ppm = rejects["total"]["ppm"].as_f64().expect("a fraction");
    let percent = rejects["fraction_percent"].as_f64().expect("a fraction");
    assert!((ppm / 1e4 - percent).abs() < 1e-9 && percent > 0.2, "{ppm} ppm, {percent} %");
    // The negative control: the hour in which it was made has others, and says that it is a whole one.
    let hour = rejects["rows"][0]["heat"][0].as_u64().expect("its hour");
    assert!(hour > 0 && hour != DENTED, "{rejects}");
    let day = get(&app, &path("rejects", "day")).await.json();
    assert_eq!((&rejects["whole_hours"], &day["whole_hours"]), (&true.into(), &false.into()));
    let sheet = get(&app, &format!("/report/batch?start={FIRST_MS}&lang=en")).await;
    assert!(sheet.text().contains(&format!(">{DENTED}<")), "{}", sheet.text());

    let next = get(&app, &path("rejects", "batch:B1")).await.json();
    assert_eq!((&next["before"]["name"], &next["before"]["batch"]), (&"B0".into(), &true.into()));
    assert_eq!(next["total"]["before"]["best"], DENTED, "{next}");
    // A batch before which there is none is compared with the same length before.
    let before = &rejects["before"];
    assert_eq!((&before["name"], &before["to_ms"]), (&"".into(), &FIRST_MS.into()));
    assert_eq!(before["from_ms"], FIRST_MS - LONG_MS);

    // A number says the same where it is explained, and leads to stops of the same span.
    let told = get(&app, &path("explain/rejected", "batch:B0")).await.json();
    assert_eq!(
        (&told["result"]["best"], &told["kind"]),
        (&(DENTED as f64).into(), &"batch".into())
    );
    let lost = get(&app, &path("explain/lost_time", "batch:B1")).await.json();
    let href = lost["rows"]["href"].as_str().expect("an address");
    assert!(href.contains(&format!("window=batch:{SECOND_MS}&")), "{href}");
    let file = get(&app, href).await;
    assert!(file.status == StatusCode::OK && file.text().contains(",internal,"), "{}", file.text());
}

#[tokio::test]
async fn the_newest_batches_are_offered_as_of_the_moment_that_is_shown() {
    let app = app();
    for page in ["/stops", "/rejects"] {
        let offered = get(&app, &format!("{page}?lang=en")).await;
        let place = |ms: i64| offered.text().find(&format!("<option value=\"batch:{ms}\">B"));
        let (first, second) = (place(FIRST_MS).expect("B0"), place(SECOND_MS).expect("B1"));
        assert!(second < first, "the newest comes first");
        let at = format!("{page}?lang=en&at={}", SECOND_MS - 300_000);
        let past = get(&app, &at).await;
        assert!(past.text().contains(&format!("batch:{FIRST_MS}")), "{page}");
        assert!(!past.text().contains(&format!("batch:{SECOND_MS}")), "{page}");
    }
}

/// The tables of a sheet as files have what the sheet has, and the sheet that is printed alone has no links.
#[tokio::test]
async fn a_report_gives_its_tables_away() {
    let app = app();
    for (kind, start) in [("batch", FIRST_MS), ("shift", kept::DAY_US / 1_000)] {
        let sheet = get(&app, &format!("/report/{kind}?start={start}&lang=en")).await;
        let href = |table: &str| {
            let link = sheet.text().split(&format!("data-csv=\"{table}\"")).nth(1).expect("a link");
            let link = link.split("href=\"").nth(1).and_then(|rest| rest.split('"').next());
            link.expect("an address").replace("&amp;", "&")
        };
        for (table, words) in
            [("stops", "inside_span_ms"), ("rejects", "fraction_ppm"), ("hours", "oee_percent")]
        {
            let file = get(&app, &href(table)).await;
            assert_eq!(file.status, StatusCode::OK, "{kind} {table}: {}", file.text());
            assert!(file.text().contains(words), "{kind} {table}: {}", file.text());
        }
        let rejects = get(&app, &href("rejects")).await;
        let has = rejects.text().contains(&format!(",{DENTED},"));
        assert_eq!(has, kind == "batch", "{}", rejects.text());
    }
}

#[tokio::test]
async fn another_language_keeps_what_is_chosen() {
    let app = app();
    let chosen = "window=week&amp;station=CF01&amp;micro=60&amp;owed=1";
    let asked = chosen.replace("&amp;", "&");
    let page = get(&app, &format!("/rejects?{asked}&lang=en")).await;
    for lang in ["en", "zh", "both"] {
        let link = format!("href=\"?line=L1&amp;{chosen}&amp;lang={lang}\" data-changes=\"lang\"");
        assert!(page.text().contains(&link), "{link} in {}", page.text());
    }
    // Steps in time keep it too.
    let at = format!("/stops?{asked}&lang=en&at={}", SECOND_MS - 300_000);
    let past = get(&app, &at).await;
    assert!(
        past.text().contains(&format!("?line=L1&amp;{chosen}&amp;lang=en&amp;at=2026-")),
        "{}",
        past.text()
    );
}
