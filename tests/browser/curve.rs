//! The curve of the shift on the overview: chosen in the head of the chart, remembered, read with keys and as a table.

use fantoccini::key::Key;
use serde_json::json;

use crate::demo::Demo;
use crate::{CORES, DRAWN, IN_TIME, LIVE, SOON, shot};

/// Height of the card of the chart.
const HEIGHT: &str = "document.getElementById('trend-card').getBoundingClientRect().height";
const CURVE: &str = "document.querySelectorAll('#trend svg .trace').length === 1 && \
                     document.getElementById('trend').getAttribute('aria-label').startsWith('Output since ')";

/// The service's own answer, so that what is shown can be held against it.
const TOLD: &str = "(fetch('/api/v1/lines/L1/curve?window=shift').then((answer) => answer.json()).then((told) => { window.told = told; }), true)";

#[tokio::test]
async fn the_shift_is_a_curve_against_its_target_and_the_last_hour_comes_back() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    for (size, lang) in [((1_920, 1_080), "both"), ((1_280, 800), "en"), ((810, 1_080), "zh")] {
        browser.resize(size).await;
        browser.open(&format!("{}/?lang={lang}&theme=light", demo.origin)).await;
        browser.until(&format!("{LIVE} && {DRAWN}"), IN_TIME).await;
        let height = browser.value(HEIGHT).await.as_f64().unwrap_or_default();
        browser.click("#trend-of [data-span='shift']").await;
        browser.until("document.querySelectorAll('#trend svg .trace').length === 1 && document.querySelector('#trend-title [data-of=hour]').hidden", SOON).await;
        let shift = browser.value(HEIGHT).await.as_f64().unwrap_or(f64::MAX);
        assert!(shift <= height + 1.0, "{lang}: {shift} after {height} px");
        shot(&browser, &format!("curve-{lang}")).await;
    }
    browser.resize((1_280, 800)).await;
    // Remembered in the address: a page that is loaded again shows the same.
    browser.open(&format!("{}/?lang=en&theme=light&trend=shift", demo.origin)).await;
    browser.until(&format!("{LIVE} && {CURVE}"), IN_TIME).await;
    let pressed = "document.querySelector('#trend-of [aria-pressed=true]').dataset.span";
    assert_eq!(browser.text(pressed).await, "shift");
    let title = browser.text("document.getElementById('trend-title').innerText").await;
    assert!(title.contains("Output of the shift") && !title.contains("per minute"), "{title}");

    // Its points are sums: none is below the one before, in the answer and on the screen.
    browser.value(TOLD).await;
    browser.until("window.told !== undefined", SOON).await;
    for holds in [
        "window.told.at_ms.length > 2",
        "window.told.best.every((n, i, all) => i === 0 || n >= all[i - 1])",
        "window.told.best.every((n, i) => window.told.low[i] <= n && n <= window.told.high[i])",
        "window.told.target.every((n, i, all) => i === 0 || n >= all[i - 1])",
        "window.told.target_end >= window.told.target.at(-1)",
    ] {
        assert_eq!(browser.value(holds).await, json!(true), "{holds}");
    }
    let last = "document.getElementById('trend-readout').textContent";
    assert!(browser.text(last).await.contains("target"), "the newest point stands there");
    browser.run("document.getElementById('trend').focus()").await;
    browser.press(Key::Home).await;
    let first = browser.text(last).await;
    assert!(first.contains(": 0 capsules, target 0"), "the shift begins with nothing: {first}");
    browser.press(Key::End).await;
    assert_ne!(browser.text(last).await, first);
    browser.click("#trend-card .toggle").await;
    let rows = "document.querySelectorAll('#trend-rows tbody tr').length";
    browser.until(&format!("{rows} > 2"), SOON).await;
    browser.click("#trend-card .toggle").await;

    // The last hour again, which is no sum.
    browser.click("#trend-of [data-span='hour']").await;
    browser.until("document.getElementById('trend').getAttribute('aria-label').startsWith('Output per minute')", SOON).await;
    assert_eq!(
        browser.value("new URLSearchParams(location.search).get('trend')").await,
        json!("hour")
    );
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    // A service that is frozen: the gap grows at the end of the curve as well.
    browser.click("#trend-of [data-span='shift']").await;
    browser.until(CURVE, SOON).await;
    let hatched = "document.querySelectorAll('#trend .hatched').length";
    let before = browser.value(hatched).await;
    demo.freeze();
    browser
        .until(&format!("document.body.dataset.link === 'lost' && {hatched} > {before}"), IN_TIME)
        .await;
    shot(&browser, "curve-lost-en").await;
    demo.thaw();
    browser.until(LIVE, SOON).await;
}
