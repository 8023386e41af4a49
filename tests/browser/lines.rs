//! Two lines of one service: what happens on one is seen on the pages of the other.

use serde_json::json;

use crate::site::Site;
use crate::{CORES, IN_TIME, LIVE, SOON, UNKNOWN, shot};

/// The link to a line in the bar.
fn link(line: &str) -> String {
    format!("document.querySelector('.bar .lines a[data-of={line}]')")
}

/// Shows: SCR-09, SCR-01
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_and_an_unknown_state_of_another_line_are_seen_and_nothing_of_it_is_shown_once_lost()
{
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let site = Site::lines().await;
    let second = site.second.as_ref().expect("there are two lines");
    browser.resize((1_280, 800)).await;
    browser.open(&format!("{}/stops?line=L1&lang=en&theme=light", site.origin)).await;
    let (first, other) = (link("L1"), link("L2"));
    let known =
        |of: &str| format!("{of}.dataset.told === 'true' && {of}.dataset.state !== 'unknown'");
    browser.until(&format!("{LIVE} && {} && {}", known(&first), known(&other)), IN_TIME).await;
    assert_eq!(browser.value(&format!("{other}.textContent.includes('▲')")).await, json!(false));
    let size = format!(
        "(() => {{ const box = {other}.getBoundingClientRect(); return Math.min(box.width, box.height); }})()"
    );
    let size = browser.value(&size).await.as_f64().unwrap_or_default();
    assert!(size >= 44.0, "{size} px");

    // A call on L2 is seen on this page of L1, and marks L1 by nothing.
    browser
        .run(
            "fetch('/api/v1/lines/L2/calls', { method: 'POST', headers: { 'content-type': 'application/json' },
             body: JSON.stringify({ need: 'machine' }) })",
        )
        .await;
    for holds in [
        format!("{other}.textContent.includes('▲ 1')"),
        format!("{other}.getAttribute('aria-label').includes('nobody has taken: 1')"),
        format!("!{first}.textContent.includes('▲')"),
    ] {
        browser.until(&holds, SOON).await;
    }
    shot(&browser, "lines-call-en").await;

    // The machine of L2 falls silent: L2 is unknown, L1 is not.
    second.faults().change(|faults| faults.modbus.mute = true);
    let unknown = |of: &str| {
        format!("{of}.dataset.state === 'unknown' && {of}.textContent.includes('UNKNOWN')")
    };
    browser.until(&unknown(&other), SOON).await;
    browser.until(&known(&first), SOON).await;
    assert_eq!(browser.value(&format!("{other}.dataset.told")).await, json!("true"));
    shot(&browser, "lines-unknown-en").await;
    second.faults().change(|faults| faults.modbus.mute = false);
    browser.until(&known(&other), IN_TIME).await;

    assert_eq!(browser.complaints().await, Vec::<String>::new());

    // The service freezes: nothing of any line is shown as if it still were so.
    site.freeze();
    for of in [&first, &other] {
        browser.until(&format!("{} && {of}.dataset.told === 'false'", unknown(of)), SOON).await;
        browser.until(&format!("!/[▲●]/.test({of}.textContent)"), SOON).await;
    }
    shot(&browser, "lines-lost-en").await;
    site.thaw();
    let back =
        format!("{} && {} && {other}.textContent.includes('▲ 1')", known(&first), known(&other));
    browser.until(&back, IN_TIME).await;

    // The way to the other line leads to it.
    browser.click(".bar .lines a[data-of=L2]").await;
    let arrived = "document.body.dataset.line === 'L2'";
    browser.until(&format!("{arrived} && {LIVE}"), SOON).await;
    browser.open(&format!("{}/?line=L2&lang=en", site.origin)).await;
    browser.until(&format!("{arrived} && {LIVE} && !({UNKNOWN})"), IN_TIME).await;
}
