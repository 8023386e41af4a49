//! The time machine: pages as of a past moment, which stand still and say so.

use std::time::Duration;

use serde_json::Value;

use crate::browser::Browser;
use crate::demo::Demo;
use crate::{CORES, CUT, LIVE, SOON, shot};

const REPLAYED: &str = "document.body.dataset.link === 'replay' && document.getElementById('replay').checkVisibility()";

/// Keeps what a question to the service is answered in `window[name]`.
async fn ask(browser: &Browser, name: &str, path: &str) {
    let fetch = format!(
        "(fetch('{path}').then((r) => r.json()).then((j) => {{ window.{name} = j; }}), true)"
    );
    browser.value(&fetch).await;
    browser.until(&format!("window.{name} !== undefined"), SOON).await;
}

/// Shows: SCR-06
#[tokio::test]
async fn the_past_is_shown_as_the_ledger_has_it_and_stands_still() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.resize((1_280, 800)).await;
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    ask(&browser, "now", "/api/v1/lines/L1/snapshot").await;
    let now = browser.value("window.now.at_ms").await.as_i64().unwrap_or_default();
    let at = (now - 40 * 60_000).div_euclid(60_000) * 60_000;

    // From the live page one press leads back.
    browser.click("#rewind").await;
    browser.until(REPLAYED, SOON).await;
    browser.open(&format!("{}/?lang=en&theme=light&at={at}", demo.origin)).await;
    browser.until(REPLAYED, SOON).await;
    browser.until("document.getElementById('good').dataset.value !== ''", SOON).await;
    assert_eq!(browser.text("document.getElementById('link-word').textContent").await, "REPLAY");
    let first = browser.text("document.body.innerText").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(browser.text("document.body.innerText").await, first, "nothing moves");
    let asked = browser.value("performance.getEntriesByType('resource').map((e) => e.name)").await;
    assert!(!asked.to_string().contains("/events?"), "{asked}");
    // The count is that of the minutes of the shift until then, and of its gaps.
    let start = browser
        .value("JSON.parse(document.getElementById('first').textContent).view.shift.start_ms")
        .await;
    ask(&browser, "minutes", &format!("/api/v1/lines/L1/minutes?from={start}&to={at}")).await;
    ask(&browser, "gaps", &format!("/api/v1/lines/L1/events?kind=count&from={start}&to={at}"))
        .await;
    let ledger = "window.minutes.reduce((sum, m) => sum + m.good.best, 0) + window.gaps\
        .filter((e) => e.from_ms !== undefined && e.station === 'CF01' && /ProdProcessedCount/.test(e.tag))\
        .reduce((sum, e) => sum + e.count.best, 0)";
    let good = browser.value("Number(document.getElementById('good').dataset.value)").await;
    assert_eq!(browser.value(ledger).await, good);
    assert_ne!(good, 0);
    shot(&browser, "replay-overview-wide-light-en").await;
    let moment = "document.querySelector('#replay time').getAttribute('datetime')";
    let before = browser.text(moment).await;
    browser.click("#replay nav a:nth-child(3)").await;
    browser.until(&format!("{REPLAYED} && {moment} !== '{before}'"), SOON).await;
    browser.click("#live").await;
    browser.until(&format!("{LIVE} && document.getElementById('replay') === null"), SOON).await;

    // The stops of that moment, in the other language and colours, on a tablet.
    browser.resize((810, 1_080)).await;
    for (path, ready, name) in [
        ("/stops?window=day&", "document.getElementById('lost-time').textContent !== '–'", "stops"),
        (
            "/rejects?window=day&",
            "document.querySelectorAll('#heat tbody tr').length > 0",
            "rejects",
        ),
        ("/?", "document.getElementById('good').dataset.value !== ''", "overview"),
    ] {
        browser.open(&format!("{}{path}lang=zh&theme=dark&at={at}", demo.origin)).await;
        browser.until(&format!("{REPLAYED} && {ready}"), SOON).await;
        let text = browser.text("document.body.innerText").await;
        assert!(text.contains("回放") && text.contains("返回实时"), "{text}");
        shot(&browser, &format!("replay-{name}-tablet-dark-zh")).await;
        let cut = browser.value(CUT).await;
        assert_eq!(cut.as_array().map(Vec::len), Some(0), "{name}: {cut}");
        // A number of the past says how it was made then.
        browser.run("document.querySelector('main [data-explain]').click()").await;
        let shown = "document.getElementById('explanation')?.dataset.state === 'shown'";
        browser.until(shown, SOON).await;
        shot(&browser, &format!("replay-{name}-explained-tablet-dark-zh")).await;
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    // A moment that cannot be shown is said, with the way out.
    browser.open(&format!("{}/?lang=zh&at=soon", demo.origin)).await;
    browser.until("document.body.innerText.includes('不是可识别的时刻')", SOON).await;
    shot(&browser, "replay-refused-tablet-dark-zh").await;
    browser.click("#live").await;
    browser.until(LIVE, SOON).await;
    assert_eq!(
        browser.value("document.getElementById('replay') === null").await,
        Value::Bool(true)
    );
}
