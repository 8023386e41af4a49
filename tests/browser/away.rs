//! A screen that was cut off and comes back: what was hatched is filled with what happened.

use serde_json::json;

use crate::demo::Demo;
use crate::{CORES, IN_TIME, LIVE, SOON, shot};

/// A cable that can be pulled: `cut` lets no stream and no question through, and those that run fall silent. Output is
/// answered once, so that only the stream can fill what was missed. `deaf` is a page that does not listen to it.
const CABLE: &str = "
    window.cut = false;
    window.missed = [];
    const deaf = new URLSearchParams(location.search).has('deaf');
    const streams = [];
    const Stream = window.EventSource;
    window.EventSource = class extends Stream {
      constructor(address) {
        super(window.cut ? '/no-such-stream' : address);
        streams.push(this);
        window.asked = address;
        super.addEventListener('missed', (event) => window.missed.push(JSON.parse(event.data)));
      }
      addEventListener(name, ...rest) {
        if (!(deaf && name === 'missed')) super.addEventListener(name, ...rest);
      }
    };
    window.pull = () => { window.cut = true; streams.forEach((stream) => stream.close()); };
    const ask = window.fetch;
    let answered = false;
    window.fetch = (address, ...rest) => {
      const output = String(address).includes('/series?');
      if (window.cut || (output && answered)) return Promise.reject(new TypeError('no network'));
      answered = answered || output;
      return ask(address, ...rest);
    };";

/// How much of the drawing is hatched at its right edge, in parts of its width.
const HATCHED: &str = "(() => {
    const of = document.querySelector('#seconds svg').getBoundingClientRect();
    const last = [...document.querySelectorAll('#seconds .hatched')].map((e) => e.getBoundingClientRect()).filter((e) => e.right > of.right - 20);
    return last.reduce((sum, e) => sum + e.width, 0) / of.width;
  })()";

/// Shows: SCR-17
#[tokio::test]
async fn a_screen_that_was_cut_off_is_filled_with_what_happened() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser(CABLE).await else { return };
    let demo = Demo::with(&["--speed", "1"]);
    browser.resize((1_280, 1_000)).await;
    // The second page is the control: it hears of the present and not of what was missed.
    for (page, is_filled) in [("/line?lang=en", true), ("/line?lang=en&deaf=1", false)] {
        browser.open(&format!("{}{page}", demo.origin)).await;
        let drawn = "document.querySelector('#seconds .trace')?.getAttribute('d')?.length > 100";
        browser.until(&format!("{LIVE} && {drawn}"), IN_TIME).await;
        assert_eq!(browser.value("window.asked.includes('after')").await, json!(false));
        browser.run("window.pull()").await;
        browser.until("document.body.dataset.link === 'lost'", SOON).await;
        // In a quarter of an hour 20 s are a fiftieth; until then what is new may be on its way.
        browser.until(&format!("{HATCHED} > 0.015"), IN_TIME).await;
        shot(&browser, "line-cut-off-en").await;
        browser.run("window.cut = false").await;
        browser.until(&format!("{LIVE} && window.missed.length === 1"), SOON).await;
        let hatched = browser.value(HATCHED).await.as_f64().unwrap_or(f64::NAN);
        assert_eq!(hatched < 0.005, is_filled, "{page}: {hatched} is hatched");
        let missed = "window.missed[0].whole && window.missed[0].series.step_ms === 10000 && window.missed[0].series.points.length > 2";
        assert_eq!(browser.value(missed).await, json!(true), "{page}");
        let told = browser.text("document.getElementById('band-restored').innerText").await;
        assert_eq!(told.contains("filled in from the record"), is_filled, "{page}: {told}");
        shot(&browser, if is_filled { "line-filled-en" } else { "line-not-filled-en" }).await;
    }
}
