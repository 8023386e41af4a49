//! Numbers say how they are made: by key, by click, by finger, in both languages.

use fantoccini::key::Key;
use serde_json::Value;

use crate::browser::Browser;
use crate::demo::Demo;
use crate::{CORES, IN_TIME, LIVE, SOON, shot};

const OPEN: &str = "document.getElementById('explanation')?.open === true";
const SHOWN: &str = "document.getElementById('explanation')?.dataset.state === 'shown'";
const TOLD: &str = "document.querySelector('#explanation .told').innerText";
/// The word of the number that has the focus.
const FOCUSED: &str = "(document.activeElement?.dataset?.explain ?? '')";

/// Goes on with Tab until a number has the focus.
async fn tab_to(browser: &Browser, word: &str, station: &str) {
    let reached = format!(
        "{FOCUSED} === '{word}' && (document.activeElement.dataset.query ?? '').includes('{station}')"
    );
    for _ in 0..80 {
        browser.press(Key::Tab).await;
        if browser.value(&reached).await == Value::Bool(true) {
            return;
        }
    }
    let at = browser.text("document.activeElement?.outerHTML.slice(0, 300) ?? ''").await;
    panic!("Tab does not reach {word} {station}; it is at {at}");
}

async fn closed(browser: &Browser, word: &str) {
    browser.press(Key::Escape).await;
    browser.until(&format!("!({OPEN}) && {FOCUSED} === '{word}'"), SOON).await;
}

/// Asks by a key how the number in focus is made.
async fn asked(browser: &Browser, key: char) {
    browser.press(key).await;
    browser.until(&format!("{OPEN} && {SHOWN}"), SOON).await;
}

/// Closes the dialog and asks again before the page is told that it was closed.
const ASKED_AT_ONCE: &str = "
    document.getElementById('explanation').close();
    const key = new KeyboardEvent('keydown', { key: 'e', bubbles: true });
    document.activeElement.dispatchEvent(key);";

#[tokio::test]
async fn a_number_is_reached_by_tab_and_explained_by_its_key() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = crate::axe::Axe::load();
    let demo = Demo::start();
    browser.resize((1_280, 800)).await;
    browser.open(&format!("{}/?lang=en&theme=light", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    let good = "Number(document.getElementById('good').dataset.value) > 0";
    browser.until(good, IN_TIME).await;
    tab_to(&browser, "good", "").await;
    // It says of itself that it can be asked.
    let hint = "document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent";
    assert!(browser.text(hint).await.contains("how this number is made"));
    asked(&browser, 'e').await;
    let inside = "document.getElementById('explanation').contains(document.activeElement)";
    assert_eq!(browser.value(inside).await, Value::Bool(true), "the focus goes in");
    let text = browser.text(TOLD).await;
    for words in ["whole minutes", "gaps", "cf01-modbus.toml:", "minutes.csv", "N = M"] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
    // What is shown adds up, read from the dialog as a person would.
    let sum = "(() => { const n = (e) => Number(e.textContent.split(' [')[0].replace(/[,()]/g, '').replace('−', '-')); \
        const rows = [...document.querySelectorAll('#explanation table')[0].rows].map((r) => n(r.cells[2])); \
        return rows.reduce((a, b) => a + b, 0) === n(document.querySelector('#explanation .result')); })()";
    assert_eq!(browser.value(sum).await, Value::Bool(true), "{text}");
    if let Some(axe) = &axe {
        assert_eq!(axe.violations(&browser).await, Vec::<String>::new());
    }
    shot(&browser, "explain-good-wide-light-en").await;
    // A question in the moment of the close is answered too, and the focus still finds back from there.
    browser.run(ASKED_AT_ONCE).await;
    browser.until(&format!("{OPEN} && {SHOWN}"), SOON).await;
    closed(&browser, "good").await;
    // The table that the dialog names adds up to what it says of it.
    asked(&browser, 'E').await;
    let fetched = "(fetch(document.querySelector('#explanation .rows-link').href).then((r) => r.text())\
        .then((text) => { window.table = text.split('\\r\\n').map((line) => line.split(',')); }), true)";
    browser.value(fetched).await;
    browser.until("window.table !== undefined", SOON).await;
    let same = "(() => { const at = window.table[0].indexOf('good'); \
        const of = (kind) => window.table.filter((row) => row[0] === kind).reduce((sum, row) => sum + Number(row[at]), 0); \
        const rows = [...document.querySelectorAll('#explanation table')[0].rows].filter((r) => r.cells[3].textContent === 'CSV'); \
        const n = (e) => Number(e.textContent.split(' [')[0].replaceAll(',', '')); \
        return [of('minute') + of('gap'), rows.reduce((sum, r) => sum + n(r.cells[2]), 0)]; })()";
    let same = browser.value(same).await;
    assert_eq!(same[0], same[1]);
    assert_ne!(same[0], 0);
    closed(&browser, "good").await;
    // Enter opens it too, and so does the next number by Tab.
    tab_to(&browser, "reject_fraction", "").await;
    browser.press(Key::Enter).await;
    browser.until(&format!("{OPEN} && {SHOWN} && {TOLD}.includes('X / (X + N)')"), SOON).await;
    closed(&browser, "reject_fraction").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// Shows: SCR-05
#[tokio::test]
async fn numbers_of_all_pages_are_explained_in_both_languages_by_finger_and_key() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.resize((810, 1_080)).await;
    let flow = "#machines [data-explain='good'][data-query*='CF01']";
    for (path, ready, selector, en, zh) in [
        (
            "/?",
            "Number(document.getElementById('good').dataset.value) > 0",
            "[data-explain='difference']",
            "target rate",
            "目标速度",
        ),
        (
            "/line?",
            "document.querySelector(\"#machines [data-explain='good']\") !== null",
            flow,
            "whole minutes",
            "完整各分钟",
        ),
        (
            "/stops?window=day&",
            "document.querySelectorAll('#stops tbody tr').length > 1",
            "[data-explain='mttr']",
            "mean time to repair",
            "修复时间",
        ),
        (
            "/stops?window=day&",
            "document.querySelectorAll('#stops tbody tr').length > 1",
            "[data-explain='lost_time']",
            "Σ S",
            "Σ S",
        ),
        (
            "/rejects?window=day&",
            "document.querySelectorAll('#heat tbody tr').length > 0",
            "[data-explain='reject_fraction']",
            "X / (X + N)",
            "剔废数",
        ),
        (
            "/?",
            "document.querySelectorAll('#hours [data-explain]').length > 0",
            "#hours [data-explain='difference']",
            "target rate",
            "目标速度",
        ),
        (
            "/?",
            "document.querySelectorAll('#stations [data-explain]').length > 0",
            "#stations [data-explain='rejected']",
            "whole minutes",
            "完整各分钟",
        ),
        (
            "/rejects?window=day&",
            "document.querySelectorAll('#pareto [data-explain]').length > 0",
            "#pareto [data-explain='reject_fraction']",
            "X / (X + O + N)",
            "其他原因剔废",
        ),
        (
            "/reports?",
            "document.querySelectorAll('[data-query*=batch]').length > 0",
            "[data-explain='good'][data-query*='batch']",
            "whole minutes",
            "完整各分钟",
        ),
        (
            "/data?",
            "document.querySelectorAll('#balance [data-explain]').length > 0",
            "#balance [data-explain='section']",
            "CF01.Admin.ProdConsumedCount",
            "CF01.Admin.ProdConsumedCount",
        ),
        (
            "/rejects?",
            "document.querySelectorAll('#pareto [data-explain=chance]').length > 0",
            "#pareto [data-explain='chance']",
            "(Holm)",
            "（Holm）",
        ),
        (
            "/stops?window=day&",
            "document.querySelectorAll('#losses [data-explain]').length > 0",
            "#losses [data-explain='loss']",
            "Δt",
            "Δt",
        ),
        (
            "/spc/reject_fraction?",
            "document.querySelectorAll('#control svg').length > 0",
            "#explain-point",
            "in sigma",
            "σ 倍数",
        ),
        (
            "/spc/reject_fraction?",
            "document.querySelectorAll('#budget [data-explain]').length > 0",
            "#budget [data-explain]",
            "judged points",
            "判定点数",
        ),
        ("/report/shift?", "true", "[data-explain='oee']", "OEE index", "计划工作时间"),
        ("/report/batch?", "true", "[data-explain='yield']", "capsules in", "进料数"),
    ] {
        for (lang, theme, words) in [("en", "light", en), ("zh", "dark", zh)] {
            browser.open(&format!("{}{path}lang={lang}&theme={theme}", demo.origin)).await;
            browser.until(ready, SOON).await;
            browser.tap(selector).await;
            browser.until(&format!("{OPEN} && {SHOWN}"), SOON).await;
            let text = browser.text(TOLD).await;
            assert!(text.contains(words), "{path} {words} in\n{text}");
            assert!(!text.contains("undefined") && !text.contains("NaN"), "{path}: {text}");
            let wide = browser.value("document.getElementById('explanation').scrollWidth > document.getElementById('explanation').clientWidth").await;
            assert_eq!(wide, Value::Bool(false), "{path} {lang}: the dialog is cut off");
            let name = path.trim_matches(['/', '?', '&']).replace(['/', '?', '&', '='], "-");
            let word = browser
                .text("document.getElementById('explanation-title').textContent.slice(0, 12)")
                .await;
            shot(
                &browser,
                &format!("explain-{name}-{}-tablet-{theme}-{lang}", word.replace([' ', '/'], "_")),
            )
            .await;
            browser.press(Key::Escape).await;
            browser.until(&format!("!({OPEN})"), SOON).await;
        }
    }
    // A card whose numbers change twice a second keeps the focus and the press.
    browser.open(&format!("{}/line?lang=en", demo.origin)).await;
    browser.until(&format!("{LIVE} && document.querySelector(\"{flow}\") !== null"), SOON).await;
    tab_to(&browser, "good", "CF01").await;
    let number = "document.activeElement.textContent";
    let before = browser.text(number).await;
    browser.until(&format!("{FOCUSED} === 'good' && {number} !== '{before}'"), IN_TIME).await;
    asked(&browser, 'e').await;
    closed(&browser, "good").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// The hour board is drawn anew with every view: the number that was asked about is another one by the time the dialog
/// closes, and yet the next key is answered.
#[tokio::test]
async fn a_key_right_after_a_close_is_answered_every_time() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    let row = "document.querySelector(\"#hours tr.open [data-explain='good']\")";
    browser.until(&format!("{LIVE} && {row} !== null"), SOON).await;
    browser.value(&format!("(window.first = {row}, window.first.focus(), true)")).await;
    // It keeps the focus while it is drawn anew.
    let anew = format!("!window.first.isConnected && document.activeElement === {row}");
    browser.until(&anew, IN_TIME).await;
    for round in 0..8 {
        browser.press('e').await;
        assert!(browser.becomes(&format!("{OPEN} && {SHOWN}"), SOON).await, "round {round}");
        browser.value(&format!("(window.first = {row}, true)")).await;
        browser.until("!window.first.isConnected", IN_TIME).await;
        browser.press(Key::Escape).await;
    }
}
