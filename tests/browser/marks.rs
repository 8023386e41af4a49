//! Marks of the overview, the wall and the page of a line: counts that contradict each other, and the way from a stop to its
//! reason.

use fantoccini::key::Key;
use serde_json::json;

use crate::demo::Demo;
use crate::{CORES, CUT, DRAWN, IN_TIME, LIVE, SOON, shot};

/// With `?unbalanced` the views that come say that the counts of the shift do not balance at two places.
const UNBALANCED: &str = "
    if (new URLSearchParams(location.search).has('unbalanced')) {
      const parse = JSON.parse;
      JSON.parse = (...given) => {
        const told = parse(...given);
        for (const view of [told, told?.view]) {
          if (view?.shift?.time_ms) view.shift.unbalanced = [['CF01'], ['CF01', 'CW04']];
        }
        return told;
      };
    }";

/// Where the mark is seen: the numbers of the figures beside whose titles it stands.
const MARKED: &str = "[...document.querySelectorAll('.unbalanced')].filter((mark) => mark.getClientRects().length > 0)
    .map((mark) => mark.closest('.tile').querySelector('[data-value]').id).sort().join()";

#[tokio::test]
async fn figures_of_counts_that_do_not_balance_are_marked_and_no_others() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser(UNBALANCED).await else { return };
    let demo = Demo::start();
    browser.resize((1_920, 1_080)).await;
    for path in ["/?lang=both", "/wall?lang=both"] {
        // The control first: of counts that balance nothing is said.
        browser.open(&format!("{}{path}", demo.origin)).await;
        browser.until(&format!("{LIVE} && {DRAWN}"), IN_TIME).await;
        assert_eq!(browser.text(MARKED).await, "", "{path}");
        browser.open(&format!("{}{path}&unbalanced=1", demo.origin)).await;
        browser
            .until(&format!("{LIVE} && {DRAWN} && {MARKED} === 'good,oee,reject'"), IN_TIME)
            .await;
        let told = browser.text("document.querySelector('.unbalanced').title").await;
        assert!(told.contains("CF01, CF01 → CW04") && told.contains("do not balance"), "{told}");
        shot(&browser, if path.starts_with("/wall") { "unbalanced-wall" } else { "unbalanced" })
            .await;
        assert_eq!(browser.value(CUT).await, json!([]), "{path}");
    }
}

/// Enter leads from a stop of the time line to the place where its reason is given, and the stops stand at the foot of the
/// trends too.
#[tokio::test]
async fn a_stop_of_the_time_line_leads_to_its_reason_and_stands_in_the_trends() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::with(&["--speed", "60"]);
    browser.resize((1_600, 1_000)).await;
    browser.open(&format!("{}/line?lang=en&trend=8h", demo.origin)).await;
    let stops = "document.querySelectorAll('#timeline rect.stop').length";
    browser.until(&format!("{LIVE} && {stops} > 0"), IN_TIME).await;
    browser.until("document.querySelectorAll('#trends [data-tick]').length > 0", IN_TIME).await;
    let shapes = "document.querySelectorAll('#trends .shape').length";
    assert!(browser.value(shapes).await.as_u64() > Some(0), "the shape says which stop it is");
    shot(&browser, "line-ticks-en").await;
    browser.run("document.getElementById('timeline').focus()").await;
    // Without a cursor there is nothing to open.
    browser.press(Key::Enter).await;
    assert_eq!(browser.text("location.pathname").await, "/line");
    browser.press(Key::Left).await;
    let readout = browser.text("document.getElementById('timeline-readout').textContent").await;
    browser.press(Key::Enter).await;
    browser.until(&format!("location.pathname === '/stops' && {LIVE}"), SOON).await;
    browser.until("document.getElementById('entry').open", SOON).await;
    let asked = browser.text("document.getElementById('entry-stop').textContent").await;
    let begun = asked.split(" · ").next().unwrap_or_default();
    assert!(!begun.is_empty() && readout.starts_with(begun), "{asked} after {readout}");
    shot(&browser, "stop-asked-en").await;
    // Once: a page that is loaded again asks nobody anew.
    let left = "new URLSearchParams(location.search).get('stop')";
    assert_eq!(browser.value(left).await, json!(null));
}
