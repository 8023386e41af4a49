//! What single keys do, and that they do nothing where something is typed or where they are switched off.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::demo::Demo;
use crate::{CORES, DRAWN, IN_TIME, LIVE, SOON, shot};

const LIST: &str = "document.getElementById('keys')?.open === true";

async fn at(browser: &Browser, path: &str) {
    browser
        .until(
            &format!(
                "location.pathname === '{path}' && ({LIVE} || document.body.className === 'paper')"
            ),
            SOON,
        )
        .await;
}

/// Shows: SCR-13
#[tokio::test]
async fn every_page_and_every_choice_has_a_key() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.resize((1_280, 800)).await;
    browser.open(&format!("{}/?lang=en&theme=light", demo.origin)).await;
    browser.until(&format!("{LIVE} && {DRAWN}"), IN_TIME).await;

    // The cursor of a chart: to the left, to the oldest, to the newest.
    browser.run("document.getElementById('trend').focus()").await;
    let readout = "document.getElementById('trend-readout').textContent";
    browser.press(Key::Left).await;
    let newest = browser.text(readout).await;
    browser.press(Key::Left).await;
    let before = browser.text(readout).await;
    assert_ne!(newest, before);
    browser.press(Key::Right).await;
    assert_eq!(browser.text(readout).await, newest);
    browser.press(Key::Home).await;
    let oldest = browser.text(readout).await;
    assert!(oldest != newest && oldest != before, "{oldest}");
    browser.press(Key::End).await;
    assert_eq!(browser.text(readout).await, newest);
    browser.run("document.activeElement.blur()").await;

    // D goes on to the next colours, A to a call that nobody has taken.
    browser.press('d').await;
    assert_eq!(browser.text("document.documentElement.dataset.theme").await, "dark");
    browser.press('D').await;
    assert_eq!(browser.text("document.documentElement.dataset.theme").await, "auto");
    browser.click("#needs [data-need='material']").await;
    let take = "document.querySelector('#open-calls [data-act=take]')";
    browser.until(&format!("{take} !== null"), SOON).await;
    browser.run("document.activeElement.blur()").await;
    browser.press('a').await;
    assert_eq!(browser.value(&format!("document.activeElement === {take}")).await, json!(true));

    // Where something is typed a key is a letter.
    browser.run("document.getElementById('caller').value = ''").await;
    browser.keys("#caller", "2dlw").await;
    assert_eq!(browser.text("document.getElementById('caller').value").await, "2dlw");
    assert_eq!(browser.text("location.pathname").await, "/");
    assert_eq!(browser.text("document.documentElement.dataset.theme").await, "auto");
    browser
        .run("document.getElementById('caller').value = ''; document.activeElement.blur()")
        .await;

    // Every page of the bar by its number.
    let paths = browser
        .value("[...document.querySelectorAll('.bar > nav:not(.lines) a')].map((a) => a.pathname)")
        .await;
    let paths: Vec<String> = paths
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    assert!(paths.len() >= 7, "{paths:?}");
    for (digit, path) in ('1'..='9').zip(&paths).skip(1) {
        browser.press(digit).await;
        let path = if path == "/spc" { "/spc".to_owned() } else { path.clone() };
        browser
            .until(
                &format!(
                    "location.pathname.startsWith('{path}') && document.readyState === 'complete'"
                ),
                SOON,
            )
            .await;
        if path == "/stops" {
            // R goes on to the next span.
            let pressed = "document.querySelector('#window [aria-pressed=true]').dataset.window";
            let span = browser.text(pressed).await;
            browser.press('r').await;
            assert_ne!(browser.text(pressed).await, span);
        }
    }
    browser.press('1').await;
    at(&browser, "/").await;
    browser.press('l').await;
    browser.until(&format!("document.body.dataset.lang === 'zh' && {LIVE}"), SOON).await;
    browser.press('w').await;
    at(&browser, "/wall/L1").await;
    // A digit does nothing to a wall: it has no bar.
    browser.press('2').await;
    at(&browser, "/wall/L1").await;
}

/// Shows: SCR-13
#[tokio::test]
async fn keys_are_listed_and_can_be_switched_off() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = crate::axe::Axe::load();
    let demo = Demo::start();
    for (lang, theme) in [("zh", "dark"), ("en", "light")] {
        browser.open(&format!("{}/stops?window=day&lang={lang}&theme={theme}", demo.origin)).await;
        browser.until(LIVE, SOON).await;
        browser.press('?').await;
        browser.until(LIST, SOON).await;
        shot(&browser, &format!("keys-{lang}")).await;
        if let Some(axe) = &axe {
            assert_eq!(axe.violations(&browser).await, Vec::<String>::new());
        }
        // Behind an open list nothing happens.
        browser.press('2').await;
        browser.press(Key::Escape).await;
        browser.until(&format!("!({LIST})"), SOON).await;
        assert_eq!(browser.text("location.pathname").await, "/stops");
    }
    let window = "document.querySelector('#window [aria-pressed=true]').dataset.window";
    assert_eq!(browser.text(window).await, "day");
    browser.press('r').await;
    assert_eq!(browser.text(window).await, "week");
    // Off: by the button that opens the list, and it stays off on the next page.
    browser.click("#keys-list").await;
    browser.until(LIST, SOON).await;
    browser.click("#keys-on").await;
    browser.press(Key::Escape).await;
    browser.until(&format!("!({LIST})"), SOON).await;
    browser.open(&format!("{}/stops?window=day&lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    for key in ['2', 'r', 'd', 'l', 'w', '?'] {
        browser.press(key).await;
    }
    assert_eq!(browser.text(window).await, "day");
    assert_eq!(browser.text("location.pathname").await, "/stops");
    assert_eq!(browser.value(LIST).await, json!(false));
    browser.click("#keys-list").await;
    browser.click("#keys-on").await;
    browser.press(Key::Escape).await;
    browser.until(&format!("!({LIST})"), SOON).await;
    browser.press('r').await;
    assert_eq!(browser.text(window).await, "week");
}

/// R goes round the spans of a page: of the output on the overview and on the page of the line. A page that has none does not
/// list it.
/// Shows: SCR-13
#[tokio::test]
async fn the_key_for_the_span_acts_where_there_is_one_and_is_listed_only_there() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    let listed =
        "[...document.querySelectorAll('#keys kbd')].some((key) => key.textContent === 'R')";
    for (path, pressed, spans) in [
        ("/", "#trend-of", ["hour", "shift", "hour"].as_slice()),
        ("/line", "#seconds-span", ["15m", "8h", "1m", "15m"].as_slice()),
        ("/data", "", [].as_slice()),
    ] {
        browser.open(&format!("{}{path}?lang=en&theme=light", demo.origin)).await;
        browser.until(LIVE, SOON).await;
        let address = browser.text("location.pathname").await;
        let pressed =
            format!("document.querySelector('{pressed} [aria-pressed=true]').dataset.span");
        for (i, span) in spans.iter().enumerate() {
            if i > 0 {
                browser.press('r').await;
            }
            assert_eq!(browser.text(&pressed).await, *span, "{path}");
        }
        browser.press('?').await;
        browser.until(LIST, SOON).await;
        assert_eq!(browser.value(listed).await, json!(!spans.is_empty()), "{path}");
        browser.press(Key::Escape).await;
        browser.until(&format!("!({LIST})"), SOON).await;
        if spans.is_empty() {
            browser.press('r').await;
        }
        assert_eq!(browser.text("location.pathname").await, address);
    }
}
