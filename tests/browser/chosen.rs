//! What is chosen on a page stays: in another language, after a reload, and for who opens its address.

use serde_json::json;

use crate::browser::Browser;
use crate::demo::Demo;
use crate::shown::looked_at;
use crate::{CORES, LIVE, SOON};

/// Makes one stop of the answer one that nobody has given a reason.
const OWED: &str = "const real = window.fetch; window.fetch = async (...asked) => { \
    const answer = await real(...asked); \
    if (!String(asked[0]).includes('/losses?')) return answer; \
    const body = await answer.json(); \
    Object.assign(body.stops[1], { cause: 'unknown', reason: '', title: null }); \
    window.owedStop = body.stops[1].id; \
    return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } }); };";

const SPAN: &str = "document.querySelector('#window [aria-pressed=true]')?.dataset.window ?? ''";
const LISTED: &str = "document.querySelectorAll('#stops [data-stop]').length";

/// Chooses of a list as a person does.
async fn choose(browser: &Browser, list: &str, value: &str) {
    let choose = format!(
        "const of = document.getElementById('{list}'); of.value = {value}; of.dispatchEvent(new Event('change', {{ bubbles: true }}))"
    );
    browser.run(&choose).await;
}

async fn lang(browser: &Browser, word: &str) {
    browser.until(&format!("document.body.dataset.lang === '{word}' && {LIVE}"), SOON).await;
}

#[tokio::test]
async fn another_language_keeps_span_station_and_ranking() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    // Choices that are made after the page was loaded, which its links cannot know of.
    browser.open(&format!("{}/rejects?lang=en&theme=light", demo.origin)).await;
    let station = "document.getElementById('station').value";
    let offered = "document.querySelectorAll('#station option').length > 1";
    browser.until(&format!("{LIVE} && {offered}"), SOON).await;
    browser.click("#window [data-window='week']").await;
    choose(&browser, "station", "'CW04'").await;
    browser.click(".choices a[href*='lang=zh']").await;
    lang(&browser, "zh").await;
    browser.until(&format!("{station} === 'CW04'"), SOON).await;
    assert_eq!(browser.text(SPAN).await, "week");
    // By key as well, and colours that the address asked for are those chosen since.
    browser.click("#theme").await;
    browser.until("location.search.includes('theme=dark')", SOON).await;
    browser.press('l').await;
    lang(&browser, "both").await;
    browser.until(&format!("{station} === 'CW04'"), SOON).await;
    assert_eq!(browser.text(SPAN).await, "week");
    assert_eq!(browser.text("document.documentElement.dataset.theme").await, "dark");

    browser.open(&format!("{}/stops?lang=en", demo.origin)).await;
    browser.until(&format!("{LIVE} && {LISTED} > 0"), SOON).await;
    browser.click("#window [data-window='day']").await;
    browser.click("#rank [data-by='station']").await;
    choose(&browser, "micro", "'60'").await;
    browser.click(".choices a[href*='lang=zh']").await;
    lang(&browser, "zh").await;
    let kept = "[document.querySelector('#rank [aria-pressed=true]').dataset.by, document.getElementById('micro').value]";
    assert_eq!(browser.value(kept).await, json!(["station", "60"]));
    assert_eq!(browser.text(SPAN).await, "day");
    // The past of the same choices, and back.
    browser.click("#rewind").await;
    browser
        .until(&format!("document.body.dataset.link === 'replay' && ({SPAN}) === 'day'"), SOON)
        .await;
    browser.click("#live").await;
    browser.until(LIVE, SOON).await;
    assert_eq!(browser.value(kept).await, json!(["station", "60"]));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn stops_without_a_reason_can_be_listed_alone() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser(OWED).await else { return };
    let demo = Demo::start();
    browser.resize((1_920, 1_080)).await;
    browser.open(&format!("{}/stops?window=day&lang=en", demo.origin)).await;
    browser.until(&format!("{LIVE} && {LISTED} > 2"), SOON).await;
    browser.click("#owed").await;
    let alone = format!(
        "{LISTED} === 1 && document.querySelector('#stops [data-stop]').dataset.stop === window.owedStop"
    );
    browser.until(&alone, SOON).await;
    let note = browser.text("document.getElementById('stops-note').textContent").await;
    assert!(note.starts_with("1 of "), "{note}");
    assert!(browser.text("location.search").await.contains("owed=1"));
    looked_at(&browser, None, "stops-owed-wide-en").await;
    // The address brings it back, and a second press shows all again.
    browser.open(&browser.text("location.href").await).await;
    browser.until(&format!("{LIVE} && {alone}"), SOON).await;
    browser.click("#owed").await;
    browser.until(&format!("{LISTED} > 2"), SOON).await;
    assert!(!browser.text("location.search").await.contains("owed"));
    assert_eq!(browser.text("document.getElementById('stops-note').textContent").await, "");
}

#[tokio::test]
async fn a_batch_can_be_chosen_as_span_and_an_unknown_one_is_refused_in_words() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    for page in ["stops", "rejects"] {
        browser.resize((1_920, 1_080)).await;
        browser.open(&format!("{}/{page}?lang=en", demo.origin)).await;
        browser
            .until(
                &format!("{LIVE} && document.getElementById('batches').options.length > 1"),
                SOON,
            )
            .await;
        choose(&browser, "batches", "of.options[1].value").await;
        let told = "document.getElementById('span').textContent.startsWith('batch ')";
        browser.until(told, SOON).await;
        assert_eq!(browser.text(SPAN).await, "");
        assert!(browser.text("location.search").await.contains("window=batch:"));
        for size in [(1_920, 1_080), (1_280, 800), (810, 1_080)] {
            browser.resize(size).await;
            looked_at(&browser, None, &format!("{page}-batch-{}-en", size.0)).await;
        }
        browser.open(&browser.text("location.href").await).await;
        browser.until(&format!("{LIVE} && {told}"), SOON).await;
        // A number of it is explained as one of the batch.
        browser.run("document.querySelector('main .tiles [data-explain]').click()").await;
        browser
            .until("document.getElementById('explanation')?.dataset.state === 'shown'", SOON)
            .await;
        browser.press(fantoccini::key::Key::Escape).await;
        // Another span takes its place.
        browser.click("#window [data-window='day']").await;
        browser.until(&format!("!({told})"), SOON).await;
        assert_eq!(browser.text("document.getElementById('batches').value").await, "");
        assert_eq!(browser.complaints().await, Vec::<String>::new());

        for (lang, words) in
            [("zh", "该班次或批次无记录"), ("en", "nothing is stored of that shift or batch")]
        {
            browser.open(&format!("{}/{page}?window=batch:NOPE&lang={lang}", demo.origin)).await;
            let refused = format!(
                "document.getElementById('trouble').checkVisibility() && document.getElementById('trouble').textContent.includes('{words}')"
            );
            browser.until(&refused, SOON).await;
            assert_eq!(
                browser.text("document.getElementById('batches').value").await,
                "batch:NOPE"
            );
        }
        // A refusal is told in the console of a browser, too.
        browser.complaints().await;
    }
}

/// A rise of short stops is seen hour by hour, in figures and in a table.
#[tokio::test]
async fn micro_stops_are_drawn_hour_by_hour() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.resize((1_280, 800)).await;
    browser.open(&format!("{}/stops?window=day&lang=zh", demo.origin)).await;
    let drawn = "document.querySelectorAll('#micro-hours svg rect').length > 0";
    browser.until(&format!("{LIVE} && {drawn}"), SOON).await;
    let summary =
        browser.text("document.getElementById('micro-hours').getAttribute('aria-label')").await;
    assert!(summary.contains("短停") && summary.contains("小时"), "{summary}");
    browser.click("#micro-hours-card .toggle").await;
    // A day touches 24 clock hours, or 25 where it does not begin with one.
    let rows = "document.querySelectorAll('#micro-hours-rows tbody tr').length";
    browser.until(&format!("{rows} >= 24 && {rows} <= 25"), SOON).await;
}
