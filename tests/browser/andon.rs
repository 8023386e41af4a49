//! Calls for help by taps: seen on every screen, taken, closed, and not shown as current once the screen is lost.

use serde_json::json;

use crate::browser::Browser;
use crate::demo::Demo;
use crate::{CORES, CUT, DRAWN, LIVE, SOON, cut_when_full, shot};

const OPEN: &str = "document.getElementById('open-calls').textContent";
const ON_WALL: &str = "document.getElementById('wall-calls').textContent";

/// The smallest side of what can be pressed on the strip, in pixels.
const SMALLEST: &str = "Math.min(...[...document.querySelectorAll('#calls :is(button, input)')].map((e) => \
                        Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height)))";

async fn open(browser: &Browser, demo: &Demo, path: &str, ready: &str) {
    browser.open(&format!("{}{path}", demo.origin)).await;
    browser.until(&format!("{LIVE} && {ready}"), SOON).await;
}

/// Shows: SCR-09
#[tokio::test]
async fn a_call_is_one_tap_and_every_screen_shows_who_takes_it() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    open(&browser, &demo, "/?lang=en", DRAWN).await;
    let smallest = browser.value(SMALLEST).await.as_f64().unwrap_or_default();
    assert!(smallest >= 44.0, "{smallest} px");
    // One tap, without a name.
    browser.click("#needs [data-need='material']").await;
    browser
        .until(&format!("{OPEN}.includes('Material') && {OPEN}.includes('nobody yet')"), SOON)
        .await;
    open(&browser, &demo, "/wall?lang=both", DRAWN).await;
    browser
        .until(&format!("{ON_WALL}.includes('物料') && {ON_WALL}.includes('nobody yet')"), SOON)
        .await;
    browser.resize((1_920, 1_080)).await;
    browser.until(DRAWN, SOON).await;
    shot(&browser, "call-wall").await;
    let on_wall = browser.value(CUT).await;
    assert_eq!(on_wall, json!([]), "on the wall");
    let mut cut = Vec::new();

    open(&browser, &demo, "/stops?window=day&lang=en", &format!("{OPEN}.includes('Material')"))
        .await;
    let take = "#open-calls [data-act='take']";
    browser.click(take).await;
    let trouble = "document.getElementById('call-trouble').textContent";
    browser.until(&format!("{trouble}.includes('your name first')"), SOON).await;
    browser.keys("#caller", "Li Wei").await;
    browser.click(take).await;
    browser.until(&format!("{OPEN}.includes('Li Wei is on it')"), SOON).await;
    assert_eq!(
        browser.value("document.querySelector(\"#open-calls [data-act='take']\")").await,
        json!(null)
    );

    for (name, size) in [("desk", (1_280, 800)), ("tablet", (810, 1_080)), ("wide", (1_920, 1_080))]
    {
        browser.resize(size).await;
        for (page, path, lang) in [
            ("overview", "/", "en"),
            ("overview", "/", "both"),
            ("line", "/line", "zh"),
            ("stops", "/stops?window=day", "en"),
        ] {
            let join = if path.contains('?') { '&' } else { '?' };
            let called = "document.querySelectorAll('#open-calls li').length === 1";
            open(&browser, &demo, &format!("{path}{join}lang={lang}"), called).await;
            shot(&browser, &format!("call-{page}-{name}-{lang}")).await;
            if size.0 != 1_280 {
                let found = cut_when_full(&browser).await;
                cut.extend(found.into_iter().map(|what| format!("{page}-{name}-{lang}: {what}")));
            }
        }
    }
    assert!(cut.is_empty(), "{cut:#?}");

    // The name typed on this screen is here on every page of it.
    open(&browser, &demo, "/?lang=en", &format!("{OPEN}.includes('Li Wei is on it')")).await;
    assert_eq!(browser.text("document.getElementById('caller').value").await, "Li Wei");
    browser.click("#open-calls [data-act='close']").await;
    browser.until("document.getElementById('open-calls').hidden", SOON).await;
    open(&browser, &demo, "/wall?lang=en", "document.getElementById('wall-calls').hidden").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_screen_shows_no_call_as_current_and_says_that_none_was_sent() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    open(&browser, &demo, "/?lang=en", DRAWN).await;
    browser.click("#needs [data-need='quality']").await;
    browser.until(&format!("{OPEN}.includes('Quality')"), SOON).await;
    demo.freeze();
    browser.until("document.body.dataset.link === 'lost'", SOON).await;
    browser
        .until(&format!("{OPEN}.includes('not known now') && !{OPEN}.includes('Quality')"), SOON)
        .await;
    browser.click("#needs [data-need='machine']").await;
    let trouble = "document.getElementById('call-trouble').textContent";
    browser.until(&format!("{trouble}.includes('NOT sent')"), SOON).await;
    shot(&browser, "call-lost-en").await;
    demo.thaw();
    browser.until(&format!("{LIVE} && {OPEN}.includes('Quality')"), SOON).await;
}

#[tokio::test]
async fn the_tone_is_off_until_somebody_wants_it_and_sounds_for_a_new_call() {
    let _shared = CORES.shared().await;
    // Counts tones instead of sounding them.
    let count = "window.tones = 0; const real = AudioContext.prototype.createOscillator; \
                 AudioContext.prototype.createOscillator = function () { window.tones += 1; return real.call(this); };";
    let Some(browser) = crate::browser(count).await else { return };
    let demo = Demo::start();
    open(&browser, &demo, "/?lang=en", DRAWN).await;
    browser.click("#needs [data-need='machine']").await;
    browser.until(&format!("{OPEN}.includes('Machine')"), SOON).await;
    assert_eq!(browser.value("window.tones").await, json!(0), "nobody wanted it");
    browser.click("#tone").await;
    browser
        .until("window.tones === 2 && document.getElementById('tone').ariaPressed === 'true'", SOON)
        .await;
    browser.click("#needs [data-need='other']").await;
    browser.until(&format!("{OPEN}.includes('Other') && window.tones >= 4"), SOON).await;
}
